"""Hides where a post starts: Dandelion++ stem over /<network>/stem/1, own posts through pinned guards.

wire.py        the one frame and the one answer
params.py      every number, with its reason
guards.py      through whom own posts go, for most of a year: slots of keys, and guards of each slot
guard_file.py  the guards over restarts
recruits.py    which guards are to be connected and drawn, for whoever dials
contacts.py    connected peers: who takes frames, and what each may send
counts.py      what front ends are told
pool.py        posts on their way that are not public
token_buckets.py  what each peer may send, whenever it comes back
relays.py      epochs: the role of this node, its two relays, and which peer's posts go to which
router.py      joins these; decides everything and does nothing (no I/O, no clock)
service.py     streams, the door, the waiting; it and recruits.py are the only files that await
"""
