"""A post in its stem, real stores, and a peer that asks by sync for all there is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace

import trio
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core.verdict import Origin
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import Fluff, StemRouter
from p2pforum.stem.service import StemService
from p2pforum.stem.wire import ANSWER, FRAME_SIZE, decode_frame
from p2pforum.store.posts import Store, open_store
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService

QUICK = StemParams(diffuser=0.0, settle=0.0, hop_delay=0.01)


@dataclass
class Whole:
    network: MemoryNetwork
    store: Store
    door: Door
    stem: StemService
    sync: SyncService

    def held(self) -> set[bytes]:
        """What this node shows."""
        with self.store.snapshot() as snapshot:
            found = set()
            for board, _ in snapshot.boards():
                items = snapshot.items(board)
                found |= {post_id for _, post_id in items.keys(0, len(items))}
            return found


@asynccontextmanager
async def whole_node(hub: MemoryHub, name: str, directory: Path) -> AsyncIterator[Whole]:
    with open_store(directory / name, TEST_NETWORK) as store:
        async with hub.network(name) as network, trio.open_nursery() as nursery:
            door = Door(store, TEST_NETWORK, lambda: HOUR)

            async def release(ids: Sequence[bytes]) -> None:
                await trio.to_thread.run_sync(store.release, ids)

            async def public(ids: Sequence[bytes]) -> set[bytes]:
                return await trio.to_thread.run_sync(store.known, ids)

            async def save(text: str) -> None:
                await trio.lowlevel.checkpoint()

            rng = Random(name)
            gossip = GossipService(network, door, rng, release)
            router = StemRouter(rng, Guards(), trio.current_time(), QUICK)

            async def fluff(fluffs: Sequence[Fluff]) -> None:
                await gossip.originate([fluff.raw for fluff in fluffs])

            publication = SimpleNamespace(public=public, fluff=fluff, handed=lambda *_: None)
            stem = StemService(network, door, router, publication, save)
            sync = SyncService(network, store.snapshot, door, rng, Clocks(lambda: HOUR))
            await nursery.start(gossip.run)
            await nursery.start(stem.run)
            nursery.start_soon(sync.run)
            yield Whole(network, store, door, stem, sync)
            nursery.cancel_scope.cancel()


async def test_sync_shows_no_post_in_its_stem_neither_own_nor_others(tmp_path: Path) -> None:
    hub = MemoryHub(Random(1))
    async with AsyncExitStack() as stack:
        author, relay, prober = [
            await stack.enter_async_context(whole_node(hub, name, tmp_path))
            for name in ("author", "relay", "prober")
        ]
        hole = await stack.enter_async_context(hub.network("hole"))
        swallowed = _swallow(hole)
        await author.network.dial("/memory/relay/p2p/relay")
        await relay.network.dial("/memory/hole/p2p/hole")
        for name in ("author", "relay"):
            await prober.network.dial(f"/memory/{name}/p2p/{name}")
        mine, public = a_post("In its stem."), a_post("Public.", board="news")
        await author.door.ingest([public.raw], Origin.GOSSIP)
        await author.door.ingest([mine.raw], Origin.LOCAL)
        author.stem.originate([mine.raw])
        with trio.fail_after(30):
            await swallowed.wait()
        kept = [author.store.unreleased(), relay.store.unreleased()]
        assert kept == [[mine.raw], [mine.raw]], "own and others' alike"
        for peer in (author, relay):
            await prober.sync.sync(peer.network.peer_id)
        assert prober.held() == {public.id}, "the control: sync works"
        await trio.to_thread.run_sync(relay.store.release, [mine.id])
        await prober.sync.sync(PeerID("relay"))
        assert prober.held() == {public.id, mine.id}, "and shows a post as soon as it is released"


def _swallow(network: MemoryNetwork) -> trio.Event:
    """A relay that takes frames and passes none on."""
    got = trio.Event()

    async def listen(peer: PeerID, stream: trio.abc.Stream) -> None:
        frame = b""
        while len(frame) < FRAME_SIZE:
            frame += await stream.receive_some()
        await stream.send_all(ANSWER)
        if decode_frame(frame) is not None:
            got.set()

    network.set_handler(TEST_NETWORK.stem_protocol, listen)
    return got
