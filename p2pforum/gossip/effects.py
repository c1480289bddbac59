"""What the router wants done. The service does it; the simulation does it with nothing but a queue."""

from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.gossip.wire import IHave, Message, Prune, Rpc

_IDS_PER_RPC = (
    limits.GOSSIP_RPC - 4 * limits.KIB
) // 34  # 32 bytes and two of protobuf; the rest is for topics


@dataclass(frozen=True, slots=True)
class Send:
    """Subscriptions and control parts for one peer."""

    peer: str
    rpc: Rpc


@dataclass(frozen=True, slots=True)
class Forward:
    """One message for several peers: encode it once."""

    peers: tuple[str, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class Validate:
    """Ask the door about this, then call `on_verdict` (or `on_failure`). `peer` brought it first."""

    peer: str
    message_id: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`reason` is for a log and names no peer."""

    peer: str
    reason: str


Effect = Send | Forward | Validate | Disconnect


@dataclass(slots=True)
class _Draft:
    graft: list[str] = field(default_factory=list)
    prune: list[Prune] = field(default_factory=list)
    ihave: list[IHave] = field(default_factory=list)


class Drafts:
    """Control parts for several peers, gathered topic by topic, sent as one RPC to each peer."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}

    def _draft(self, peer: str) -> _Draft:
        return self._drafts.setdefault(peer, _Draft())

    def graft(self, peer: str, topic: str) -> None:
        self._draft(peer).graft.append(topic)

    def prune(self, peer: str, topic: str, backoff: float) -> None:
        self._draft(peer).prune.append(Prune(topic, round(backoff)))

    def ihave(self, peer: str, topic: str, ids: tuple[bytes, ...]) -> None:
        self._draft(peer).ihave.append(IHave(topic, ids))

    def effects(self) -> list[Effect]:
        sends: list[Effect] = []
        for peer, draft in self._drafts.items():
            first, *others = _portions(draft.ihave)
            sends.append(Send(peer, Rpc(graft=tuple(draft.graft), prune=tuple(draft.prune), ihave=first)))
            sends += [Send(peer, Rpc(ihave=portion)) for portion in others]
        return sends


def _portions(offers: list[IHave]) -> list[tuple[IHave, ...]]:
    """The offers, cut so that each portion fits into one RPC; one empty portion if there are none."""
    portions: list[tuple[IHave, ...]] = []
    current: list[IHave] = []
    room = _IDS_PER_RPC
    for offer in offers:
        ids = offer.ids
        while len(ids) > room:
            current.append(IHave(offer.topic, ids[:room]))
            portions.append(tuple(current))
            ids, current, room = ids[room:], [], _IDS_PER_RPC
        current.append(IHave(offer.topic, ids))
        room -= len(ids)
    return [*portions, tuple(current)]


class Pending:
    """A message being validated, and who has brought it meanwhile in which topic, the first first."""

    __slots__ = ("message", "senders")

    def __init__(self, message: Message, peer: str) -> None:
        self.message = message
        self.senders = {peer: message.topic}
