"""Addresses that nodes chose to publish, passed from peer to peer: /<network>/peers/1. Dials nothing.

record.py        a node's signed statement of where peers can reach it
announcement.py  this node's own record, and its sequence number over restarts
wire.py          frames: two sizes, whatever is in them
rate_limiter.py  how often the node answers each peer
inbound_records.py  records of peers that dialled in
sample.py        which records the node shares: the same with every peer for a day
service.py       streams and the waiting: the only file that awaits
"""
