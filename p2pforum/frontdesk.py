"""The API's backend: what a front end may ask of a running node (`ApiBackend` says what answers mean)."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import trio

from p2pforum import __version__
from p2pforum.api.answers import (
    BookStatus,
    ClockStatus,
    GossipStanding,
    NodeStatus,
    PeerStatus,
    StemStatus,
    SyncResult,
)
from p2pforum.api.backend import Submitted, SyncProgress
from p2pforum.api.new_posts import NewPosts
from p2pforum.config import Config
from p2pforum.connection_manager import Absent, ConnectionManager
from p2pforum.core import limits
from p2pforum.core.errors import ConfigError, NetworkError, NotFound, RemoteProtocolError
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.gossip.service import GossipService
from p2pforum.gossip.views import PeerView
from p2pforum.ingest import Door
from p2pforum.network.interface import Connection, Direction, Network
from p2pforum.outbound_posts import OutboundPosts
from p2pforum.peers.service import Stage
from p2pforum.stem.service import StemService
from p2pforum.store import pins
from p2pforum.store.posts import Store
from p2pforum.store.retention import clean
from p2pforum.sync.service import SyncService
from p2pforum.tally import Tally
from p2pforum.timekeeping import Timekeeping

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a node that a front end's requests need."""

    store: Store
    network: Network
    door: Door
    gossip: GossipService
    stem: StemService
    sync: SyncService
    connection_manager: ConnectionManager
    outbound_posts: OutboundPosts
    times: Timekeeping
    new_posts: NewPosts


class FrontDesk:
    """Answers requests. `reread` returns the config as the file says it now."""

    def __init__(self, config: Config, parts: Parts, reread: Callable[[], Config] | None = None) -> None:
        self._config = config
        self._parts = parts
        self.new_posts = parts.new_posts
        self._reread = reread or (lambda: config)
        self._started = trio.current_time()
        self._stopping = trio.Event()

    async def submit(self, raw: bytes, listen: float = 0) -> Submitted:
        """Check, keep and send a post that the user signed; then wait `listen` seconds for peers to send it
        back.

        `Submitted.spread` holds the counts of gossip.echo, or None if the post was not newly stored. Raises
        StoreError if the store can't take the post.
        """
        spread = None
        if problem := self._parts.times.problem():
            return Submitted(Outcome.REFUSED, None, problem)
        with self._parts.gossip.echoes.listen(raw) as echo:
            (verdict,) = await self._parts.door.ingest([raw], Origin.LOCAL)
            if verdict.outcome is Outcome.STORED and verdict.post is not None:
                await self._parts.outbound_posts.publish(verdict.post, listen)
                spread = asdict(echo.counts())
        post_id = verdict.post.id if verdict.post else None
        return Submitted(verdict.outcome, post_id, verdict.reason, spread)

    async def forget(self, post_id: bytes) -> bool:
        return await self._parts.outbound_posts.forget(post_id)

    async def scrub(self) -> bool:
        return await trio.to_thread.run_sync(clean, self._parts.store)

    async def submit_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        return Counter(verdict.outcome for verdict in await self._parts.door.ingest(raws, Origin.BUNDLE))

    async def pin(self, root: bytes, pinned: bool) -> bool:
        return await trio.to_thread.run_sync(pins.pin if pinned else pins.unpin, self._parts.store, root)

    def status(self) -> NodeStatus:
        parts = self._parts
        return {
            "version": __version__,
            "network": self._config.params.name,
            "peer_id": parts.network.peer_id,
            "addresses": list(parts.network.addresses),
            "announced": list(self._config.announce),
            "proxy": self._config.proxy or None,
            "peers": len(parts.network.connections()),
            "uptime": int(trio.current_time() - self._started),
            "trouble": parts.door.trouble or None,
            "gossip": asdict(parts.gossip.statistics()),
            "stem": self._stem(),
            "book": self._book(),
            "exchange": parts.connection_manager.exchange(),
            "lan": {"told": lan.told, "found": lan.found} if (lan := parts.connection_manager.lan) else None,
            "clock": self._clock(),
        }

    def _stem(self) -> StemStatus:
        view = self._parts.stem.view()
        return {
            "own": view.own,
            "relayed": view.relayed,
            "guards": view.guards,
            "guards_connected": view.guards_connected,
            "counts": asdict(view.counts),
        }

    def _book(self) -> BookStatus:
        new, tried = self._parts.connection_manager.book_size()
        outbound = self._parts.connection_manager.outbound()
        return {"new": new, "tried": tried, "outbound": outbound, "wanted": limits.OUTBOUND_WANTED}

    def _clock(self) -> ClockStatus:
        view = self._parts.times.view()
        problem = view.problem or None
        return {"peers_ahead": view.peers_ahead, "confirmed": view.is_confirmed, "problem": problem}

    def peers(self) -> list[PeerStatus]:
        views = self._parts.gossip.peers()
        connected = [self._connected(c, views.get(c.peer)) for c in self._parts.network.connections()]
        return connected + [_absent(peer) for peer in self._parts.connection_manager.absent()]

    def _connected(self, connection: Connection, view: PeerView | None) -> PeerStatus:
        return {
            "peer": connection.peer,
            "direction": connection.direction.value,
            "address": connection.address,
            "stage": Stage.CONNECTED.value,
            "named": self._parts.connection_manager.is_named(connection.peer),
            "error": None,
            "gossip": None if view is None else _standing(view),
        }

    async def sync(self, target: str, progress: SyncProgress) -> SyncResult:
        """Reconcile with one peer (`target`: an address, or the beginning or end of a peer ID), or with all
        if empty.

        Calls `progress` with running sums. Returns `Tally.result()`; a session that failed is a row there.
        Raises NotFound if no peer fits or none is connected, Ambiguous if several fit, NetworkError if
        dialling failed.
        """
        connected = [connection.peer for connection in self._parts.network.connections()]
        peers = [await self._parts.connection_manager.find(target)] if target else connected
        if not peers:
            raise NotFound("no peer is connected")
        tally = Tally(len(peers), progress)
        for peer in peers:
            try:
                report = await self._parts.sync.sync(peer, tally.show)
                tally.end({"peer": peer, "outcome": report.code.name.lower(), "left": report.left})
            except NetworkError as error:  # the next peer may be there
                tally.end({"peer": peer, "outcome": "lost", "error": str(error)})
            except RemoteProtocolError:
                why = "it broke the protocol and is banned for an hour"
                tally.end({"peer": peer, "outcome": "broken", "error": why})
        return tally.result()

    def reload(self) -> None:
        """Read the named peers anew from the config file. Raises ConfigError; then all stays as it was.

        A changed proxy is refused, even if only the named peers changed otherwise. The reason: the user may
        have named a peer because a proxy is set now. The node must not dial or look up that peer without the
        proxy.
        """
        config = self._reread()
        if config.proxy != self._config.proxy:
            raise ConfigError(
                f"the proxy is another one now ({config.proxy or 'none'}): restart the node for it"
            )
        self._parts.connection_manager.name(config.peers)
        log.info("the named peers were read anew")

    def stop(self) -> None:
        self._stopping.set()

    async def wait_stopped(self) -> None:
        await self._stopping.wait()


def _absent(peer: Absent) -> PeerStatus:
    return {
        "peer": None,
        "direction": Direction.OUTBOUND.value,
        "address": peer.address,
        "stage": peer.stage.value,
        "named": peer.is_named,
        "error": peer.error or None,
        "gossip": None,
    }


def _standing(view: PeerView) -> GossipStanding:
    return {
        "is_in_mesh": view.is_in_mesh,
        "is_subscribed": view.is_subscribed,
        "score": view.score,
        "first": view.first,
    }
