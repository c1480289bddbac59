"""The stem over streams: the router's effects carried out, the only file here that awaits.

The node answers a frame as soon as it has read it, before it looks at more than the frame's class. So neither
the answer nor its time tells a peer how the frame was treated. `Publication` decides how a post is published.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost, RemoteProtocolError, StoreError
from p2pforum.core.post import decode
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import Door
from p2pforum.network.bell import Bell
from p2pforum.network.groups import network_group
from p2pforum.network.interface import PEER_LOST, Connection, Direction, Network, PeerID, connection_to
from p2pforum.stem.counts import StemCounts, StemView
from p2pforum.stem.pool import OWN
from p2pforum.stem.recruits import Recruits
from p2pforum.stem.router import Fluff, Probe, RelayPost, StemRouter
from p2pforum.stem.wire import ANSWER, decode_frame, encode_cover, encode_frame, size_of

log = logging.getLogger(__name__)

_FAULT = "a fault in the stem"  # in this program


class Publication(Protocol):
    """Takes posts whose stem has ended: outbound_posts.StemPublication."""

    async def public(self, ids: Sequence[bytes]) -> set[bytes]:
        """Those of these posts that are released."""
        ...

    async def fluff(self, fluffs: Sequence[Fluff]) -> None:
        """Publish these, and release them. Raises StoreError."""
        ...

    def handed(self, peer: PeerID, raw: bytes) -> None:
        """A guard has taken this own post."""
        ...


class StemService:
    """Create it before peers connect, then `run`. `save` writes the guards, as text, to disk."""

    def __init__(
        self,
        network: Network,
        door: Door,
        router: StemRouter,
        publication: Publication,
        save: Callable[[str], Awaitable[None]],
    ) -> None:
        self._network = network
        self._params = door.params
        self._door = door
        self._publication = publication
        self._save = save
        self.router = router  #: for questions only
        self.recruits = Recruits(router, door.now, self._takes)
        self._saved = router.guards.encode()
        self._judging: set[bytes] = set()  # peers' posts that the door judges now
        self._at_door: Counter[PeerID] = Counter()  # how many of them each peer sent
        self._fluffing: set[bytes] = set()  # posts on their way to gossip
        self._known: dict[PeerID, Connection] = {}  # the connection by which the router knows each peer
        self._counts = StemCounts()
        self._wake = Bell()
        self._nursery: trio.Nursery | None = None
        network.set_handler(door.params.stem_protocol, self._on_stream)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part until cancelled."""
        try:
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._watch)
                self._nursery.start_soon(self._work)
                task_status.started()
        finally:
            self._nursery = None

    def originate(self, raws: Sequence[bytes]) -> None:
        """Send own posts that are kept and not released. Call it again later for those without room. Raises
        InvalidPost."""
        for raw in raws:
            post = decode(raw, self._params)
            now = trio.current_time()
            if post.id not in self._judging and not self.router.originate(post.id, raw, now, post.author):
                break
        self._wake.ring()

    def unsent(self, raws: Sequence[bytes]) -> list[bytes]:
        """Of kept, unreleased posts those that are not on their way yet. Raises InvalidPost."""
        named = [(decode(raw, self._params).id, raw) for raw in raws]
        under_way = self._judging | self._fluffing
        return [raw for name, raw in named if name not in under_way and not self.router.holds(name)]

    def withdraw(self, post_id: bytes) -> bool:
        """Whether a kept post may still be removed; if so, it is no longer on its way."""
        return post_id not in self._judging | self._fluffing and self.router.withdraw(post_id)

    def view(self) -> StemView:
        guards = {guard.peer for guard in self.router.guards.kept}
        there = guards & {connection.peer for connection in self._network.connections()}
        return StemView(self.router.own, self.router.relayed, len(guards), len(there), self._counts)

    # -- peers ---------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        async for event in self._network.watch():
            self._look(event.connection.peer)
            self._wake.ring()

    def _look(self, peer: PeerID) -> None:
        """Tell the router of the peer's connection. Events may be old when they are read, and a stream may
        come first, so what counts is the state now. On a new connection a peer must show again that it takes
        frames."""
        connection = connection_to(self._network, peer)
        if connection is None:
            self._known.pop(peer, None)
            self.router.remove_peer(peer)
        elif self._known.get(peer) is not connection:
            self._known[peer] = connection
            outbound = connection.direction is Direction.OUTBOUND
            group = network_group(connection.address)
            self.router.add_peer(peer, trio.current_time(), outbound=outbound, group=group)

    # -- frames in -----------------------------------------------------------------------------------

    async def _on_stream(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        frame = await _receive_frame(stream)
        await stream.send_all(ANSWER)
        if self._nursery is not None:
            self._nursery.start_soon(self._take, peer, frame)

    async def _take(self, peer: PeerID, frame: bytes) -> None:
        self._look(peer)
        if not self.router.may_send(peer, trio.current_time()):
            self._counts.excess += 1
            return
        try:
            raw = decode_frame(frame)
            if raw is None:
                self._counts.cover += 1
            else:
                await self._judge(peer, raw)
        except (RemoteProtocolError, InvalidPost):
            self._counts.invalid += 1
            log.info("dropped a peer: its stem frame held no valid post")
            await trio.sleep(limits.STEM_DROP_SECONDS)
            await self._network.ban(peer)
        except StoreError as error:
            log.error("the store takes nothing: %s", error)
        except Exception:
            log.exception(_FAULT)

    async def _judge(self, peer: PeerID, raw: bytes) -> None:
        """Judge a post and hand it to the router. Raises InvalidPost or StoreError.

        Only identical bytes are not judged again. If a known post ID were enough, a peer could send a copy
        with a bad signature and learn, because it is not banned, that this node holds the post.
        """
        self._counts.received += 1
        post_id = decode(raw, self._params).id
        if not self.router.holds(post_id, raw):
            if self._at_door[peer] >= limits.STEM_JUDGED:
                self._counts.excess += 1
                return
            self._judging.add(post_id)
            self._at_door[peer] += 1
            try:
                (verdict,) = await self._door.ingest([raw], Origin.STEM)
            finally:
                self._judging.discard(post_id)
                self._at_door -= Counter([peer])  # drops peers whose count is 0
            if verdict.outcome is Outcome.INVALID:
                raise InvalidPost(verdict.reason)
            if verdict.outcome is not Outcome.STORED and not self.router.holds(post_id):
                return  # the post is public already, or this node may not keep it now
        self.router.on_post(peer, post_id, raw, trio.current_time())
        self._wake.ring()

    # -- effects -------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            try:
                await self._step()
            except StoreError as error:
                log.error("the store does not answer: %s", error)
            except Exception:
                log.exception(_FAULT)
            wait = min(limits.STEM_LOOK_SECONDS, self.router.next_wake() - trio.current_time())
            with trio.move_on_after(max(wait, 0.001)):
                await self._wake.heard()

    async def _step(self) -> None:
        """Carry out what is due. The router must learn what has become public just before each decision, so
        that is looked up first."""
        assert self._nursery is not None
        self.router.maintain_guards(self._door.now(), trio.current_time())
        if (text := self.router.guards.encode()) != self._saved:
            await self._save(text)
            self._saved = text
        if ids := self.router.ids():
            self.router.on_public(await self._publication.public(ids))
        fluffs: list[Fluff] = []
        for effect in self.router.tick(trio.current_time()):
            match effect:
                case RelayPost():
                    self._nursery.start_soon(self._pass, effect)
                case Probe(peer):
                    self._nursery.start_soon(self._probe, peer)
                case Fluff():
                    fluffs.append(effect)
        if fluffs:
            self._counts.fluffed += len(fluffs)
            self._fluffing |= {fluff.post_id for fluff in fluffs}
            self._nursery.start_soon(self._fluff, fluffs)

    async def _fluff(self, fluffs: Sequence[Fluff]) -> None:
        try:
            await self._publication.fluff(fluffs)
        except StoreError as error:
            log.error("the store releases nothing: %s", error)
        except Exception:
            log.exception(_FAULT)
        finally:
            self._fluffing -= {fluff.post_id for fluff in fluffs}

    async def _pass(self, effect: RelayPost) -> None:
        if await self._send(effect.peer, encode_frame(effect.raw)):
            self._counts.sent += 1
            if effect.edge == OWN:
                self._publication.handed(PeerID(effect.peer), effect.raw)
        else:
            self.router.on_failure(effect, trio.current_time())
        self._wake.ring()

    async def _probe(self, peer: str) -> None:
        await self._takes(PeerID(peer))
        self._wake.ring()

    async def _takes(self, peer: PeerID) -> bool:
        self._look(peer)
        if taken := await self._send(peer, encode_cover()):
            return taken
        self.router.on_silence(peer, trio.current_time())
        return False

    async def _send(self, peer: str, frame: bytes) -> bool:
        """Whether the peer took the frame. Its answer does not say how it treated it."""
        try:
            with trio.fail_after(limits.STEM_SEND_SECONDS):
                async with await self._network.open_stream(
                    PeerID(peer), self._params.stem_protocol
                ) as stream:
                    await stream.send_all(frame)
                    await _receive(stream, len(ANSWER))
        except (*PEER_LOST, trio.TooSlowError, RemoteProtocolError):
            self._counts.failed += 1
            return False
        except Exception:
            log.exception(_FAULT)
            return False
        self.router.on_answer(peer)
        return True


async def _receive_frame(stream: trio.abc.Stream) -> bytes:
    with trio.move_on_after(limits.STEM_READ_SECONDS):
        head = await _receive(stream, 1)
        return head + await _receive(stream, size_of(head[0]) - 1)
    raise RemoteProtocolError("a stem frame that did not come in time")


async def _receive(stream: trio.abc.Stream, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        chunk = await stream.receive_some(size - len(received))
        received += chunk
        if not chunk:
            raise RemoteProtocolError("a stem stream that ended early")
    return bytes(received)
