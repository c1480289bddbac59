"""The composition root: opens the parts of a node, joins them, and closes them in reverse.

What a node does is elsewhere; this file says what exists once, and who is handed what.
"""

import logging
import secrets
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import trio

from p2pforum import __version__
from p2pforum.api.backend import Progress, Submitted
from p2pforum.api.server import serve_api
from p2pforum.api.tally import Tally
from p2pforum.config import Config, Paths, check_reach
from p2pforum.core import signature
from p2pforum.core.errors import ConfigError, NetworkError, NotFound, P2PForumError, RemoteProtocolError
from p2pforum.core.peer_id import public_key_of
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.departures import Departures, Manner, going_on
from p2pforum.exchange.announcement import own_record
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door
from p2pforum.neighbours import Neighbours, Opinions
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.reach import find_reach
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guards
from p2pforum.stem.router import StemRouter
from p2pforum.stem.service import Outside, StemService
from p2pforum.store import pins
from p2pforum.store.keeping import Keeping, Rules
from p2pforum.store.posts import Store, open_store
from p2pforum.store.retention import clean, newest_released
from p2pforum.sync.boards import Choice
from p2pforum.sync.service import SyncService
from p2pforum.sync.terms import Settings
from p2pforum.timekeeping import Timekeeping

log = logging.getLogger(__name__)

_HOUSEKEEPING_SECONDS = 3600.0  # hours are what posts count in, so nothing expires more often


def now_hours() -> int:
    """Hours since 1970: the only time that leaves a node."""
    return int(time.time()) // 3600  # noqa: TID251 - the one clock


class Node:
    """A running node, as its front ends see it (`ApiBackend`). Made by `open_node`."""

    def __init__(
        self,
        config: Config,
        store: Store,
        network: Network,
        rng: Random,
        directory: Path | None = None,
        reread: Callable[[], Config] | None = None,
    ) -> None:
        """`directory` is for what lasts and is no post; `config` says addresses, and AUTO nowhere."""
        self._config = config
        self._store = store
        self._network = network
        self._rng = rng
        self._guard_file = GuardFile(directory) if directory else None
        self._reread = reread or (lambda: config)
        self._started = trio.current_time()
        self._stopping = trio.Event()
        self._keeping = Keeping(store, Rules.of(config), lambda: now_hours())
        self.door = Door(store, config.params, now_hours, keep=self._keeping)
        self.sync_service = SyncService(network, config.params, store.snapshot, self.door, rng, now_hours)
        self.sync_service.settings = Settings(Choice(low=self._keeping.low, also=frozenset(config.retention)))
        self._time = Timekeeping(config.params, lambda: now_hours(), self.sync_service.clocks)
        self._own = Departures(
            store,
            rng,
            lambda release: GossipService(network, config.params, self.door, rng, release),
            self._stem,
            Manner(config.hide_origin, config.hold_seconds),
            self._time,
        )
        self.gossip = self._own.gossip
        self.stem = self._own.stem
        guards = self.stem.recruits if config.hide_origin else None
        opinions = Opinions(now_hours, guards, network.bans.__contains__, self._announced(directory))
        self.neighbours = Neighbours(config, store, network, rng, opinions)
        if newest_released(store) is not None:  # else there is no gap by which to know it again
            self.sync_service.filling.company = self.neighbours.company()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """All that goes on in a node, until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.gossip.run)
            await nursery.start(self.stem.run)
            for part in (self.sync_service, self.neighbours, self._own, self._time):
                nursery.start_soon(part.run)
            nursery.start_soon(self._keep_house)
            task_status.started()

    # -- for front ends ----------------------------------------------------------------------------

    async def submit(self, raw: bytes, listen: float = 0) -> Submitted:
        spread = None
        if problem := self._time.problem():
            return Submitted(Outcome.REFUSED, None, problem)
        with self.gossip.echoes.listen(raw) as echo:
            (verdict,) = await self.door.ingest([raw], Origin.LOCAL)
            if verdict.outcome is Outcome.STORED:
                await self._own.see_off(raw, listen)
                spread = asdict(echo.counts())
        post_id = verdict.post.id if verdict.post else None
        return Submitted(verdict.outcome, post_id, verdict.reason, spread)

    async def forget(self, post_id: bytes) -> bool:
        return await self._own.forget(post_id)

    async def scrub(self) -> bool:
        return await trio.to_thread.run_sync(clean, self._store)

    async def submit_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        return Counter(verdict.outcome for verdict in await self.door.ingest(raws, Origin.BUNDLE))

    async def pin(self, root: bytes, pinned: bool) -> bool:
        return await trio.to_thread.run_sync(pins.pin if pinned else pins.unpin, self._store, root)

    def status(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "network": self._config.params.name,
            "peer_id": self._network.peer_id,
            "addresses": list(self._network.addresses),
            "announced": list(self._config.announce),
            "proxy": self._config.proxy or None,
            "peers": len(self._network.connections()),
            "uptime": int(trio.current_time() - self._started),
            "trouble": self.door.trouble or None,
            "gossip": asdict(self.gossip.statistics()),
            "stem": asdict(self.stem.view()),
            "book": self.neighbours.counts(),
            "exchange": self.neighbours.exchange(),
            "lan": self.neighbours.lan(),
            "clock": self._time.view(),
        }

    def worth(self) -> dict[PeerID, float]:
        """How much each peer has brought of late: the network parts with others first."""
        return {peer: view.first for peer, view in self.gossip.peers().items()}

    def peers(self) -> list[dict[str, Any]]:
        views = self.gossip.peers()
        connected = [
            {
                "peer": c.peer,
                "direction": c.direction.value,
                "address": c.address,
                "stage": "connected",
                "named": self.neighbours.is_named(c.peer),
                "gossip": asdict(views[c.peer]) if c.peer in views else None,
            }
            for c in self._network.connections()
        ]
        return connected + self.neighbours.absent()

    async def sync(self, target: str, progress: Progress) -> dict[str, Any]:
        peers = (
            [await self.neighbours.find(target)] if target else [c.peer for c in self._network.connections()]
        )
        if not peers:
            raise NotFound("no peer is connected")
        tally = Tally(len(peers), progress)
        for peer in peers:
            try:
                report = await self.sync_service.sync(peer, tally.show)
                tally.end(peer, report.code.name.lower(), left=report.left)
            except NetworkError as error:  # the next peer may be there
                tally.end(peer, "lost", error=str(error))
            except RemoteProtocolError:
                tally.end(peer, "broken", error="it broke the protocol and is banned for an hour")
        return tally.result()

    def reload(self) -> None:
        """Read the named peers anew. Raises ConfigError: then all stays as it was.

        Also if they may be meant for another way out: one that was named because a proxy is set now must not
        be dialled, or looked up, without it.
        """
        config = self._reread()
        if config.proxy != self._config.proxy:
            raise ConfigError(
                f"the proxy is another one now ({config.proxy or 'none'}): restart the node for it"
            )
        self.neighbours.name(config.peers)
        log.info("the named peers were read anew")

    def stop(self) -> None:
        self._stopping.set()

    async def wait_stopped(self) -> None:
        await self._stopping.wait()

    # -- within ------------------------------------------------------------------------------------

    def _announced(self, directory: Path | None) -> bytes | None:
        addresses, network = self._config.announce, self._network
        if directory is None or not addresses:
            return None
        key = public_key_of(network.peer_id)
        return own_record(directory, addresses, key, network.sign, self._config.params)

    def _stem(self, own: Departures) -> StemService:
        guards = self._guard_file.read() if self._guard_file else Guards(secret=secrets.token_bytes(32))
        router = StemRouter(self._rng, guards, trio.current_time())
        outside = Outside(own.public, own.fluff, self._save_guards, now_hours, own.handed)
        return StemService(self._network, self._config.params, self.door, router, outside)

    async def _save_guards(self, text: str) -> None:
        if self._guard_file and self._config.hide_origin:
            await trio.to_thread.run_sync(self._guard_file.save, text)

    async def _keep_house(self) -> None:
        while True:
            with going_on():
                dropped = 0 if self._time.problem() else await trio.to_thread.run_sync(self._keeping.expire)
                await trio.to_thread.run_sync(self._store.checkpoint)
                log.info("housekeeping: %d posts were past their time", dropped)
            await trio.sleep(_HOUSEKEEPING_SECONDS)


@asynccontextmanager
async def open_node(
    config: Config, paths: Paths, reread: Callable[[], Config] | None = None
) -> AsyncIterator[Node]:
    """A node whose parts are open and whose socket answers; `run` it for the rest to happen.

    Raises ConfigError, StoreBusy, StoreError or NetworkError before anything is started.
    """
    signature.self_test()
    check_reach(config)
    rng = SystemRandom()
    with open_store(paths.data_dir, config.params) as store:
        directory = _lasting(paths, config)
        async with (
            find_reach(config, directory) as reach,
            open_libp2p_network(reach.listen, key_seed=reach.seed, proxy=config.socks) as network,
        ):
            here = replace(config, listen=reach.listen, announce=reach.announce)
            node = Node(here, store, network, rng, directory, reread)
            network.places.worth = node.worth
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_api, node, paths.socket_path)
                try:
                    yield node
                finally:
                    nursery.cancel_scope.cancel()


async def run_node(
    config: Config, paths: Paths, *, on_ready: Callable[[Node], None], reload: Callable[[], Config]
) -> None:
    """Run a node until SIGTERM, SIGINT or `stop`. SIGHUP reads the named peers anew."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with open_node(config, paths, reload) as node, trio.open_nursery() as nursery:
            nursery.start_soon(_obey, signals, node)
            await nursery.start(node.run)
            on_ready(node)
            await node.wait_stopped()
            nursery.cancel_scope.cancel()


async def _obey(signals: AsyncIterator[int], node: Node) -> None:
    async for number in signals:
        if number != signal.SIGHUP:
            node.stop()
            continue
        try:
            node.reload()
        except P2PForumError as error:
            log.error("the config stays as it was: %s", error)


def _lasting(paths: Paths, config: Config) -> Path:
    """For peer ID, guards and own record. Behind a proxy others: each would say that both are one node."""
    if config.socks is None:
        return paths.data_dir
    directory = paths.data_dir / "behind-proxy"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory
