"""p2pforum: a peer-to-peer, pseudonymous discussion node.

node.py         the node: its parts, made and joined
frontdesk.py    what front ends may ask of it: the API's backend
tally.py        what they are told of the sync sessions that they asked for
housekeeping.py what is done every hour
outbound_posts.py  how own posts leave
connection_manager.py  how peers are found and kept
reach.py        where the node listens, and what it tells others of that
timekeeping.py  whether this machine's clock can be right
ingest.py       the one door into the store
__main__.py     `python -m p2pforum`
"""

__version__ = "0.1.0"
