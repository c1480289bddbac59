"""SIGKILL at random points while posts flow: every acknowledged post is there after the restart."""

import threading
from pathlib import Path
from random import Random

import pytest
from e2e_nodes import CONFIG, DemoNode, ids, kill, wait_until
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.errors import P2PForumError
from p2pforum.core.network_params import params_for
from p2pforum.core.post import decode
from p2pforum.core.post_id import format_id
from p2pforum.store.doctor import check
from p2pforum.store.posts import open_store

pytestmark = pytest.mark.e2e

PARAMS = params_for("test.e2e")
ROUNDS = 5


class Flow:
    """Submits posts from a thread of its own until told to stop; keeps what was acknowledged."""

    def __init__(self, node: DemoNode, first: int) -> None:
        self.acknowledged: set[str] = set()
        self.next = first
        self._node = node
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        hour = this_hour()
        while not self._enough.is_set():
            post = a_post(f"Body {self.next}", key=1 + self.next % 7, board="flow", hour=hour, params=PARAMS)
            self.next += 1
            try:
                self.acknowledged.add(self._node.node.submit(post.raw).id)
            except P2PForumError:
                return  # killed

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()


def released(node: DemoNode) -> set[str]:
    """The posts that a node shows to others."""
    rows = [row for thread in node.reader.threads(None, 10_000) for row in node.reader.thread(thread.root)]
    return {format_id(row.id) for row in rows if row.released}


def test_no_acknowledged_post_is_lost(tmp_path: Path) -> None:
    rng = Random(5)
    acknowledged: set[str] = set()
    number = 0
    with (
        DemoNode("bob", tmp_path / "bob", CONFIG) as bob,
        DemoNode("alice", tmp_path / "alice", CONFIG) as alice,
    ):
        bob.start()
        for _ in range(ROUNDS):
            alice.start(bob.address())
            wait_until(lambda: alice.node.status()["gossip"]["mesh_peers"], "the nodes did not meet")
            flow = Flow(alice, number)
            wanted = rng.randint(1, 60)
            wait_until(lambda flow=flow, wanted=wanted: len(flow.acknowledged) >= wanted, "no post was taken")
            kill(alice)
            flow.stop()
            number = flow.next
            acknowledged |= flow.acknowledged
            assert acknowledged <= ids(alice)
        alice.start(bob.address())
        wait_until(lambda: released(alice) <= ids(bob), "released posts of a killed node never went out")
        alice.stop()
        with open_store(alice.data_dir, PARAMS) as store:
            assert check(store, PARAMS) == []
            waiting = {format_id(decode(raw, PARAMS).id) for raw in store.unreleased()}
        # Posts that were taken and not yet out when the node was killed follow one by one, minutes apart.
        assert acknowledged <= ids(bob) | waiting
        assert len(waiting) < len(acknowledged) / 2, "most had a peer to go to"


def test_a_killed_node_starts_again_at_once(tmp_path: Path) -> None:
    """Its socket and its lock file lie about; neither is in the way."""
    with DemoNode("alice", tmp_path / "alice", CONFIG) as alice:
        alice.start()
        kill(alice)
        alice.start()
        assert ids(alice) == set()
