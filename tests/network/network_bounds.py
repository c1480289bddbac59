"""Bounds of core/limits.py on one connection, its streams and its requests, and in seconds: what `n` does."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import Any

import trio
import trio.testing
from bounds import Row
from network_tools import an_account
from stem_nodes import STEM, a_stem_node
from strategies import a_post
from sync_bounds import in_time

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.network.eviction import Candidate, to_evict
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.network.memory_stream import memory_stream_pair
from p2pforum.network.yamux import YamuxConnection
from p2pforum.network.yamux_config import YamuxConfig
from p2pforum.network.yamux_frames import DATA, SYN, WINDOW_UPDATE, Frame
from p2pforum.network.yamux_stream import YamuxStream
from p2pforum.peers.buckets import Buckets
from p2pforum.stem.service import _receive_frame
from p2pforum.stem.wire import ANSWER, encode_frame
from p2pforum.sync import session_runner
from p2pforum.sync.wire.payloads import Code

A_BIT = 0.01
PATIENT = YamuxConfig(ping=10_000.0)
Use = Callable[[YamuxConnection], Any]


def a_connection(capacity: int = 0, config: YamuxConfig = PATIENT) -> tuple[YamuxConnection, Any]:
    """One that runs nowhere yet, and the stream of a peer that says and reads nothing."""
    here, there = memory_stream_pair(capacity)
    kept: list[YamuxStream] = []
    made = YamuxConnection(here, initiator=True, on_stream=kept.append, account=an_account(), config=config)
    return made, there


async def lasts(seconds: float, config: YamuxConfig, use: Use) -> bool:
    """Whether a connection is there so long after it was used so."""
    connection, _ = a_connection(config=config)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        await trio.testing.wait_all_tasks_blocked()
        use(connection)
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
        return not connection.ended


async def is_sending(seconds: float) -> bool:
    """More than a peer takes that reads nothing from the stream."""
    connection, _ = a_connection(10 * limits.STREAM_WINDOW)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        with trio.move_on_after(seconds) as scope, suppress(trio.BrokenResourceError):
            await connection.open().send_all(bytes(limits.STREAM_WINDOW + 1))
        nursery.cancel_scope.cancel()
    return scope.cancelled_caught


async def lingers(seconds: float) -> bool:
    """A stream that this side has closed."""
    connection, _ = a_connection(100_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        await trio.testing.wait_all_tasks_blocked()
        await connection.open().aclose()
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
        return bool(connection._streams)


async def says_good_bye(seconds: float) -> bool:
    """To a peer that takes nothing."""
    connection, _ = a_connection()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(seconds) as scope:
            await connection.close()
        nursery.cancel_scope.cancel()
    return scope.cancelled_caught


async def opens(n: int) -> bool:
    connection, _ = a_connection()
    for _ in range(n - 1):
        connection.open()
    with suppress(trio.BrokenResourceError):
        return connection.open() is not None
    return False


async def is_opened(n: int) -> bool:
    """So many by the peer, all of them kept."""
    connection, _ = a_connection()
    for i in range(n):
        connection._on_frame(Frame(WINDOW_UPDATE, SYN, 2 + 2 * i, 0, b""))
    return connection._refused == 0


async def bears(n: int, use: Callable[[YamuxConnection, int], Any]) -> bool:
    connection, _ = a_connection()
    use(connection, n)
    return not connection.ended


def refuse(connection: YamuxConnection, n: int) -> None:
    for _ in range(n):
        connection._count_refusal()


def receive(connection: YamuxConnection, n: int) -> None:
    """The last byte of so many that nobody has read."""
    stream = connection.open()
    connection._buffered = n - 1
    connection._on_frame(Frame(DATA, 0, stream.number, 1, b"x"))


async def receives(n: int) -> bool:
    """In one stream that is not read."""
    connection, _ = a_connection()
    return connection.open().on_data(bytes(n))


async def grows(n: int) -> bool:
    return a_connection()[0].grow(n) == n


async def waits_for_room(n: int) -> bool:
    """Behind so many bytes that have not left."""
    connection, _ = a_connection()
    connection._queue.put([bytes(n)])
    with trio.move_on_after(1) as scope:
        await connection.wait_for_room()
    return scope.cancelled_caught


def keeps_groups(n: int) -> bool:
    """The first of so many groups. Of one more, its age keeps the other."""
    return to_evict([Candidate(i, 0.0, f"g{i}") for i in range(n + 1)], b"secret") is None


def keeps_useful(n: int) -> bool:
    """Of so many none goes, though each is the youngest of all."""
    fit = [Candidate(5_000 + i, 9.0, worth=1.0) for i in range(n)]
    return to_evict([*(Candidate(i, 0.0) for i in range(1_000)), *fit], b"secret") not in fit


# -- other requests in seconds -----------------------------------------------------------------------------


async def stem_frame_comes(seconds: float) -> bool:
    here, there = memory_stream_pair(100_000)
    async with trio.open_nursery() as nursery:

        async def say() -> None:
            await trio.sleep(seconds)
            await there.send_all(encode_frame(b"x"))

        nursery.start_soon(say)
        with suppress(RemoteProtocolError):
            return bool(await _receive_frame(here))
    return False


async def stem_answer_comes(seconds: float) -> bool:
    hub = MemoryHub(Random(1))

    async def answer(_: PeerID, stream: trio.abc.Stream) -> None:
        await trio.sleep(seconds)
        with suppress(trio.BrokenResourceError):
            await stream.send_all(ANSWER)

    async with a_stem_node(hub, "a") as node, hub.network("b") as other:
        other.set_handler(STEM, answer)
        peer = await node.network.dial(other.addresses[0])
        return await node.stem._send(peer, encode_frame(b"x"))


async def stem_judges(n: int) -> bool:
    """So many posts of one peer at once, while the store takes its time."""
    async with a_stem_node(MemoryHub(Random(1)), "a") as node, trio.open_nursery() as nursery:

        async def ingest(*_: object) -> Any:
            await trio.sleep_forever()

        node.stem._door = SimpleNamespace(ingest=ingest, now=lambda: 0)  # type: ignore[assignment]
        for i in range(n):
            nursery.start_soon(node.stem._judge, PeerID("peer"), a_post(f"{i}").raw)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        return node.stem._counts.excess == 0


async def says_end(seconds: float) -> bool:
    """To a peer that takes nothing."""
    with trio.move_on_after(seconds) as scope:
        await session_runner.say_end(memory_stream_pair(0)[0], Code.DONE)
    return scope.cancelled_caught


async def hears_hour(seconds: float) -> bool:
    with trio.move_on_after(seconds) as scope:
        await session_runner.hear_hour(memory_stream_pair(0)[0])
    return scope.cancelled_caught


def buckets(way: Callable[[Buckets, str], object], n: int) -> bool:
    """So many different ones are drawn."""
    keyed = Buckets(bytes(32))
    return len({way(keyed, f"{i}") for i in range(5_000)}) >= n


ROWS = [
    Row(
        "PING_SECONDS",
        "a silent peer",
        in_time(lambda s: lasts(2 * s, YamuxConfig(), lambda _: None)),
        -A_BIT,
        A_BIT,
    ),
    Row(
        "SEND_STALL_SECONDS", "a peer", in_time(lasts, PATIENT, lambda c: c.enqueue(bytes(99))), -A_BIT, A_BIT
    ),
    Row("READ_STALL_SECONDS", "a stream", in_time(is_sending), -A_BIT, A_BIT),
    Row("LINGER_SECONDS", "a stream", in_time(lingers), -A_BIT, A_BIT),
    Row("GRACE_SECONDS", "a good-bye", in_time(lambda s: says_good_bye(s)), -A_BIT, A_BIT),
    Row("MAX_STREAMS_PER_PEER", "opened", in_time(opens)),
    Row("MAX_STREAMS_PER_PEER", "by the peer", in_time(is_opened)),
    Row("MAX_REFUSED_STREAMS", "a peer", in_time(bears, refuse)),
    Row("STREAM_BUFFER", "unread", in_time(bears, receive)),
    Row("STREAM_WINDOW", "a stream", in_time(receives)),
    Row("EXTRA_WINDOWS", "a connection", in_time(grows)),
    Row("SEND_QUEUE", "queued", in_time(waits_for_room), 0, -1),
    Row("SEND_QUEUE", "answers", in_time(bears, lambda c, n: c.enqueue(bytes(4 * n)))),
    Row("EVICTION_GROUPS", "of groups", keeps_groups),
    Row("EVICTION_WORTHY", "useful", keeps_useful),
    Row("STEM_READ_SECONDS", "a frame", in_time(stem_frame_comes), -A_BIT, A_BIT),
    Row("STEM_SEND_SECONDS", "an answer", in_time(stem_answer_comes), -A_BIT, A_BIT),
    Row("STEM_JUDGED", "a peer", in_time(stem_judges)),
    Row("SYNC_END_SECONDS", "a reason", in_time(says_end), -A_BIT, A_BIT),
    Row("SYNC_END_SECONDS", "an hour", in_time(hears_hour), -A_BIT, A_BIT),
    Row("BOOK_SOURCE_BUCKETS", "a teller", lambda n: buckets(lambda b, i: b.new(i, "source"), n)),
    Row("BOOK_NEW_BUCKETS", "in all", lambda n: buckets(lambda b, i: b.new("group", i), n)),
    Row("BOOK_GROUP_BUCKETS", "a group", lambda n: buckets(lambda b, i: b.tried("group", i), n)),
    Row("BOOK_TRIED_BUCKETS", "in all", lambda n: buckets(lambda b, i: b.tried(i, "x"), n)),
    Row("BOOK_BUCKET", "addresses", lambda n: buckets(lambda b, i: b.spot(True, 0, i), n)),
]
