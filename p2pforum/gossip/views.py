"""What may be shown of gossip: counts, and a peer's standing. No post can be told from either."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Messages, since the start. Nothing here says which, or from whom."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    ignored: int = 0  # known to the store already, too early, or not kept here
    invalid: int = 0
    authored: int = 0  # refused because they named an author
    foreign: int = 0  # in a topic that is not ours
    originated: int = 0
    asked: int = 0
    served: int = 0


@dataclass(frozen=True, slots=True)
class PeerView:
    """What may be shown of a peer."""

    is_in_mesh: bool
    is_subscribed: bool
    score: float
    first: float  # new valid posts that it was the first to bring, old ones fading


@dataclass(frozen=True, slots=True)
class Spread:
    """How an own post left, as counts of peers: handed it by us, only told that we have it, had it for us."""

    handed: int
    told: int
    heard: int


@dataclass(frozen=True, slots=True)
class GossipStatistics:
    """A snapshot for `p2pforum status`: the router's counts with what streams and queues did."""

    peers: int
    mesh_peers: int  # pushed to
    received: int
    accepted: int
    duplicates: int
    ignored: int
    invalid: int
    authored: int
    foreign: int
    originated: int
    asked: int
    served: int
    sent: int  # handed to streams
    dropped: int  # because a peer's queue was full; sync brings them
    expelled: int  # peers
