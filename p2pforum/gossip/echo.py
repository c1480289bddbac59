"""How an own post spreads: counted while the front end that handed it in waits for the answer, then
forgotten.

Only an Echo tells peers apart, and it lives as long as one request; its results are counts. After that, this
file remembers no post and no peer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from p2pforum.gossip.seen import message_id
from p2pforum.gossip.views import Spread
from p2pforum.gossip.wire.rpc import Message, Rpc


@dataclass(slots=True)
class Echo:
    """The peers that this node sent one message to, those it told that it has the message, and those that had
    it."""

    handed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)

    def counts(self) -> Spread:
        """`told` counts only peers that were not sent the message as well."""
        return Spread(len(self.handed), len(self.told - self.handed), len(self.heard))


class Echoes:
    """The echoes open now: nearly always none, and then each call costs only a look at a dict."""

    def __init__(self) -> None:
        self._open: dict[bytes, Echo] = {}

    @contextmanager
    def listen(self, data: bytes) -> Iterator[Echo]:
        """Count for this message; begin before it is sent. If two callers listen for one message, the first
        one counts."""
        name, echo = message_id(data), Echo()
        is_first = self._open.setdefault(name, echo) is echo
        try:
            yield echo
        finally:
            if is_first:
                del self._open[name]

    def sent(self, peer: str, message: Message) -> None:
        """This node has queued the message for that peer."""
        if self._open and (echo := self._open.get(message_id(message.data))):
            echo.handed.add(peer)

    def offered(self, peer: str, rpc: Rpc) -> None:
        """This node tells that peer which messages it has."""
        for name in self._named(rpc):
            self._open[name].told.add(peer)

    def heard(self, peer: str, rpc: Rpc) -> None:
        """That peer has sent messages, or has told which it has."""
        if self._open:
            for name in {*self._named(rpc), *self._in(rpc)}:
                self._open[name].heard.add(peer)

    def _named(self, rpc: Rpc) -> list[bytes]:
        if not self._open:
            return []
        return [name for offer in rpc.ihave for name in offer.ids if name in self._open]

    def _in(self, rpc: Rpc) -> list[bytes]:
        names = [message_id(message.data) for message in rpc.publish]
        return [name for name in names if name in self._open]
