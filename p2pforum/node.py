"""The composition root: opens the parts of a node, joins them, and closes them in reverse.

What a node does is elsewhere; this file says what exists once, and who is handed what.
"""

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import trio

from p2pforum import __version__
from p2pforum.api.backend import Progress, Submitted
from p2pforum.api.server import serve_api
from p2pforum.config import Config, Paths
from p2pforum.core import signature
from p2pforum.core.errors import Ambiguous, NotFound, P2PForumError
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.peers.service import PeerService, Stage
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.router import StemRouter
from p2pforum.stem.service import Outside, StemService
from p2pforum.store.posts import Store, open_store
from p2pforum.store.retention import expire
from p2pforum.sync.budget import Report
from p2pforum.sync.service import SyncService

log = logging.getLogger(__name__)

_HOUSEKEEPING_SECONDS = 3600.0  # hours are what posts count in, so nothing expires more often
_RETRY_SECONDS = 60.0  # what could not be published (a full disk) is tried again
_PEER_SEED = "peer.seed"  # 32 bytes, of a node that others are told to dial: never an author's key


def now_hours() -> int:
    """Hours since 1970: the only time that leaves a node."""
    return int(time.time()) // 3600  # noqa: TID251 - the one clock


class Node:
    """A running node, as its front ends see it (`ApiBackend`). Made by `open_node`."""

    def __init__(
        self, config: Config, store: Store, network: Network, rng: Random, guards: GuardFile
    ) -> None:
        self._config = config
        self._store = store
        self._network = network
        self._guard_file = guards
        self._started = trio.current_time()
        self._stopping = trio.Event()
        self._unsent = trio.Event()
        self.door = Door(store, config.params, now_hours, config.retention_hours)
        self.gossip = GossipService(network, config.params, self.door, rng, self._release)
        self.sync_service = SyncService(network, config.params, store.snapshot, self.door, rng, now_hours)
        router = StemRouter(rng, guards.read(), trio.current_time())
        outside = Outside(self._public, self.gossip.originate, self._save_guards, now_hours)
        self.stem = StemService(network, config.params, self.door, router, outside)
        self.named = PeerService(network, rng)
        self.named.name(config.peers)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """All that goes on in a node, until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.gossip.run)
            await nursery.start(self.stem.run)
            nursery.start_soon(self.sync_service.run)
            nursery.start_soon(self.named.run)
            nursery.start_soon(self._publish_unsent)
            nursery.start_soon(self._keep_house)
            task_status.started()

    # -- for front ends ----------------------------------------------------------------------------

    async def submit(self, raw: bytes) -> Submitted:
        (verdict,) = await self.door.ingest([raw], Origin.LOCAL)
        if verdict.outcome is Outcome.STORED:
            self._unsent.set()
        return Submitted(verdict.outcome, verdict.post.id if verdict.post else None, verdict.reason)

    def status(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "network": self._config.params.name,
            "peer_id": self._network.peer_id,
            "addresses": list(self._network.addresses),
            "peers": len(self._network.connections()),
            "uptime": int(trio.current_time() - self._started),
            "gossip": asdict(self.gossip.statistics()),
            "stem": asdict(self.stem.view()),
        }

    def peers(self) -> list[dict[str, Any]]:
        views = self.gossip.peers()
        connected = [
            {
                "peer": c.peer,
                "direction": c.direction.value,
                "address": c.address,
                "stage": Stage.CONNECTED.value,
                "gossip": asdict(views[c.peer]) if c.peer in views else None,
            }
            for c in self._network.connections()
        ]
        return connected + [
            {
                "peer": None,
                "direction": "outbound",
                "address": n.address,
                "stage": n.stage.value,
                "error": n.error,
            }
            for n in self.named.named()
            if n.stage is not Stage.CONNECTED
        ]

    async def sync(self, target: str, progress: Progress) -> dict[str, Any]:
        peers = [await self._find(target)] if target else [c.peer for c in self._network.connections()]
        if not peers:
            raise NotFound("no peer is connected")
        done: Counter[str] = Counter()
        for peer in peers:

            def report(so_far: Report) -> None:
                progress({"peers": len(peers), **(done + _sums(so_far))})

            done.update(_sums(await self.sync_service.sync(peer, report)))
        return {"peers": len(peers), **done}

    def stop(self) -> None:
        self._stopping.set()

    async def wait_stopped(self) -> None:
        await self._stopping.wait()

    # -- within ------------------------------------------------------------------------------------

    async def _find(self, target: str) -> PeerID:
        if target.startswith("/"):
            return await self._network.dial(target)
        found = [
            c.peer
            for c in self._network.connections()
            if c.peer.startswith(target) or c.peer.endswith(target)
        ]
        if len(found) > 1:
            raise Ambiguous(f'several peers fit "{target}"', list(found))
        if not found:
            raise NotFound(f'no connected peer has an ID that begins or ends with "{target}"')
        return found[0]

    async def _release(self, ids: Sequence[bytes]) -> None:
        await trio.to_thread.run_sync(self._store.release, ids)

    async def _public(self, ids: Sequence[bytes]) -> set[bytes]:
        return await trio.to_thread.run_sync(self._store.known, ids)

    async def _save_guards(self, text: str) -> None:
        if self._config.hide_origin:
            await trio.to_thread.run_sync(self._guard_file.save, text)

    async def _publish_unsent(self) -> None:
        """Own posts go out in the order of the store, whoever handed them in and whenever: also those
        that were written while no node ran, or that a killed node had kept and not yet published. Posts
        that others had sent through this node are then among them: nothing here tells which."""
        while True:
            self._unsent = trio.Event()
            with _going_on():
                unreleased = await trio.to_thread.run_sync(self._store.unreleased)
                if self._config.hide_origin:
                    self.stem.originate(unreleased)
                else:
                    await self.gossip.originate(unreleased)
            with trio.move_on_after(_RETRY_SECONDS):
                await self._unsent.wait()

    async def _keep_house(self) -> None:
        while True:
            with _going_on():
                horizon = now_hours() - self._config.retention_hours
                dropped = await trio.to_thread.run_sync(expire, self._store, horizon)
                await trio.to_thread.run_sync(self._store.checkpoint)
                log.info("housekeeping: %d posts were past their time", dropped)
            await trio.sleep(_HOUSEKEEPING_SECONDS)


@contextmanager
def _going_on() -> Iterator[None]:
    """A fault in the background (a full disk, say) is logged; the node goes on and tries again later."""
    try:
        yield
    except P2PForumError as error:
        log.error("%s", error)
    except Exception:
        log.exception("a fault in the background")


@asynccontextmanager
async def open_node(config: Config, paths: Paths) -> AsyncIterator[Node]:
    """A node whose parts are open and whose socket answers; `run` it for the rest to happen.

    Raises StoreBusy, StoreError or NetworkError before anything is started.
    """
    signature.self_test()
    rng = SystemRandom()
    with open_store(paths.data_dir, config.params) as store:
        seed = _peer_seed(paths.data_dir) if _is_dialled(config.listen) else None
        async with open_libp2p_network(config.listen, key_seed=seed) as network:
            node = Node(config, store, network, rng, GuardFile(paths.data_dir))
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
        async with open_node(config, paths) as node, trio.open_nursery() as nursery:
            nursery.start_soon(_obey, signals, node, reload)
            await nursery.start(node.run)
            on_ready(node)
            await node.wait_stopped()
            nursery.cancel_scope.cancel()


async def _obey(signals: AsyncIterator[int], node: Node, reload: Callable[[], Config]) -> None:
    async for number in signals:
        if number != signal.SIGHUP:
            node.stop()
            continue
        try:
            node.named.name(reload().peers)
            log.info("the named peers were read anew")
        except P2PForumError as error:
            log.error("the config stays as it was: %s", error)


def _sums(report: Report) -> Counter[str]:
    """The part of a report that adds up over peers, in the API's words."""
    size = report.bytes_in + report.bytes_out
    return Counter(wanted=report.wanted, got=report.received, new=report.new, sent=report.sent, bytes=size)


def _is_dialled(listen: Sequence[str]) -> bool:
    """Whether others can have been told where this node is: a fixed port. Then its peer ID must last."""
    return any(not address.endswith("/tcp/0") for address in listen)


def _peer_seed(directory: Path) -> bytes:
    path = directory / _PEER_SEED
    try:
        seed = path.read_bytes()
    except FileNotFoundError:
        seed = os.urandom(32)
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(seed)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    if len(seed) != 32:
        raise P2PForumError(f"{path} is damaged: remove it, and this node gets a new peer ID")
    return seed
