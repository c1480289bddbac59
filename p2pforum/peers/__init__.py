"""Whom this node keeps in touch with: only addresses that its user named.

backoff.py  how long to wait before the next try, without a clock
service.py  one task for each address: dial, wait until the peer is gone, dial again
"""
