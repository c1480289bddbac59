"""How bytes reach peers.

interface.py        what gossip and sync may ask of a network
groups.py           which addresses one owner can have many of
ranges.py           which addresses a stranger may have us dial
peer_seed.py        a lasting peer ID's seed, and that of each network
own_ipv6.py         which public IPv6 address of this machine others may be told
port_mapping.py     a port of the router, forwarded to this node
bell.py             wakes the one task that waits for work
exclusive.py        one task sends, one receives
roster.py           who is connected, and who is told of it
bans.py             peers that broke a protocol
memory_budget.py    what all peers together may make this node keep
frame_budget.py     how many frames that carry little a peer may send
eviction.py         whom to part with when all slots are taken, without I/O
inbound_slots.py    strangers who dial in: bounds, and slots
answering.py        running stream handlers
multistream.py      agreeing on a protocol's name
yamux_frames.py     Yamux: bytes to frames, without I/O
yamux_config.py     Yamux: what a connection bears from a peer
yamux_queue.py      Yamux: frames on their way out
yamux_stream.py     Yamux: one stream
yamux.py            Yamux: many streams over one connection
on_demand.py        a part of a library without the rest
libp2p_noise.py     peer keys and the Noise handshake: imports libp2p
libp2p_identify.py  what a node says of itself: imports libp2p
socks.py            a connection through a SOCKS5 proxy
libp2p_upgrade.py   from TCP to a secured connection, and who opens it
libp2p_connections.py  its connections, by peer
libp2p_network.py   the network of the real world
memory_stream.py    a stream inside one process
memory_address.py   addresses inside one process
memory_link.py      a link inside one process: both ends of a connection
memory_network.py   many nodes in one process, for tests and simulation
"""
