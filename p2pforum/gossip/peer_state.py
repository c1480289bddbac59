"""What the service holds for its peers: no awaiting here, only the events that other files await."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from p2pforum.gossip.echo import Echoes
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.rpc_queue import RpcQueue
from p2pforum.gossip.validation_queue import ValidationQueue
from p2pforum.gossip.wire.rpc import Message, Rpc, decode_rpc, encode_publish, encode_rpc
from p2pforum.network.bell import Bell
from p2pforum.network.interface import Account, Connection, PeerID

_REOPEN_FIRST, _REOPEN_LAST = 0.2, 30.0  # seconds


@dataclass(eq=False, slots=True)
class PeerState:
    """`scope` is its sending task, `session` the outbound stream, `inbound` the newest inbound one.
    `known_by`: the connection that existed when this was made."""

    peer: PeerID
    known_by: Connection
    account: Account
    queue: RpcQueue = field(default_factory=RpcQueue)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    session: trio.CancelScope = field(default_factory=trio.CancelScope)
    inbound: trio.CancelScope = field(default_factory=trio.CancelScope)
    is_cut: bool = False
    greeted: bool = False
    failures: int = 0  # to open a stream, in a row
    wake: Bell = field(default_factory=Bell)  # rung when something is put into the queue
    half_read: int = 0  # bytes of an incomplete RPC

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


class PeerStates:
    """All of them, and what they share: the queues to the door, and the counts."""

    def __init__(self) -> None:
        self.sent = 0
        self.dropped = 0
        self.echoes = Echoes()
        self.work = Bell()  # rung when posts wait for the door
        self.room = trio.lowlevel.ParkingLot()  # woken when posts were taken to the door
        self.progress = trio.lowlevel.ParkingLot()  # woken when a queue got shorter
        self._states: dict[PeerID, PeerState] = {}
        self._validation = ValidationQueue()
        self._encode = functools.lru_cache(512)(encode_publish)  # one message goes to several peers

    def __iter__(self) -> Iterator[PeerState]:
        return iter(list(self._states.values()))

    def __len__(self) -> int:
        return len(self._states)

    def get(self, peer: str) -> PeerState | None:
        return self._states.get(PeerID(peer))

    def add(self, peer: PeerID, connection: Connection, account: Account) -> PeerState:
        state = self._states[peer] = PeerState(peer, connection, account)
        return state

    def remove(self, peer: PeerID) -> list[bytes]:
        """The peer is gone. Returns messages that only this peer brought, and that will not be judged."""
        self._states.pop(peer).cut()
        return self._validation.remove_peer(peer)

    def clear(self) -> None:
        for state in self:
            self.remove(state.peer)

    # -- out -------------------------------------------------------------------------------------------

    def post(self, peers: tuple[str, ...], message: Message) -> None:
        entry = self._encode(message)
        for peer in peers:
            if (state := self.get(peer)) is not None and self._count(state, state.queue.add_message(entry)):
                self.echoes.sent(peer, message)

    def post_control(self, peer: str, rpc: Rpc) -> None:
        state = self.get(peer)
        if state is not None and self._count(state, state.queue.add_control(encode_rpc(rpc))):
            self.echoes.offered(peer, rpc)

    def post_asked(self, peer: str, ids: tuple[bytes, ...]) -> None:
        """Queue what this peer asked for, to be fetched when there is room."""
        if (state := self.get(peer)) is not None:
            self.dropped += len(ids) - state.queue.add_asked(ids)
            self._settle(state)
            state.wake.ring()

    def fetch_asked(self, state: PeerState, kept: Callable[[bytes], Message | None]) -> None:
        """Call it before taking from the peer's queue."""

        def fetch(message_id: bytes) -> bytes | None:
            if (message := kept(message_id)) is None:
                return None
            self.echoes.sent(state.peer, message)
            return self._encode(message)

        state.queue.fetch_asked(fetch)
        self._settle(state)

    def _count(self, state: PeerState, taken: bool) -> bool:
        if taken:
            self._settle(state)
            state.wake.ring()
        else:
            self.dropped += 1
        return taken

    def written(self, state: PeerState, messages: int) -> None:
        state.queue.confirm()
        self._settle(state)
        state.failures = 0
        self.sent += messages
        self.progress.unpark_all()

    # -- in --------------------------------------------------------------------------------------------

    def read(self, state: PeerState, body: bytes) -> Rpc:
        """Decode an RPC. Raises RemoteProtocolError."""
        rpc = decode_rpc(body)
        self.echoes.heard(state.peer, rpc)
        return rpc

    def enqueue(self, validate: Validate) -> bool:
        """Queue a post for the door. False if its peer is gone, and no other peer has brought it."""
        if (state := self.get(validate.peer)) is None:
            return validate.is_again
        self._validation.add(validate)
        self._settle(state)
        self.work.ring()
        return True

    def note_half_read(self, state: PeerState, size: int) -> None:
        """How many bytes of an incomplete RPC this peer has sent."""
        state.half_read = size
        self._settle(state)

    def recount(self, state: PeerState, account: Account) -> None:
        """The peer has another connection, so count what is kept on a new account.

        A peer that was cut for what it held may be back before this file learns of the cut, and its old
        account stays closed.
        """
        state.account.close()
        state.account = account
        self._settle(state)

    def _settle(self, state: PeerState) -> None:
        """Report how much is kept for this peer."""
        state.account.set(state.queue.held + state.half_read + self._validation.cost(state.peer))

    def is_full(self, state: PeerState) -> bool:
        """Whether the node must not read from this peer until the door has judged what it sent."""
        return self._validation.is_full(state.peer)

    def next_batch(self) -> list[Validate]:
        """The next posts for the door. Wakes the readers that wait for room."""
        waiting = [state for state in self if self._validation.cost(state.peer)]
        batch = self._validation.next_batch()
        for state in waiting:
            self._settle(state)
        self.room.unpark_all()
        if len(self._validation):
            self.work.ring()
        return batch
