"""The controls: a router and a door that share one table among all, and blame peers for what is no fault."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import trio
from gossip_nodes import InlineDoor

from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import decode
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.gossip import sender
from p2pforum.gossip.effects import Effect
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.service import GossipService
from p2pforum.gossip.wire.rpc import Message
from p2pforum.ingest import Verdict, check_time
from p2pforum.network.interface import ConnectionEvent, connection_to
from p2pforum.network.roster import Roster

TABLE = 4_096  # messages judged at once, of all peers together
FREE = 100.0  # posts that are not kept, beyond those that are, before they count
BLAME = 0.005  # misbehaviour for each one more


class NaiveRouter(Router):
    """First come, first served; and what is not kept counts against who brought it, whatever the reason."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.overflow = 0
        self._unkept: Counter[str] = Counter()

    def _on_message(self, peer: str, message: Message, now: float) -> list[Effect]:
        if len(self._in_flight) >= TABLE and message_id(message.data) not in self._in_flight:
            self.overflow += 1
            return []
        return super()._on_message(peer, message, now)

    def on_verdict(self, name: bytes, outcome: Outcome, *others: Any) -> list[Effect]:
        pending, now = self._in_flight.get(name), others[-1]
        effects = super().on_verdict(name, outcome, *others)
        if pending is not None and outcome not in (Outcome.DUPLICATE, Outcome.INVALID):
            for peer in pending.senders:
                step = -1 if outcome is Outcome.STORED else 1
                self._unkept[peer] = max(0, self._unkept[peer] + step)
                if self._unkept[peer] > FREE:
                    self._scores.misbehaved(peer, now, BLAME)
                    effects += self._judge(peer, now)
        return effects


class HourFirstDoor(InlineDoor):
    """It does not look at signature or stamp of a post of a wrong hour, so that those cost nothing."""

    def ingest_now(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        verdicts: list[Verdict | None] = [self._hour_of(raw, origin) for raw in raws]
        others = [raw for raw, verdict in zip(raws, verdicts, strict=True) if verdict is None]
        judged = iter(super().ingest_now(others, origin))
        return [verdict or next(judged) for verdict in verdicts]

    def _hour_of(self, raw: bytes, origin: Origin) -> Verdict | None:
        try:
            post = decode(raw, self.params)
        except InvalidPost:
            return None
        now = self.now()
        outcome = check_time(post.payload.hour, now, origin, now - self.retention_hours)
        return None if outcome is None else Verdict(outcome, post)


def go_by_first_and_last(put: Callable[[object, str, object], object]) -> None:
    """The first and the last connection of a peer are events, and a stream is found dead by writing to it."""

    def first_and_last(service: GossipService, event: ConnectionEvent) -> None:
        peer = event.connection.peer
        if connection_to(service._network, peer) is None:
            service._remove(peer)
        elif service._states.get(peer) is None:
            service._welcome(peer)

    async def nobody_looks(*_: object) -> None:
        await trio.lowlevel.checkpoint()

    put(GossipService, "_apply", first_and_last)
    put(sender, "_cancel_when_lost", nobody_looks)
    put(Roster, "outlived_by", lambda *_: [])
