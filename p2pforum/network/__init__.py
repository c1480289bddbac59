"""How bytes reach peers.

interface.py        what gossip, sync and other protocols may ask of a network
groups.py           parts of the internet in which one owner can have many addresses
ranges.py           which addresses the node dials because a stranger told them
peer_seed.py        the seed of a lasting peer ID, and one for each network that the machine is in
own_ipv6.py         which public IPv6 address of this machine the node may announce
port_mapping.py     a port of the router, forwarded to this node
bell.py             wakes the one task that waits for work
exclusive.py        one task sends, one receives
roster.py           which peers are connected, and events for the tasks that watch them
bans.py             peers that broke a protocol
memory_budget.py    how much all peers together may make this node keep
frame_budget.py     how many frames with little data a peer may send
eviction.py         which peer to disconnect when all slots are taken, without I/O
inbound_slots.py    peers that dial in: bounds, and slots
answering.py        running stream handlers
multistream.py      agreeing on a protocol's name
yamux_frames.py     Yamux: bytes to frames, without I/O
yamux_config.py     Yamux: how much a connection tolerates from a peer
yamux_queue.py      Yamux: frames on their way out
yamux_stream.py     Yamux: one stream
yamux.py            Yamux: many streams over one connection
on_demand.py        imports a part of a library without the rest
libp2p_noise.py     peer keys and the Noise handshake: imports libp2p
libp2p_identify.py  what a node says of itself: imports libp2p
socks.py            a connection through a SOCKS5 proxy
libp2p_upgrade.py   from TCP to a secured connection; dials and listens
libp2p_connections.py  the connections of the real network, by peer
libp2p_network.py   the real network
memory_stream.py    a stream inside one process
memory_address.py   addresses inside one process
memory_link.py      a link inside one process: both ends of a connection
memory_network.py   many nodes in one process, for tests and simulation
"""
