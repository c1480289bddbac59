"""p2pforum: a peer-to-peer, pseudonymous discussion node."""

__version__ = "0.1.0"
