"""Gossip over streams: the router's effects carried out. Here and in sender.py gossip awaits.

Each peer has one outbound stream, written by one task, and one inbound stream, read by another. A slow peer
loses messages (sync brings them); a fast one is made to wait.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from random import Random

import trio

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError, StoreError
from p2pforum.core.verdict import Origin
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.own import readable
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.peer_state import PeerState, PeerStates
from p2pforum.gossip.router import Router
from p2pforum.gossip.sender import RpcSender
from p2pforum.gossip.views import GossipStatistics, PeerView
from p2pforum.gossip.wire.framing import FrameSplitter
from p2pforum.ingest import Door, Verdict
from p2pforum.network.groups import address_group
from p2pforum.network.interface import (
    PEER_LOST,
    Connected,
    Connection,
    ConnectionEvent,
    Direction,
    Network,
    PeerID,
    connection_to,
)

log = logging.getLogger(__name__)

_FAULT = "a fault in gossip"  # in this program

PROTOCOL = "/meshsub/1.1.0"
_BYTES_PER_TURN = 8 * limits.KIB  # of RPCs, then other tasks run: at most as many fields as in one RPC
_OWN_PER_TURN = 8  # own posts published before a look at the queues: half of one at most


class GossipService:
    """`release(post_ids)` makes own posts public in the store. Create it before peers connect, then `run`."""

    def __init__(
        self,
        network: Network,
        door: Door,
        rng: Random,
        release: Callable[[Sequence[bytes]], Awaitable[None]],
        *,
        gossip: GossipParams | None = None,
    ) -> None:
        self._network = network
        self._params = door.params
        self._door = door
        self._rng = rng
        self._release = release
        self._router = self.router = Router(door.params.topic, rng, gossip)
        self._states = PeerStates()
        self._sender = RpcSender(network, PROTOCOL, self._router, self._states)
        self.echoes = self._states.echoes  #: counts how own posts spread, while a front end waits for it
        self._joined = trio.lowlevel.ParkingLot()  # woken when a peer may have subscribed
        self._expelled = 0
        self._nursery: trio.Nursery | None = None
        self._running = trio.Event()
        network.set_handler(PROTOCOL, self._on_stream)
        network.set_worth(self._worth)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled."""
        try:
            async with trio.open_nursery() as self._nursery:
                for task in (self._watch, self._judge, self._beat):
                    self._nursery.start_soon(task)
                self._running.set()
                task_status.started()
        finally:
            self._nursery = None
            self._states.clear()

    async def originate(self, raws: Sequence[bytes]) -> None:
        """Release and publish own posts that are kept and not yet released.

        A post that no peer would take now stays as it is, and so do bytes that are no post. Raises StoreError
        if they can't be released; then they have not been sent.
        """
        await self._running.wait()
        for start in range(0, len(raws), _OWN_PER_TURN):
            await self._publish(raws[start : start + _OWN_PER_TURN])
            await self._pace()

    async def wait_for_taker(self) -> None:
        """Until there is a peer to take an own post."""
        await self._running.wait()
        while not self.has_taker:
            await self._joined.park()

    @property
    def has_taker(self) -> bool:
        return self._router.has_taker(trio.current_time())

    async def _publish(self, raws: Sequence[bytes]) -> None:
        posts = readable(raws, self._params)
        if not posts or not self.has_taker:
            return
        await self._release([post.id for post in posts])  # first: see Router.originate
        for post in posts:
            self._perform(self._router.originate(post.raw, trio.current_time()))

    def statistics(self) -> GossipStatistics:
        return GossipStatistics(
            peers=len(self._states),
            mesh_peers=sum(view.is_in_mesh for view in self.peers().values()),
            sent=self._states.sent,
            dropped=self._states.dropped,
            expelled=self._expelled,
            **asdict(self._router.counts),
        )

    def _worth(self) -> dict[PeerID, float]:
        """How much each peer has brought of late: the network disconnects peers of little worth first."""
        return {peer: view.first for peer, view in self.peers().items()}

    def peers(self) -> dict[PeerID, PeerView]:
        return {state.peer: self._router.view(state.peer, trio.current_time()) for state in self._states}

    # -- effects ---------------------------------------------------------------------------------------

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Forward(peers, message):
                    self._states.post(peers, message)
                case Serve(peer, ids):
                    self._states.post_asked(peer, ids)
                case Send(peer, rpc):
                    self._states.post_control(peer, rpc)
                case Validate(_, name):
                    if not self._states.enqueue(effect):
                        self._router.on_failure([name])
                case Disconnect(peer, reason):
                    self._expelled += 1
                    log.info("dropped a peer: %s", reason)
                    self._cut(PeerID(peer), self._network.ban)

    def _cut(self, peer: PeerID, end: Callable[[PeerID], Awaitable[None]]) -> None:
        self._remove(peer)
        if self._nursery is not None:
            self._nursery.start_soon(end, peer)

    async def _pace(self) -> None:
        """Let queues drain, so that own posts in bulk do not overrun them; a second at most."""
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(1.0):
            while any(state.queue.is_filling for state in self._states):
                await self._states.progress.park()

    # -- peers coming and going ------------------------------------------------------------------------

    async def _watch(self) -> None:
        async for event in self._network.watch():
            self._apply(event)

    def _apply(self, event: ConnectionEvent) -> None:
        """Events may be old when they are read: what counts is which peers are connected now. The stream to a
        peer uses its newest connection, because an older one may be dead, and what is sent on it lost."""
        peer = event.connection.peer
        state = self._states.get(peer)
        if connection_to(self._network, peer) is None:
            self._remove(peer)
        elif state is None:
            self._welcome(peer)
        elif state.known_by is not event.connection or not isinstance(event, Connected):
            if self._join(peer) is not None:
                self._states.recount(state, self._network.account(peer))
            state.renew()

    def _welcome(self, peer: PeerID) -> PeerState | None:
        """The state of a connected peer; None if it is gone, or banned."""
        state = self._states.get(peer)
        if state is not None or self._nursery is None or (connection := self._join(peer)) is None:
            return state
        state = self._states.add(peer, connection, self._network.account(peer))
        self._nursery.start_soon(self._serve, state)
        return state

    def _join(self, peer: PeerID) -> Connection | None:
        """Tell the router by which connection this peer is here. None if it is gone, or banned."""
        c = connection_to(self._network, peer)
        if c is None:
            return None
        outbound, group = c.direction is Direction.OUTBOUND, address_group(c.address)
        refusal = self._router.add_peer(peer, trio.current_time(), outbound=outbound, group=group)
        self._perform(refusal)
        return None if refusal else c

    def _remove(self, peer: PeerID) -> None:
        if self._states.get(peer) is not None:
            self._router.remove_peer(peer, trio.current_time(), self._states.remove(peer))

    # -- streams ---------------------------------------------------------------------------------------

    async def _serve(self, state: PeerState) -> None:
        """Keep an outbound stream open while the peer is connected."""
        with state.scope:
            while (nursery := self._nursery) is not None:
                with trio.CancelScope() as state.session:
                    await self._guarded(state, self._sender.send(state, nursery))
                    await trio.sleep(state.pause(self._rng.random()))
                state.queue.put_back()

    async def _on_stream(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        await self._running.wait()
        if (state := self._welcome(peer)) is None:
            return
        state.inbound.cancel()  # a peer has one inbound stream: the newest
        self._router.on_stream(peer, trio.current_time())
        with trio.CancelScope() as state.inbound:
            await self._guarded(state, self._receive(state, stream))

    async def _receive(self, state: PeerState, stream: trio.abc.Stream) -> None:
        splitter = FrameSplitter()
        await self._wait_for_room(state)
        while chunk := await stream.receive_some(limits.GOSSIP_READ):
            size = 0
            for body in splitter.feed(chunk):
                size += len(body) + 256  # an overhead, because even an empty RPC costs work
                if size > _BYTES_PER_TURN:
                    await trio.lowlevel.checkpoint()
                    size = len(body)
                rpc = self._states.read(state, body)
                self._perform(self._router.on_rpc(state.peer, rpc, trio.current_time()))
                if state.is_cut:
                    return
                if rpc.subscriptions:
                    self._joined.unpark_all()
                await self._wait_for_room(state)
            self._states.note_half_read(state, splitter.held)

    async def _wait_for_room(self, state: PeerState) -> None:
        """Stop reading from a peer whose posts wait for the door: TCP then makes the peer wait, too."""
        while held := self._states.is_full(state):
            self._router.hold(state.peer, held=True)
            await self._states.room.park()
        self._router.hold(state.peer, held=held)

    async def _guarded(self, state: PeerState, work: Awaitable[None]) -> None:
        """Ban for a broken protocol, disconnect for silence or a fault of this program, ignore a lost
        peer."""
        try:
            await work
        except RemoteProtocolError as error:
            self._perform(self._router.on_violation(state.peer, str(error), trio.current_time()))
        except trio.TooSlowError:
            log.info("dropped a peer: it does not read")
            self._cut(state.peer, self._network.disconnect)
        except PEER_LOST:
            pass
        except Exception:
            log.exception(_FAULT)
            self._cut(state.peer, self._network.disconnect)

    # -- the door and the clock ------------------------------------------------------------------------

    async def _judge(self) -> None:
        while True:
            await self._states.work.heard()
            batch, pause = self._states.next_batch(), 0.0
            try:
                verdicts = await self._door.ingest([v.message.data for v in batch], Origin.GOSSIP)
                self._pronounce(batch, verdicts)
            except StoreError as error:
                log.error("the store takes nothing: %s", error)
                pause = 1.0  # the disk may be full, and asking at once would not help
            except Exception:
                log.exception(_FAULT)
            self._router.on_failure(validate.message_id for validate in batch)  # no-op for judged ones
            await trio.sleep(pause)

    def _pronounce(self, batch: Sequence[Validate], verdicts: Sequence[Verdict]) -> None:
        now = trio.current_time()
        for validate, verdict in zip(batch, verdicts, strict=True):
            self._perform(self._router.on_verdict(validate.message_id, verdict.outcome, now))

    async def _beat(self) -> None:
        period = self._router.params.heartbeat
        await trio.sleep(self._rng.random() * period)  # nodes that start together should not beat together
        while True:
            try:
                self._perform(self._router.heartbeat(trio.current_time()))
            except Exception:
                log.exception(_FAULT)
            await trio.sleep(period)
