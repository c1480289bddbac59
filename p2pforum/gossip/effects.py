"""What the router wants done. The service does it; the simulation does it with only a queue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.gossip.wire.rpc import IHave, Message, Prune, Rpc

# An ID takes 32 bytes and two of protobuf; the KiB is for the topic.
_IDS_PER_RPC = (limits.GOSSIP_RPC - limits.KIB) // 34


@dataclass(frozen=True, slots=True)
class Send:
    """Subscriptions and control parts for one peer."""

    peer: str
    rpc: Rpc


@dataclass(frozen=True, slots=True)
class Forward:
    """One message for several peers. Encode it once."""

    peers: tuple[str, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class Serve:
    """Messages that one peer asked for.

    Look each up by `Router.kept` when there is room to send it, not before: a waiting ID takes little memory,
    and a peer may ask for all that is kept.
    """

    peer: str
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Validate:
    """Ask the door about this message when it is this peer's turn, then call `on_verdict` (or `on_failure`).

    The router repeats it for each other peer that brings the message meanwhile. The message is judged when
    the first of these peers has its turn, so that no post waits behind what a flooding peer brought with it.
    """

    peer: str
    message_id: bytes
    message: Message
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`reason` is for a log and names no peer."""

    peer: str
    reason: str


Effect = Send | Forward | Serve | Validate | Disconnect


@dataclass(slots=True)
class _Draft:
    graft: bool = False
    prune: float | None = None  # seconds of backoff
    ihave: tuple[bytes, ...] = ()


class ControlBatch:
    """Control parts for several peers, collected, then sent as one RPC to each peer."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._drafts: dict[str, _Draft] = {}

    def _draft(self, peer: str) -> _Draft:
        return self._drafts.setdefault(peer, _Draft())

    def graft(self, peer: str) -> None:
        self._draft(peer).graft = True

    def prune(self, peer: str, backoff: float) -> None:
        self._draft(peer).prune = backoff

    def ihave(self, peer: str, ids: Sequence[bytes]) -> None:
        self._draft(peer).ihave += tuple(ids)

    def effects(self) -> list[Effect]:
        return [send for peer, draft in self._drafts.items() for send in self._sends(peer, draft)]

    def _sends(self, peer: str, draft: _Draft) -> Iterator[Send]:
        """One RPC, or several if the IDs do not fit into one."""
        graft = (self._topic,) if draft.graft else ()
        prune = () if draft.prune is None else (Prune(self._topic, round(draft.prune)),)
        first, rest = draft.ihave[:_IDS_PER_RPC], draft.ihave[_IDS_PER_RPC:]
        yield Send(peer, Rpc(graft=graft, prune=prune, ihave=self._offers(first)))
        for start in range(0, len(rest), _IDS_PER_RPC):
            yield Send(peer, Rpc(ihave=self._offers(rest[start : start + _IDS_PER_RPC])))

    def _offers(self, ids: tuple[bytes, ...]) -> tuple[IHave, ...]:
        return (IHave(self._topic, ids),) if ids else ()
