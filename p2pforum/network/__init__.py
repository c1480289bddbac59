"""How bytes reach peers.

interface.py       what gossip and sync may ask of a network
libp2p_network.py  TCP, Noise and Yamux; the only place that imports libp2p
memory_network.py  many nodes in one process, for tests and simulation
"""
