"""Reconciliation: two nodes that meet come to the same set of posts, whatever happened before.

wire.py        Negentropy v1 messages, byte for byte
reconcile.py   which posts differ: ranges, fingerprints, the split policy
frames.py      our framing around them, and every frame's payload
budget.py      what one session may cost, and the report of what it did
negotiate.py   the NEG frames of one session, all boards
serve.py       posts going out: answers to WANT and PULL, and pushes
fetch.py       posts coming in: what was asked for, and whether that is what came
claims.py      who is fetching what, so that two peers are not asked for one post
session.py     one session, both roles: the state machine over all of these
service.py     sessions over streams; the only file here that awaits
"""
