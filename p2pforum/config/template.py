"""The config file that `init` writes."""

from p2pforum.core import limits
from p2pforum.core.network_params import DEFAULT_NETWORK


def config_template() -> str:
    """A config file in which everything is commented out: it says what there is, and changes nothing."""
    return _TEMPLATE


_TEMPLATE = f"""\
# p2pforum: what is commented out is the default.

# The network this node belongs to. Networks never mix. One whose name begins with test. is a test network:
# it asks for no stamps (proof of work).
#network = "{DEFAULT_NETWORK.name}"

# Where other nodes can reach this one. "auto": at this machine's public IPv6 address, if it has one, and at a
# free port for this machine only. With an IPv4 address of your own:
#   listen = ["/ip4/0.0.0.0/tcp/4001"]
# An empty list: this node only dials.
#listen = ["auto"]

# Ask the router (by UPnP) to let others through to this node. The local network can see the question.
#map_port = false

# Nodes to connect to at start. A running node shows its addresses in `p2pforum status`.
#peers = []

# Boards that `p2pforum threads` shows when it is not told one. An empty list: all.
#boards = []

# Posts older than this are dropped here.
#retention_days = {limits.RETENTION_HOURS // 24}

# Disk space for all posts, in MiB. When it is full the oldest go first; see `p2pforum pin`.
#quota_mb = {limits.QUOTA // limits.KIB // limits.KIB}

# Boards that are kept for another number of days, as {{ general = 365, test = 7 }}.
#retention = {{}}

# Own posts take a detour of some seconds, rarely minutes, so that few can tell where they started. False:
# every peer of this node can guess which posts were written here.
#hide_origin = true

# Posts that waited for a peer (no node ran, or nobody was there) begin to leave after a time drawn from zero
# to so many minutes on line, or whoever sees this node come and then a new post knows who wrote it. 0: at
# once. Posts written while peers are there never wait.
#hold_minutes = {limits.HOLD_MINUTES}

# Addresses that this node tells everybody, as ["/ip4/203.0.113.7/tcp/4001"], so that strangers can dial it.
# "auto": those that listen = ["auto"] found. An empty list: only those whom you told the address know it.
#announce = ["auto"]

# Ask peers for addresses of others, to keep some connections that nobody had to name.
#exchange = true

# Look for nodes in the local network, and be found there: everybody in it can see that this node runs.
#lan = false

# Dial addresses of this machine and of private networks that peers name. Those you name are always dialled.
#private = false

# Dial through this SOCKS5 proxy and never past it, as "socks5://127.0.0.1:9050" (Tor), which looks names of
# peers up itself. The node then listens on this machine only, and announces onion services only.
#proxy = ""
"""
