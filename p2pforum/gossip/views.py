"""What may be shown of gossip: counts, and a peer's score. Neither identifies a post."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Messages since the start. No count says which message, or from which peer."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    ignored: int = 0  # the store had it already, it was too early, or this node does not keep it
    invalid: int = 0
    authored: int = 0  # refused because they named an author
    foreign: int = 0  # in a foreign topic
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
    """How an own post spread, as counts of peers: sent it by this node; only told that this node has it; had
    it to offer or send to this node."""

    handed: int
    told: int
    heard: int


@dataclass(frozen=True, slots=True)
class GossipStatistics:
    """A snapshot for `p2pforum status`: the router's counts with what streams and queues did."""

    peers: int
    mesh_peers: int  # to which posts are pushed
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
    sent: int  # messages written to streams
    dropped: int  # messages, because a peer's queue was full; sync brings them
    expelled: int  # peers that were banned
