"""Reconciliation: two nodes that meet come to the same set of posts, whatever happened before.

wire/         how messages are written and read
reconcile.py  how two sets differ: ranges, the split policy
fingerprint.py  a hash that stands for the posts of a range, in one session
look.py       the first comparison: whether two nodes differ, and from which hour on
boards.py     the boards of one session: salted tags, numbers
matching.py   which boards both have, and what to do about each
negotiate.py  the NEG frames of one session
fetch.py      posts coming in: which were asked for, and whether these came
serve.py      posts going out: answers to WANT and PULL, and pushes
terms.py      what a side brings to a session
phases.py     how far the peer of a session is, and which frames bring it on
session.py    one session, both roles: the state machine over all of these
budget.py     what a session may cost, its windows, and the report of what it did
claims.py     which session fetches which post, so that the node does not ask two peers for one post
reputation.py  what peers cost in earlier sessions
params.py     bounds of the service; those of a session are in core/limits.py
snapshot.py   what a session needs of the store
clocks.py     what hour peers say it is
session_slots.py  which peer gets the next session slot, and which session ends for another
filling.py    whether this node has caught up since it came online, and may answer peers
session_runner.py  one session on a stream: its tasks and its turns
service.py    which sessions there are, and with which peers; these last five are the only files that await
"""
