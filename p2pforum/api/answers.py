"""What the node says of itself, its peers and a sync: the one definition, for the node and its front ends.

docs/json/ has a JSON Schema of each. Front ends read the keys that are named here; what is only counted for
people to look at is a `dict[str, int]`, and may change.
"""

from typing import Annotated, NotRequired, TypedDict


class BookStatus(TypedDict):
    """The address book."""

    new: Annotated[int, "addresses that peers told"]
    tried: Annotated[int, "addresses where a peer answered"]
    outbound: Annotated[int, "connections that this node made"]
    wanted: Annotated[int, "connections that this node wants to make"]


class StemStatus(TypedDict):
    """Posts on their way by a detour that hides where they started."""

    own: Annotated[int, "handed in here; after a restart: all that are kept and not public"]
    relayed: int
    guards: Annotated[int, "that are kept, of all slots"]
    guards_connected: int
    counts: Annotated[dict[str, int], "since the start"]


class LanStatus(TypedDict):
    """The local network."""

    told: Annotated[int, "own addresses that are told now"]
    found: int


class ClockStatus(TypedDict):
    """This machine's clock, beside those of peers."""

    peers_ahead: Annotated[
        int | None, "by how many hours, the median of those dialled; null: none has said it"
    ]
    confirmed: Annotated[bool, "a peer said the same hour, and most that this node dialled don't contradict"]
    problem: Annotated[str | None, "why it can't be right"]


class NodeStatus(TypedDict):
    """A running node."""

    version: str
    network: str
    peer_id: str
    addresses: Annotated[list[str], "where others can reach it"]
    announced: Annotated[list[str], "addresses that it tells everybody"]
    proxy: Annotated[str | None, "through which it dials"]
    peers: Annotated[int, "that are connected"]
    uptime: Annotated[int, "seconds"]
    trouble: Annotated[str | None, "why the last posts that came could not be kept"]
    gossip: Annotated[dict[str, int], "messages, since the start"]
    stem: StemStatus
    book: BookStatus
    exchange: Annotated[dict[str, int] | None, "of addresses, since the start; null: it takes no part"]
    lan: Annotated[LanStatus | None, "null: it does not look there"]
    clock: ClockStatus


class GossipStanding(TypedDict):
    """A peer's standing in gossip."""

    is_in_mesh: Annotated[bool, "this node pushes posts to it"]
    is_subscribed: bool
    score: float
    first: Annotated[float, "new posts that it was the first to bring; old ones fade"]


class PeerStatus(TypedDict):
    """A peer that is connected, or that is wanted and is not."""

    peer: Annotated[str | None, "its ID; null while it is not connected"]
    direction: Annotated[str, "outbound or inbound"]
    address: str
    stage: Annotated[str, "connected, dialling or waiting"]
    named: Annotated[bool, "by the config file, an invite or --peer"]
    error: Annotated[str | None, "why it could not be reached"]
    gossip: Annotated[GossipStanding | None, "null while it takes no part in gossip"]


class SyncSums(TypedDict):
    """A sync so far, over all its peers."""

    peers: int
    wanted: Annotated[int, "posts asked for"]
    got: Annotated[int, "posts that came"]
    new: Annotated[int, "posts that came and were kept"]
    sent: Annotated[int, "posts"]
    bytes: Annotated[int, "both ways"]


class SyncedPeer(TypedDict):
    """One peer's part in a sync."""

    peer: str
    outcome: Annotated[str, "done, or why it ended before"]
    left: NotRequired[Annotated[int, "things left for another session"]]
    error: NotRequired[str]


class SyncResult(SyncSums):
    """What came of a sync."""

    done: Annotated[int, "peers with whom all went well"]
    sessions: list[SyncedPeer]


class SyncStep(TypedDict):
    """A line of a sync: its state so far, or, as the last line, what came of it."""

    progress: NotRequired[SyncSums]
    result: NotRequired[SyncResult]


class Version(TypedDict):
    """Which program answers."""

    version: str
    api: int
