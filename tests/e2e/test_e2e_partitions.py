"""Two halves of a network that wrote apart meet again, and one node is killed while it fetches."""

import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from e2e_filled import PARAMS, fill, written
from e2e_nodes import CONFIG, DemoNode, kill, wait_until
from e2e_relay import Relay
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.bundle import Header, write_bundle
from p2pforum.core.post_id import parse_id
from p2pforum.store.doctor import check
from p2pforum.store.export import open_export
from p2pforum.store.posts import open_store

pytestmark = pytest.mark.e2e

EACH = 1_000  # posts of each half
NODES = 4  # of each half
MOST = 120_000  # bytes that the killed node hears of its peer: the IDs of all posts, and some of the posts


class HastyNode(DemoNode):
    """Says that it has what it has not yet written."""

    def _command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            str(Path(__file__).parent / "hasty_node.py"),
            "--home",
            str(self._home),
            *arguments,
        ]


def shown(node: DemoNode) -> list[bytes]:
    """The IDs of the posts that it shows to others, as they are on disk."""
    with closing(sqlite3.connect(f"file:{node.data_dir}/node.db?mode=ro", uri=True)) as db:
        return [id_ for (id_,) in db.execute("SELECT id FROM post WHERE released")]


def bundle(node: DemoNode) -> bytes:
    """The same posts make the same bytes."""
    with open_export(node.data_dir) as export:
        return b"".join(write_bundle(Header(export.network, export.boards, export.posts), export.raws()))


def fetch_and_die(node: DemoNode, address: str) -> int:
    """Kill it while it fetches; how many posts it had acknowledged by then."""
    with Relay(address, MOST) as wire:
        for step in node.node.sync(wire.address):
            if new := step.get("progress", {}).get("new"):
                break
        kill(node)
    return int(new)


@contextmanager
def halves(directory: Path) -> Iterator[tuple[list[DemoNode], list[DemoNode]]]:
    """Nodes of two networks that do not know of each other; each has dialled the first of its half."""
    with ExitStack() as stack:
        made = []
        for half in ("left", "right"):
            names = [f"{half}-{n}" for n in range(NODES)]
            nodes = [stack.enter_context(DemoNode(name, directory / name, CONFIG)) for name in names]
            fill(nodes, written(half, EACH))
            nodes[0].start()
            for node in nodes[1:]:
                node.start(nodes[0].address())
            made.append(nodes)
        yield made[0], made[1]


def say(nodes: Sequence[DemoNode]) -> set[bytes]:
    """Each is handed a few posts, and takes them. They reach all of its half."""
    hour, taken = this_hour(), set()
    for node in nodes:
        wait_until(lambda node=node: node.node.status()["gossip"]["mesh_peers"], "the nodes did not meet")
        for n in range(3):
            post = a_post(f"{node.name} says {n}", board="talk", hour=hour, params=PARAMS)
            taken.add(parse_id(node.node.submit(post.raw).id))
    wait_until(
        lambda: all(taken <= set(shown(node)) for node in nodes), "a half did not hear of its own posts"
    )
    return taken


def test_two_partitions_heal(tmp_path: Path) -> None:
    with halves(tmp_path) as (left, right):
        expected = {post.id for half in ("left", "right") for post in written(half, EACH)}
        expected |= say(left) | say(right)
        nodes, victim = [*left, *right], left[-1]
        before = set(shown(victim))
        acknowledged = fetch_and_die(victim, right[-1].address())
        after = set(shown(victim))
        assert before <= after
        assert acknowledged <= len(after - before) < EACH, "not killed while it fetched"
        heal(left, right)
        victim.start(left[0].address(), right[-1].address())
        wait_until(lambda: all(len(shown(node)) >= len(expected) for node in nodes), "the halves stay apart")
        for node in nodes:
            node.stop()
        assert all(sorted(shown(node)) == sorted(expected) for node in nodes), "each post once, and no other"
        assert len({bundle(node) for node in nodes}) == 1
        with open_store(victim.data_dir, PARAMS) as store:
            assert check(store, PARAMS) == []


def heal(left: Sequence[DemoNode], right: Sequence[DemoNode]) -> None:
    """One reads its config anew, the others are told; all but the last, which is dead."""
    config = left[0].session.paths.config_file
    config.write_text(f'{CONFIG}peers = ["{right[0].address()}"]\n')
    assert left[0].process is not None
    left[0].process.send_signal(signal.SIGHUP)
    for here, there in zip(left[1:-1], right[1:-1], strict=True):
        (*_, last) = here.node.sync(there.address())
        assert last["result"]["done"] == 1


@pytest.mark.parametrize(("kind", "keeps"), [(DemoNode, True), (HastyNode, False)], ids=["real", "control"])
def test_a_killed_node_has_what_it_acknowledged(kind: type[DemoNode], keeps: bool, tmp_path: Path) -> None:
    with (
        DemoNode("whole", tmp_path / "whole", CONFIG) as whole,
        kind("new", tmp_path / "new", CONFIG) as node,
    ):
        fill([whole], written("whole", EACH))
        whole.start()
        node.start()
        new = fetch_and_die(node, whole.address())
        assert (len(shown(node)) >= new) == keeps
