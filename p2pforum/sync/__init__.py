"""Reconciliation: two nodes that meet come to the same set of posts, whatever happened before.

wire/         how messages are written and read
reconcile.py  how two sets differ: ranges, the split policy
fingerprint.py  what stands for the posts of a range, in one session
look.py       the one look: whether anything differs, and from which hour on
boards.py     the boards of one session: salted tags, numbers
matching.py   which boards both have, and what to do about each
negotiate.py  the NEG frames of one session
fetch.py      posts coming in: what was asked for, and whether that is what came
serve.py      posts going out: answers to WANT and PULL, and pushes
terms.py      what a side brings to a session
phases.py     how far the peer of a session is, and what brings it on
session.py    one session, both roles: the state machine over all of these
budget.py     what a session may cost, its windows, and the report of what it did
claims.py     who is fetching what, so that two peers are not asked for one post
reputation.py  what peers cost in earlier sessions
params.py     bounds of the service; those of a session are in core/limits.py
snapshot.py   what a session asks of the store
clocks.py     what hour it is for peers
session_slots.py  who gets a place for a session, and whose session ends for it
filling.py    whether this node has caught up since it came, and may be asked
session_runner.py  one session on a stream: its tasks, and whose turn it is
service.py    which sessions there are, and with whom; these last five are the only files that await
"""
