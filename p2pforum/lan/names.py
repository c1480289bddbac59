"""Names for multicast DNS: the service type that nodes of one network share, and random names."""

import hashlib
from random import Random


def service_type(network: str) -> str:
    """Another network gets another type. At most 15 characters before the dots (RFC 6335)."""
    return f"_p2pforum-{hashlib.sha256(network.encode()).hexdigest()[:6]}._tcp.local."


def random_name(rng: Random) -> str:
    """A name of an instance or a host. Most programs announce the machine's name, which would identify the
    user."""
    return rng.randbytes(16).hex()
