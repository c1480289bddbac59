"""Gossip over real libp2p on loopback, beside py-libp2p's own pubsub in the same run.

    python -m benchmarks.bench_gossip [POSTS] [MESSAGES]        (default 60 and 12000)

1. Ten nodes in one process: milliseconds until all ten hold a post; through a door that takes everything,
   as the library does, and through the real door and store: 11 commits, two of them by the author.
2. One process to another, messages of 500 bytes: how many a second, and CPU of the receiver for each; once
   through a door that takes everything, once through the real door and store (signature, no stamp).
   Target of issue 5: 3,000 a second.
The library gets the same graph, a heartbeat of 1 s, no rate limit and long queues (it drops without).
"""

import contextlib
import functools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import trio
from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams, params_for
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.gossip.service import GossipService
from p2pforum.ingest import Door, PostStore, Verdict
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.store.posts import open_store

SMALLEST = "2 2000"

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
PARAMS = params_for("test.bench")
HOUR = 498_000
NODES, DIALS, PACE = 10, 3, 0.15  # PACE: seconds between posts; the library's rate limit allows it
SIZE = 500
TOPIC = PARAMS.topic
SEED = bytes(32)
KEY = bytes(crypto_sign_seed_keypair(SEED)[0])


def a_post(n: int, size: int = SIZE) -> Post:
    """A reply of exactly `size` bytes."""

    def of(body: str) -> Post:
        fields = Payload(Kind.POST, "general", bytes(32), (bytes(32),), HOUR, (body,), blank_stamp(0))
        return sign(fields, SEED, KEY, PARAMS)

    text = f"Post {n} "
    return of(text.ljust(len(text) + size - len(of(text.ljust(300)).raw) + 300 - len(text), "x"))


# -- ours ------------------------------------------------------------------------------------------------


class TimedDoor(Door):
    """Notes when each post was kept, in `times` (bytes of the post -> time)."""

    def __init__(self, store: PostStore, params: NetworkParams, now: Callable[[], int]) -> None:
        super().__init__(store, params, now)
        self.times: dict[bytes, float] = {}

    async def ingest(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        """As Door.ingest; also notes the time for each post that was stored."""
        verdicts = await self.judge(raws, origin)
        now = time.perf_counter()
        for raw, verdict in zip(raws, verdicts, strict=True):
            if verdict.outcome is Outcome.STORED:
                self.times[raw] = now
        return verdicts

    async def judge(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        return await super().ingest(raws, origin)


class OpenDoor(TimedDoor):
    """Takes everything without a check, so that only the cost of gossip and of the streams is left."""

    async def judge(self, raws: Sequence[bytes], origin: Origin) -> list[Verdict]:
        await trio.lowlevel.checkpoint()
        return [Verdict(Outcome.STORED)] * len(raws)


@contextlib.asynccontextmanager
async def our_node(directory: str, door_type: type[Door] = TimedDoor) -> AsyncIterator[Any]:
    """A node of ours with a store in `directory`: gives its network, gossip service, door and store."""
    path = Path(tempfile.mkdtemp(dir=directory))
    with open_store(path, PARAMS) as store:
        async with open_libp2p_network([LOOPBACK]) as network, trio.open_nursery() as nursery:
            door = door_type(store, PARAMS, lambda: HOUR)

            async def release(ids: Sequence[bytes]) -> None:
                await trio.to_thread.run_sync(store.release, ids)

            service = GossipService(network, door, random.Random(network.peer_id), release)
            await nursery.start(service.run)
            yield network, service, door, store
            nursery.cancel_scope.cancel()


async def ten_of_ours(posts: list[Post], door_type: type[TimedDoor]) -> dict[bytes, list[float]]:
    """Ten of our nodes in this process, each of which dials three. For each post, by its ID: the seconds
    until each node held it.
    """
    times: dict[bytes, list[float]] = {}
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as directory:
        async with contextlib.AsyncExitStack() as stack:
            nodes = [await stack.enter_async_context(our_node(directory, door_type)) for _ in range(NODES)]
            for n, (network, *_) in enumerate(nodes):
                for other in rng.sample(range(n), min(n, DIALS)):
                    await network.dial(nodes[other][0].addresses[0])
            await trio.sleep(3)
            for post in posts:
                _, service, door, _ = rng.choice(nodes)
                started = time.perf_counter()
                await door.ingest([post.raw], Origin.LOCAL)
                await service.originate([post.raw])
                await trio.sleep(PACE)
                got = [d.times[post.raw] for _, _, d, _ in nodes if post.raw in d.times]
                times[post.id] = [t - started for t in got]
    return times


# -- the library's -----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def stock_node(got: Callable[[bytes], None]) -> AsyncIterator[Any]:
    """A node of py-libp2p with its own pubsub: gives host and pubsub. `got` is called with
    the bytes of each message.
    """
    from libp2p import new_host
    from libp2p.custom_types import TProtocol
    from libp2p.pubsub import pubsub as module
    from libp2p.pubsub.gossipsub import GossipSub
    from libp2p.pubsub.rpc_queue import RpcQueue
    from libp2p.tools.anyio_service import background_trio_service
    from multiaddr import Multiaddr

    module.RpcQueue = functools.partial(RpcQueue, max_size=100_000)
    module.SUBSCRIPTION_CHANNEL_SIZE = 100_000
    listen = [Multiaddr(LOOPBACK)]
    host = new_host(listen_addrs=listen)
    router = GossipSub(
        [TProtocol("/meshsub/1.1.0")], 6, 4, 12, heartbeat_interval=1, spam_protection_enabled=False
    )
    pubsub = module.Pubsub(host, router, strict_signing=False)

    async def listen_to(topic: str) -> None:
        subscription = await pubsub.subscribe(topic)
        while True:
            got((await subscription.get()).data)

    async with (
        host.run(listen),
        background_trio_service(pubsub),
        background_trio_service(router),
        trio.open_nursery() as nursery,
    ):
        await pubsub.wait_until_ready()
        nursery.start_soon(listen_to, TOPIC)
        yield host, pubsub
        nursery.cancel_scope.cancel()


async def stock_dial(host: Any, address: str) -> None:
    from libp2p.peer.peerinfo import info_from_p2p_addr
    from multiaddr import Multiaddr

    await host.connect(info_from_p2p_addr(Multiaddr(address)))


def stock_address(host: Any) -> str:
    return f"{host.get_transport_addrs()[0]}/p2p/{host.get_id()}"


async def ten_of_theirs(posts: list[Post]) -> dict[bytes, list[float]]:
    """The same as `ten_of_ours` with nodes of the library. By the bytes of each post."""
    times: dict[bytes, list[float]] = {post.raw: [] for post in posts}
    rng = random.Random(1)
    started = 0.0

    def got(data: bytes) -> None:
        times[data].append(time.perf_counter() - started)

    async with contextlib.AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(stock_node(got)) for _ in range(NODES)]
        for n, (host, _) in enumerate(nodes):
            for other in rng.sample(range(n), min(n, DIALS)):
                await stock_dial(host, stock_address(nodes[other][0]))
        await trio.sleep(3)
        for post in posts:
            started = time.perf_counter()
            await rng.choice(nodes)[1].publish(TOPIC, post.raw)
            await trio.sleep(PACE)
    return times


def report(name: str, times: dict[bytes, list[float]]) -> None:
    """Print the median and 95th percentile, in ms, of the times in seconds until all nodes held a post."""
    full = sorted(max(t) * 1_000 for t in times.values() if len(t) == NODES)
    each = sorted(t * 1_000 for ts in times.values() for t in ts)
    if not full:
        print(f"{name:34} no post reached all {NODES}")
        return
    median, p95 = statistics.median(full), full[int(len(full) * 0.95)]
    print(
        f"{name:34} all {NODES}: median {median:6.1f} ms   p95 {p95:6.1f}"
        f"   one node: median {statistics.median(each):5.1f}   complete {len(full)} of {len(times)}"
    )


# -- throughput ------------------------------------------------------------------------------------------


async def until(condition: Callable[[], object]) -> None:
    while True:
        if condition():
            return
        await trio.sleep(0.005)


async def receive(kind: str, count: int) -> None:
    """The receiving process. Prints its address, then how many messages it got in how many
    seconds, and its CPU seconds.
    """
    got: list[bytes] = []
    async with contextlib.AsyncExitStack() as stack:
        if kind == "stock":
            host, _ = await stack.enter_async_context(stock_node(got.append))
            address, seen = stock_address(host), lambda: len(got)
        else:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            node = our_node(directory, OpenDoor if kind == "open" else Door)
            network, service, *_ = await stack.enter_async_context(node)
            address, seen = network.addresses[0], lambda: service.statistics().accepted
        print(json.dumps(address), flush=True)
        await until(seen)
        before, began, cpu = seen(), time.perf_counter(), time.process_time()
        await until(lambda: seen() >= count)
        figures = count - before, time.perf_counter() - began, time.process_time() - cpu
        print(json.dumps(figures), flush=True)


def throughput(kind: str, count: int) -> tuple[float, float]:
    """Messages a second, and milliseconds of the receiver's CPU for each."""
    posts = [a_post(n).raw for n in range(count)]
    command = [sys.executable, "-m", "benchmarks.bench_gossip", "--receive", kind, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())
        trio.run(send_stock if kind == "stock" else send_ours, address, posts)
        number, seconds, cpu = json.loads(process.stdout.readline())
    return number / seconds, cpu / number * 1_000


async def send_ours(address: str, posts: list[bytes]) -> None:
    """Send the posts from a node of ours, and wait until the receiver has ended."""
    with tempfile.TemporaryDirectory() as directory:
        async with our_node(directory) as (network, service, *_):
            await network.dial(address)
            await trio.sleep(2)
            await service.originate(posts)
            await until(lambda: service.statistics().sent >= len(posts))
            await until(lambda: not network.connections())  # the receiver has all, and ends


async def send_stock(address: str, posts: list[bytes]) -> None:
    """Send the posts from a node of the library, and wait until its queues are empty."""
    async with stock_node(lambda _: None) as (host, pubsub):
        await stock_dial(host, address)
        await trio.sleep(4)
        for raw in posts:
            await pubsub.publish(TOPIC, raw)
        await until(lambda: not any(map(len, pubsub.peer_queues.values())))
        await trio.sleep(3)


def main() -> None:
    """Run both comparisons that the head of this file describes, or the receiver's part (`--receive`)."""
    if sys.argv[1:2] == ["--receive"]:
        trio.run(receive, sys.argv[2], int(sys.argv[3]))
        return
    posts, messages = [int(v) for v in sys.argv[1:3]] + [60, 12_000][len(sys.argv) - 1 :]
    made = [a_post(n) for n in range(posts)]
    report("ours, a door that takes all", trio.run(ten_of_ours, made, OpenDoor))
    report("ours, real door and store", trio.run(ten_of_ours, made, TimedDoor))
    print_throughput("open", "ours, a door that takes all", messages)
    print_throughput("real", "ours, real door and store", messages)
    # The library's runs come last, because its pubsub does not survive every run on a busy machine.
    with _what_fails("py-libp2p pubsub, ten nodes"):
        report("py-libp2p pubsub, unsigned", trio.run(ten_of_theirs, made))
    with _what_fails("py-libp2p pubsub, two processes"):
        print_throughput("stock", "py-libp2p pubsub, unsigned", messages // 4)


def print_throughput(kind: str, name: str, messages: int) -> None:
    rate, cpu = throughput(kind, messages)
    print(f"{name:34} {rate:8,.0f} messages/s of {SIZE} B   receiver {cpu:.3f} ms CPU each", flush=True)


@contextlib.contextmanager
def _what_fails(name: str) -> Iterator[None]:
    try:
        yield
    except* Exception as errors:
        print(f"{name:34} failed: {errors.exceptions[0]!r}")


if __name__ == "__main__":
    main()
