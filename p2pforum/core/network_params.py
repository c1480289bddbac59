"""What the nodes of one network agree on: it follows from the network's name. Other bounds: limits.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkParams:
    """What every node of one named network agrees on. Two networks never mix.

    `stamp_floor` is in bits (leading zero bits of the stamp's hash); with 0 a post needs no stamp. Posts,
    peer records and protocol IDs commit to the name alone. So all else must follow from the name: nodes get
    their parameters by `params_for`.
    """

    name: str = "p2pforum"
    stamp_floor: int = 10
    stamp_default: int = 14  # about 2 s on one core of 2026
    stamp_first: int = 15  # the first post of a key: prices new keys
    stamp_own_thread: int = 12  # the author of the thread answering in it

    @property
    def post_aad(self) -> bytes:
        """The `external_aad` of every signature. It makes a post of one network invalid in every other."""
        return f"{self.name}/post/1".encode()

    @property
    def sync_protocol(self) -> str:
        return f"/{self.name}/sync/1"

    @property
    def stem_protocol(self) -> str:
        return f"/{self.name}/stem/1"

    @property
    def peer_aad(self) -> bytes:
        """The `external_aad` of peer records. It keeps a record from being taken for a post, and makes a
        record of one network invalid in every other.
        """
        return f"{self.name}/peer/1".encode()

    @property
    def peers_protocol(self) -> str:
        return f"/{self.name}/peers/1"

    @property
    def topic(self) -> str:
        """The one gossip topic. Every node joins it, so subscriptions say nothing about interest."""
        return f"{self.name}/posts/1"


DEFAULT_NETWORK = NetworkParams()


def is_test_network(name: str) -> bool:
    """Whether the name is that of a test network: "test", or one that begins with "test."."""
    return name == "test" or name.startswith("test.")


def params_for(name: str) -> NetworkParams:
    """The parameters of the network called `name`; a test network asks for no stamps."""
    if not is_test_network(name):
        return NetworkParams(name=name)
    return NetworkParams(name, stamp_floor=0, stamp_default=0, stamp_first=0, stamp_own_thread=0)
