"""Hides where a post starts: Dandelion++ stem over /<network>/stem/1, own posts through pinned guards.

wire.py        the one frame and the one answer
params.py      every number, with its reason
guards.py      the guards that own posts go through, for most of a year: slots of keys, guards of each slot
guard_file.py  the guards over restarts
recruits.py    for the code that dials: which guards to connect to, and when to draw new ones
contacts.py    connected peers: which take frames, and how many each may send
counts.py      what front ends may see
pool.py        posts on their way that are not public
token_buckets.py  how much each peer may send, also when it comes back
relays.py      epochs: the role of this node, its two relays, and which peer's posts go to which
router.py      joins these and decides everything; no I/O, no clock
service.py     streams, the door, the waiting; it and recruits.py are the only files that await
"""
