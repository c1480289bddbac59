"""Whole sync between two node processes over libp2p: seconds, CPU, memory, bytes on the wire and on disk.

    python -m benchmarks.bench_sync_processes [POSTS] [MISSING]        100,000 and 1,000

Posts have no stamps; the stores have the search index. `seconds`: from the command `sync ADDRESS`, dialling
included, until both nodes hold the same posts; `first`: until the first ones could be read. `in`: of the
process that fetches. `wait`: seconds in which its threads waited for a core, as they do on a busy machine.
`limit`: the signatures of the same posts checked on one core, and then their bytes through a TCP connection.
"""

import os
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench_posts import Writer
from p2pforum.cli.demo_nodes import DemoNode
from p2pforum.core import signature
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Post
from p2pforum.store.posts import open_store

SMALLEST = "200 20"

PARAMS = params_for("test.bench")
CONFIG = 'network = "test.bench"\nhide_origin = false\nretention_days = 3650\n'
_MIB = 1024 * 1024


_TITLES = (
    *("seconds", "posts/s", "first s", "CPU in", "CPU out", "wait in", "wait out", "MiB in", "MiB out"),
    *("wire MiB", "B a post", "limit s", "times"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process: CPU seconds, seconds in which threads waited for a core, the
    most memory in MiB.
    """

    cpu: float
    waited: float
    peak: float

    @classmethod
    def of(cls, node: DemoNode) -> "Cost":
        """The cost of a node's process so far, from /proc (proc(5): stat, status, and
        schedstat of each thread).
        """
        assert node.process is not None
        process = Path("/proc") / str(node.process.pid)
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        waits = [int((task / "schedstat").read_text().split()[1]) for task in (process / "task").iterdir()]
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cls(cpu, sum(waits) / 1e9, int(status["VmHWM"].split()[0]) / 1024)

    def __sub__(self, before: "Cost") -> "Cost":
        return Cost(self.cpu - before.cpu, self.waited - before.waited, self.peak)


def fill(node: DemoNode, posts: Sequence[Post]) -> None:
    with open_store(node.data_dir, PARAMS) as store:
        for start in range(0, len(posts), 5_000):
            store.add([(post, True) for post in posts[start : start + 5_000]])


def held(node: DemoNode) -> list[bytes]:
    with closing(sqlite3.connect(node.data_dir / "node.db")) as db:
        return [id_ for (id_,) in db.execute("SELECT id FROM post WHERE released ORDER BY id")]


def wire_bytes() -> int:
    """Bytes sent over the loopback device so far, TCP and IP headers included."""
    (line,) = (
        text for text in Path("/proc/net/dev").read_text().splitlines() if text.strip().startswith("lo:")
    )
    return int(line.split(":")[1].split()[0])


def verify(posts: Sequence[Post]) -> float:
    """CPU seconds of one core for the signatures alone."""
    signature.is_valid_key.cache_clear()
    begun = time.process_time()
    for post in posts:
        post.verify_signature()
    return time.process_time() - begun


def carry(posts: Sequence[Post]) -> float:
    """Seconds to move their bytes over a TCP connection, 64 KiB at a time."""
    content = b"".join(post.raw for post in posts)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            with socket.create_connection(server.getsockname()) as sender:
                for start in range(0, len(content), 65_536):
                    sender.sendall(content[start : start + 65_536])

        begun = time.perf_counter()
        sending = threading.Thread(target=send)
        sending.start()
        connection, _ = server.accept()
        with connection:
            while connection.recv(65_536):
                pass
        sending.join()
        return time.perf_counter() - begun


def measure(title: str, fetching: DemoNode, serving: DemoNode, missing: Sequence[Post]) -> None:
    """One sync by the command of `fetching`; prints a row. Both nodes must hold the same posts afterwards."""
    serving.start()
    fetching.start()
    before = [Cost.of(node) for node in (fetching, serving)]
    address, moved, first = serving.address(), wire_bytes(), 0.0
    begun = time.perf_counter()
    for step in fetching.node.sync(address):
        if not first and step.get("progress", {}).get("new"):
            first = time.perf_counter() - begun
    seconds, moved = time.perf_counter() - begun, wire_bytes() - moved
    costs = [Cost.of(node) - cost for node, cost in zip((fetching, serving), before, strict=True)]
    fetching.stop()
    serving.stop()
    ids = held(fetching)
    assert ids == held(serving), "the sets differ"
    limit = verify(missing) + carry(missing)
    disk = (fetching.data_dir / "node.db").stat().st_size / len(ids)
    figures = (
        *(f"{seconds:.2f}", f"{len(missing) / seconds:,.0f}", f"{first:.2f}"),
        *(f"{cost.cpu:.2f}" for cost in costs),
        *(f"{cost.waited:.2f}" for cost in costs),
        *(f"{cost.peak:.0f}" for cost in costs),
        *(f"{moved / _MIB:.1f}", f"{disk:,.0f}", f"{limit:.2f}", f"{seconds / limit:.1f}"),
    )
    print(_row(title, *figures), flush=True)


def _row(title: str, *cells: str) -> str:
    return f"{title:<36}" + "".join(f"{cell:>9}" for cell in cells)


@contextmanager
def nodes(folder: Path, *names: str) -> Iterator[list[DemoNode]]:
    made = [DemoNode(name, folder / name, CONFIG) for name in names]
    try:
        yield made
    finally:
        for node in made:
            node.stop()


def run(folder: Path, count: int, few: int) -> None:
    """Fill the stores of six nodes and measure four syncs between them."""
    posts = list(Writer(PARAMS).posts(count))
    lacking = random.Random(1).sample(range(count), few)
    lost = set(lacking)
    newest = sorted(posts, key=lambda post: (post.payload.hour, post.id))[-few:]
    new_ids = {post.id for post in newest}
    with nodes(folder, "all", "tenth", "fresh", "fresh-2", "scattered", "newest") as made:
        whole, tenth, fresh, fresh_2, scattered, behind = made
        fill(whole, posts)
        fill(tenth, posts[: count // 10])
        measure(f"{count // 10:,} to an empty node", fresh_2, tenth, posts[: count // 10])
        fill(scattered, [post for n, post in enumerate(posts) if n not in lost])
        measure(f"{few:,} of {count:,} missing, anywhere", scattered, whole, [posts[n] for n in lacking])
        fill(behind, [post for post in posts if post.id not in new_ids])
        measure(f"{few:,} of {count:,} missing, newest", behind, whole, newest)
        measure(f"{count:,} to an empty node", fresh, whole, posts)


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    count, few = (numbers + [100_000, 1_000][len(numbers) :])[:2]
    print(_row("", *_TITLES))
    with tempfile.TemporaryDirectory() as name:
        run(Path(name), count, few)


if __name__ == "__main__":
    main()
