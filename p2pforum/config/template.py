"""The config file that `init` writes."""

from p2pforum.core import limits
from p2pforum.core.network_params import DEFAULT_NETWORK


def config_template() -> str:
    """A config file in which every line is commented out: it shows the keys, and changes nothing."""
    return _TEMPLATE


_TEMPLATE = f"""\
# p2pforum: each line that is commented out shows the default.

# The network this node belongs to. Networks never mix. A network whose name begins with test. is a test
# network: it asks for no stamps (proof of work).
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

# Boards that `p2pforum threads` shows if you name none. An empty list: all.
#boards = []

# The node drops posts that are older than this.
#retention_days = {limits.RETENTION_HOURS // 24}

# Disk space for all posts, in MiB. When it is full the node drops the oldest first; see `p2pforum pin`.
#quota_mb = {limits.QUOTA // limits.KIB // limits.KIB}

# Boards whose posts the node keeps for another number of days, as {{ general = 365, test = 7 }}.
#retention = {{}}

# Your posts first travel through a few other nodes, so that few can tell where they started. That takes
# seconds, rarely minutes. False: every peer of this node can guess which posts you wrote.
#hide_origin = true

# Posts that waited for a peer begin to leave after a time on line, drawn from zero to so many minutes. The
# reason: a peer that sees this node arrive, and at once a new post, could tell that you wrote it. 0: they
# leave at once. Posts that you write while the node has peers never wait.
#hold_minutes = {limits.HOLD_MINUTES}

# Addresses that this node tells everybody, as ["/ip4/203.0.113.7/tcp/4001"], so that other nodes can dial it.
# "auto": those that listen = ["auto"] found. An empty list: only people to whom you gave the address know it.
#announce = ["auto"]

# Ask peers for addresses of other nodes, so that this node finds connections that you did not name.
#exchange = true

# Find nodes in the local network, and let them find this one. Everybody there can then see that it runs.
#lan = false

# Dial addresses of this machine and of private networks if peers name them. The node always dials those that
# you name.
#private = false

# Make all connections through this SOCKS5 proxy, as "socks5://127.0.0.1:9050" (Tor), or none. The proxy looks
# up the names of peers. The node then listens on this machine only, and announces only onion services.
#proxy = ""
"""
