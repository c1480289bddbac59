"""p2pforum: a peer-to-peer, pseudonymous discussion node.

node.py         the node: its parts, made and joined
frontdesk.py    the API's backend: what a front end may ask of the node
tally.py        sums over the sync sessions that a front end asked for
housekeeping.py the work of every hour: old posts expire
outbound_posts.py  how own posts are sent to the network
connection_manager.py  how the node finds peers and keeps them connected
reach.py        where the node listens, and which of its addresses it announces
timekeeping.py  whether this machine's clock can be right
ingest.py       the one way into the store
__main__.py     `python -m p2pforum`
"""

__version__ = "0.1.0"
