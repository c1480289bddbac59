"""Addresses of the in-memory network: /memory/NAME/p2p/PEER, or one as on the internet."""

from p2pforum.core.errors import NetworkError
from p2pforum.network.interface import PeerID


def parse_memory_address(address: str) -> tuple[str, PeerID]:
    """The address without its peer ID, and the peer ID. Raises NetworkError."""
    match address.split("/"):
        case ["", "memory", name, "p2p", peer] if name and peer:
            return f"/memory/{name}", PeerID(peer)
        case ["", "ip4" | "ip6" as kind, host, "tcp", port, "p2p", peer]:
            return f"/{kind}/{host}/tcp/{port}", PeerID(peer)
        case _:
            pass
    raise NetworkError(f"not an address: {address} (expected /memory/NAME/p2p/PEER)")
