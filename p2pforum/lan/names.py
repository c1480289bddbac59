"""Names for multicast DNS: the service type that nodes of one network share, and the rest drawn by lot."""

import hashlib
from random import Random


def service_type(network: str) -> str:
    """Of at most 15 characters before the dots (RFC 6335), so that another network has another type."""
    return f"_p2pforum-{hashlib.sha256(network.encode()).hexdigest()[:6]}._tcp.local."


def random_name(rng: Random) -> str:
    """Of an instance, or of a host: programs that tell of themselves usually say the machine's name."""
    return rng.randbytes(16).hex()
