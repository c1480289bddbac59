"""How gossip's messages are written and read. Pure.

rpc.py       the RPC: decode and encode; it can't write a field that names an author
protobuf.py  the fields of an RPC, one after the other, counted
framing.py   RPCs on a stream: the length before each
"""
