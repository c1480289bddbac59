"""The composition root: opens the parts of a node, joins them, and closes them in reverse.

Other files say what a node does. This file says which parts exist once, and which part gets which.
"""

import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom

import trio

from p2pforum.api.new_posts import NewPosts
from p2pforum.api.server import serve_api
from p2pforum.config import Config, Paths, check_reach
from p2pforum.connection_manager import ConnectionManager, StoredBook
from p2pforum.core import signature
from p2pforum.core.errors import P2PForumError
from p2pforum.core.peer_id import public_key_of
from p2pforum.exchange.announcement import own_record
from p2pforum.frontdesk import FrontDesk, Parts
from p2pforum.gossip.service import GossipService
from p2pforum.housekeeping import Housekeeping
from p2pforum.ingest import Door
from p2pforum.network.interface import Network
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.outbound_posts import OutboundPosts, OutboundSettings, Releases, StemPublication
from p2pforum.reach import find_reach
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.router import StemRouter
from p2pforum.stem.service import StemService
from p2pforum.store.keeping import Keeping, RetentionPolicy
from p2pforum.store.posts import Store, open_store
from p2pforum.store.retention import newest_released
from p2pforum.sync.boards import BoardChoice
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService
from p2pforum.sync.terms import Settings
from p2pforum.timekeeping import Timekeeping

log = logging.getLogger(__name__)


def now_hours() -> int:
    """Hours since 1970: the only time that a node sends to others."""
    return int(time.time()) // 3600  # noqa: TID251 - the one clock


def _hour() -> int:
    """Looks up `now_hours` at each call, because tests replace it."""
    return now_hours()


class Node:
    """A running node: its parts, made in the order in which they need one another. Made by `open_node`."""

    def __init__(
        self,
        config: Config,
        store: Store,
        network: Network,
        rng: Random,
        directory: Path | None = None,
        reread: Callable[[], Config] | None = None,
    ) -> None:
        """`directory` is for lasting files that are not posts. `config` has real addresses in place of AUTO.
        Raises StoreError, ConfigError, and P2PForumError for a damaged file in `directory`."""
        self.store = store
        self.network = network
        self.keeping = Keeping(store, RetentionPolicy.of(config), _hour)
        new_posts = NewPosts()
        self.door = Door(store, config.params, _hour, keep=self.keeping, public=new_posts.tell)
        self.clocks = Clocks(_hour)
        self.times = Timekeeping(config.params, _hour, self.clocks)

        self._releases = Releases(store, new_posts.tell)
        self.gossip = GossipService(network, self.door, rng, self._releases.release)
        self.guard_file = GuardFile(directory, is_used=config.hide_origin)
        router = StemRouter(rng, self.guard_file.read(), trio.current_time())
        self.after_stem = StemPublication(self._releases, self.gossip, self.times)
        self.stem = StemService(network, self.door, router, self.after_stem, self.guard_file.keep)
        outbound = OutboundSettings(config.hide_origin, config.hold_seconds)
        services, leaving = (self.gossip, self.stem), self.after_stem.leaving
        self._outbound_posts = OutboundPosts(store, rng, services, leaving, outbound, self.times)

        guards = self.stem.recruits if config.hide_origin else None
        announced = _announced(config, network, directory)
        book = StoredBook(config, store, network.peer_id, rng, _hour)
        self.connection_manager = ConnectionManager(config, network, rng, book, guards, announced)
        # A store without posts has no gap in time by which a peer could recognise this node.
        known_peers = None if newest_released(store) is None else self.connection_manager.known_peers()
        choice = BoardChoice(low=self.keeping.low, also=frozenset(config.retention))
        settings = Settings(choice, known_peers=known_peers)
        self.sync = SyncService(network, store.snapshot, self.door, rng, self.clocks, settings)

        self._housekeeping = Housekeeping(store, self.keeping, self.times)
        parts = Parts(
            store=store,
            network=network,
            door=self.door,
            gossip=self.gossip,
            stem=self.stem,
            sync=self.sync,
            connection_manager=self.connection_manager,
            outbound_posts=self._outbound_posts,
            times=self.times,
            new_posts=new_posts,
        )
        self.desk = FrontDesk(config, parts, reread)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run all parts, until cancelled. `task_status` is started when posts can be exchanged."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.gossip.run)
            await nursery.start(self.stem.run)
            nursery.start_soon(self.sync.run)
            nursery.start_soon(self.connection_manager.run)
            nursery.start_soon(self._releases.run)
            nursery.start_soon(self._outbound_posts.run)
            nursery.start_soon(self.times.run)
            nursery.start_soon(self._housekeeping.run)
            task_status.started()


def _announced(config: Config, network: Network, directory: Path | None) -> bytes | None:
    """This node's own record, if the user chose to publish its addresses."""
    if directory is None or not config.announce:
        return None
    key = public_key_of(network.peer_id)
    return own_record(directory, config.announce, key, network.sign, config.params)


@asynccontextmanager
async def open_node(
    config: Config, paths: Paths, reread: Callable[[], Config] | None = None
) -> AsyncIterator[Node]:
    """A node whose parts are open and whose API socket answers; the caller then calls its `run`.

    Raises ConfigError, StoreBusy, StoreError, NetworkError, or P2PForumError for a damaged file, before any
    part runs.
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
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_api, node.desk, paths.socket_path)
                try:
                    yield node
                finally:
                    nursery.cancel_scope.cancel()


async def run_node(
    config: Config, paths: Paths, *, on_ready: Callable[[Node], None], reload: Callable[[], Config]
) -> None:
    """Run a node until SIGTERM, SIGINT or `stop`. SIGHUP makes it read the named peers anew.

    `on_ready` is called when it runs. Raises what `open_node` raises.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with open_node(config, paths, reload) as node, trio.open_nursery() as nursery:
            nursery.start_soon(_obey, signals, node.desk)
            await nursery.start(node.run)
            on_ready(node)
            await node.desk.wait_stopped()
            nursery.cancel_scope.cancel()


async def _obey(signals: AsyncIterator[int], desk: FrontDesk) -> None:
    async for number in signals:
        if number != signal.SIGHUP:
            desk.stop()
            continue
        try:
            desk.reload()
        except P2PForumError as error:
            log.error("the config stays as it was: %s", error)


def _lasting(paths: Paths, config: Config) -> Path:
    """The directory for peer ID, guards and own record. Behind a proxy it is another one, because any of
    these three, seen in both places, would show that both are one node."""
    if config.socks is None:
        return paths.data_dir
    directory = paths.data_dir / "behind-proxy"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory
