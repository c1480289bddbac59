"""How an own post leaves: counted while the front end that handed it in waits for the answer, then forgotten.

Peers are told apart only inside an Echo, which lives as long as one request; what comes out are counts.
Nothing here remembers a post or a peer after that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from p2pforum.gossip.seen import message_id
from p2pforum.gossip.views import Spread
from p2pforum.gossip.wire.rpc import Message, Rpc


@dataclass(slots=True)
class Echo:
    """Who was handed one message by us, whom we told that we have it, and who had it for us."""

    handed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)

    def counts(self) -> Spread:
        """`told` are those that were not handed it as well."""
        return Spread(len(self.handed), len(self.told - self.handed), len(self.heard))


class Echoes:
    """Those that are listened for now: nearly always none, and then each call costs a look at a dict."""

    def __init__(self) -> None:
        self._open: dict[bytes, Echo] = {}

    @contextmanager
    def listen(self, data: bytes) -> Iterator[Echo]:
        """From before the message leaves. One at a time for a message: the first to ask counts."""
        name, echo = message_id(data), Echo()
        is_first = self._open.setdefault(name, echo) is echo
        try:
            yield echo
        finally:
            if is_first:
                del self._open[name]

    def sent(self, peer: str, message: Message) -> None:
        """We put the message into what goes to that peer."""
        if self._open and (echo := self._open.get(message_id(message.data))):
            echo.handed.add(peer)

    def offered(self, peer: str, rpc: Rpc) -> None:
        """We tell that peer what we have."""
        for name in self._named(rpc):
            self._open[name].told.add(peer)

    def heard(self, peer: str, rpc: Rpc) -> None:
        """That peer sent us messages, or told us what it has."""
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
