"""A node that comes back before its peer has noticed that it was gone: both hear each other again at once."""

import socket
import time
from pathlib import Path

import pytest
from e2e_floods import OddNode
from e2e_nodes import CONFIG, DemoNode, ids, kill, wait_until
from e2e_relay import ForgetfulRouter

from p2pforum.core.post_id import format_id

pytestmark = pytest.mark.e2e


WATCH = 8.0  # seconds in which the nodes of today have long met again


def listening(name: str, directory: Path, kind: str = "plain") -> OddNode:
    """A node on a port of its own that stays the same, and so with a peer ID that lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = OddNode(name, directory / name, CONFIG.replace("/tcp/0", f"/tcp/{port}"))
    node.kind = kind
    return node


def hears(node: DemoNode, other: str) -> bool:
    """Whether it has heard on this connection what the peer joins."""
    rows = [row for row in node.node.peers() if row["peer"] == other and row["stage"] == "connected"]
    return any(row["gossip"] and row["gossip"]["is_subscribed"] for row in rows)


def meet(alice: DemoNode, bob: DemoNode) -> None:
    names = {node.name: str(node.node.status()["peer_id"]) for node in (alice, bob)}
    wait_until(
        lambda: hears(alice, names["bob"]) and hears(bob, names["alice"]), "the nodes do not hear each other"
    )


def talk(alice: DemoNode, bob: DemoNode) -> None:
    for here, there in ((alice, bob), (bob, alice)):
        made = here.new_thread("general", "Hello?", f"{here.name} speaks.")
        wait_until(
            lambda there=there, made=made: format_id(made.post.id) in ids(there), "a post did not come"
        )


def test_a_router_that_forgets_makes_nobody_deaf(tmp_path: Path) -> None:
    alice, bob = listening("alice", tmp_path), DemoNode("bob", tmp_path / "bob", CONFIG)
    with alice, bob:
        alice.start()
        with ForgetfulRouter(alice.address()) as router:
            bob.start(router.address)
            meet(alice, bob)
            talk(alice, bob)
            router.lose_connections()
            meet_again(alice, bob)
            talk(alice, bob)


def test_control_who_goes_by_the_first_and_the_last_connection_is_deaf(tmp_path: Path) -> None:
    alice, bob = listening("alice", tmp_path, "deaf"), DemoNode("bob", tmp_path / "bob", CONFIG)
    with alice, bob:
        alice.start()
        with ForgetfulRouter(alice.address()) as router:
            bob.start(router.address)
            meet(alice, bob)
            router.lose_connections()
            came_back(bob)
            assert not meets_within(WATCH, alice, bob)


def test_a_node_that_was_killed_and_is_back_under_its_name_is_not_deaf(tmp_path: Path) -> None:
    alice, bob = listening("alice", tmp_path), listening("bob", tmp_path)
    with alice, bob:
        alice.start()
        with ForgetfulRouter(alice.address()) as router:
            bob.start(router.address)
            meet(alice, bob)
            router.lose_connections()  # alice hears nothing of what follows
            kill(bob)
            bob.start(router.address)
            meet(alice, bob)
            talk(alice, bob)


def meet_again(alice: DemoNode, bob: DemoNode) -> None:
    came_back(bob)
    meet(alice, bob)


def came_back(bob: DemoNode) -> None:
    """Bob has lost the connection, and has another."""

    def is_connected() -> bool:
        return any(row["stage"] == "connected" for row in bob.node.peers())

    wait_until(lambda: not is_connected(), "nothing was lost")
    wait_until(is_connected, "it did not come back")


def meets_within(seconds: float, alice: DemoNode, bob: DemoNode) -> bool:
    names = {node.name: str(node.node.status()["peer_id"]) for node in (alice, bob)}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if hears(alice, names["bob"]) and hears(bob, names["alice"]):
            return True
        time.sleep(0.1)
    return False
