"""Addresses that nodes chose to publish, passed from peer to peer: /<network>/peers/1. Dials nothing.

record.py        a node's signed word on where it is reached
announcement.py  this node's own record, and its sequence number over restarts
wire.py          frames: two sizes, whatever is in them
rate_limiter.py  how often a peer is answered
inbound_records.py  records of peers that dialled in
sample.py        which records are told: the same to all for a day
service.py       streams and the waiting: the only file that awaits
"""
