"""What the service holds for its peers: no awaiting here, only the things that are awaited."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from p2pforum.gossip.echo import Echoes
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.framing import Outbox
from p2pforum.gossip.judging import Judging
from p2pforum.gossip.wire import Message, Rpc, decode_rpc, encode_publish, encode_rpc
from p2pforum.network.bell import Bell
from p2pforum.network.interface import Account, Connection, PeerID

_REOPEN_FIRST, _REOPEN_LAST = 0.2, 30.0  # seconds


@dataclass(eq=False, slots=True)
class Link:
    """`scope` is its sending task, `session` the outbound stream, `inbound` the newest inbound one.
    `known_by`: the connection that was there when the link was made."""

    peer: PeerID
    known_by: Connection
    account: Account
    outbox: Outbox = field(default_factory=Outbox)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    session: trio.CancelScope = field(default_factory=trio.CancelScope)
    inbound: trio.CancelScope = field(default_factory=trio.CancelScope)
    is_cut: bool = False
    greeted: bool = False
    failures: int = 0  # to open a stream, in a row
    wake: Bell = field(default_factory=Bell)  # something is in the outbox
    half_read: int = 0  # bytes of an RPC that is not whole

    def pause(self, luck: float) -> float:
        """Seconds before a stream is opened again. `luck` is from 0 to 1."""
        longest = min(_REOPEN_LAST, _REOPEN_FIRST * 2.0 ** min(self.failures, 20))
        self.failures += 1
        return longest * (1 + luck) / 2

    def renew(self) -> None:
        """Open the stream anew, at once."""
        self.failures = 0
        self.session.cancel()

    def cut(self) -> None:
        self.account.close()
        self.is_cut = True
        self.scope.cancel()
        self.inbound.cancel()


class Links:
    """All of them, with what they share: the turns at the door, and the counts."""

    def __init__(self) -> None:
        self.sent = 0
        self.dropped = 0
        self.echoes = Echoes()
        self.work = Bell()  # somebody has posts for the door
        self.room = trio.lowlevel.ParkingLot()  # some of these have been taken to it
        self.progress = trio.lowlevel.ParkingLot()  # somebody's outbox got shorter
        self._links: dict[PeerID, Link] = {}
        self._judging = Judging()
        self._encode = functools.lru_cache(512)(encode_publish)  # one message goes to several peers

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._links.values()))

    def __len__(self) -> int:
        return len(self._links)

    def get(self, peer: str) -> Link | None:
        return self._links.get(PeerID(peer))

    def add(self, peer: PeerID, connection: Connection, account: Account) -> Link:
        link = self._links[peer] = Link(peer, connection, account)
        return link

    def remove(self, peer: PeerID) -> list[bytes]:
        """What nobody but this peer had brought to be judged, and will not be."""
        self._links.pop(peer).cut()
        return self._judging.drop(peer)

    def clear(self) -> None:
        for link in self:
            self.remove(link.peer)

    # -- out -------------------------------------------------------------------------------------------

    def post(self, peers: tuple[str, ...], message: Message) -> None:
        entry = self._encode(message)
        for peer in peers:
            if (link := self.get(peer)) is not None and self._count(link, link.outbox.add_message(entry)):
                self.echoes.sent(peer, message)

    def post_control(self, peer: str, rpc: Rpc) -> None:
        link = self.get(peer)
        if link is not None and self._count(link, link.outbox.add_control(encode_rpc(rpc))):
            self.echoes.offered(peer, rpc)

    def post_asked(self, peer: str, ids: tuple[bytes, ...]) -> None:
        """What this peer asked for, to be fetched when there is room."""
        if (link := self.get(peer)) is not None:
            self.dropped += len(ids) - link.outbox.add_asked(ids)
            self._settle(link)
            link.wake.ring()

    def fetch_asked(self, link: Link, kept: Callable[[bytes], Message | None]) -> None:
        """Before its outbox is taken from."""

        def fetch(message_id: bytes) -> bytes | None:
            if (message := kept(message_id)) is None:
                return None
            self.echoes.sent(link.peer, message)
            return self._encode(message)

        link.outbox.fetch_asked(fetch)
        self._settle(link)

    def _count(self, link: Link, taken: bool) -> bool:
        if taken:
            self._settle(link)
            link.wake.ring()
        else:
            self.dropped += 1
        return taken

    def written(self, link: Link, messages: int) -> None:
        link.outbox.confirm()
        self._settle(link)
        link.failures = 0
        self.sent += messages
        self.progress.unpark_all()

    # -- in --------------------------------------------------------------------------------------------

    def read(self, link: Link, body: bytes) -> Rpc:
        """Raises RemoteProtocolError."""
        rpc = decode_rpc(body)
        self.echoes.heard(link.peer, rpc)
        return rpc

    def enqueue(self, validate: Validate) -> bool:
        """False if that peer is gone."""
        if (link := self.get(validate.peer)) is None:
            return validate.is_again
        self._judging.add(validate)
        self._settle(link)
        self.work.ring()
        return True

    def note_half_read(self, link: Link, size: int) -> None:
        """Bytes of an RPC that is not whole."""
        link.half_read = size
        self._settle(link)

    def recount(self, link: Link, account: Account) -> None:
        """Its peer has another connection: who was cut for what it held may be back before that was seen,
        and its old account stays closed."""
        link.account.close()
        link.account = account
        self._settle(link)

    def _settle(self, link: Link) -> None:
        """Say what is kept for this peer."""
        link.account.set(link.outbox.held + link.half_read + self._judging.cost(link.peer))

    def is_full(self, link: Link) -> bool:
        """Whether this peer must wait until the door has seen what it sent."""
        return self._judging.is_full(link.peer)

    def next_batch(self) -> list[Validate]:
        waiting = [link for link in self if self._judging.cost(link.peer)]
        batch = self._judging.next_batch()
        for link in waiting:
            self._settle(link)
        self.room.unpark_all()
        if len(self._judging):
            self.work.ring()
        return batch
