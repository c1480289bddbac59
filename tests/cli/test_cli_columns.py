"""Every list fits the terminal: what 40, 80 and 200 columns show is in golden/, to be looked at.

`P2PFORUM_GOLDEN=write pytest tests/cli/test_cli_columns.py` writes the files anew.
"""

import os
from pathlib import Path

import pytest
from cli_keys import keystore_of
from cli_world import HOUR, World, post

from p2pforum.cli.terminal import render
from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id, short_id
from p2pforum.keystore.contents import new_key

GOLDEN = Path(__file__).parent / "golden"
LINK = "https://example.org/archive/2026/11/what-a-node-costs?in=electricity&format=long&page=2"
TITLE = "What does it cost to keep a node running all year, in electricity and in hours of one's life?"
PEER = {
    "peer": "12D3KooWQ7RnXUEVCkKLbCYuPd1tHmVuNQyLxHzsGDUZTAkQ8wrk",
    "direction": "outbound",
    "address": "/ip6/2001:db8:85a3:8d3:1319:8a2e:370:7348/tcp/4001/p2p/"
    "12D3KooWQ7RnXUEVCkKLbCYuPd1tHmVuNQyLxHzsGDUZTAkQ8wrk",
    "stage": "connected",
    "named": True,
    "error": None,
    "gossip": None,
}
LOST = {
    **PEER,
    "peer": None,
    "address": "/dns/node.example.org/tcp/4001",
    "stage": "resting",
    "error": "the peer did not answer within 10 s; the next try is in 5 minutes at the earliest",
}


def seed(author: str) -> bytes:
    return author.encode().ljust(32, b".")[:32]  # as `post` makes it


def long_thread() -> list[Post]:
    """A column of two, then branches down to deeper than is indented."""
    root = post("ada", f"Has anybody counted? {LINK} says 40 kWh.", subject=TITLE, hour=HOUR - 40)
    posts = [root, post("bob", "I have: it was 31.", to=[root], hour=HOUR - 39)]
    above = posts[-1]
    for n in range(9):
        below = [post(name, f"Level {n + 1}", to=[above], hour=HOUR - 30 + n) for name in ("cyd", "dan")]
        posts += below
        above = below[1]
    return [*posts, post("bob", "To two of you.", to=[posts[2], above], hour=HOUR)]


@pytest.fixture
def lived_in(world: World) -> World:
    """A person with petnames, pins, own posts and keys, and posts from the future. No two threads end in one
    hour: their order would be that of a store.
    """
    week = post("ada", "A text", subject="A week", hour=HOUR - 30)
    short, long = [week, post("bob", "An answer", to=[week], hour=HOUR - 5)], long_thread()
    own = [
        post("heron", "The text", subject="An own thread with a title of some length", hour=HOUR - 26),
        post("tern", "An own answer that is longer than the room for it on a narrow terminal", to=[long[0]]),
    ]
    ahead = post("eve", "x", subject="From a wrong clock", board="node-operators-of-the-north", hour=HOUR + 1)
    orphan = post("cyd", "To what is not here", to=[post("ada", "x", subject="Lost")], hour=HOUR - 700)
    world.ok("init")
    with keystore_of(world).transaction() as box:
        box.petnames[(b"", long[1].author)] = "Bob from the library"
        box.petnames[(b"", long[0].author)] = "Ada"
        for name, where, petname in (("heron", b"", "heron"), ("tern", long[0].id, "")):
            key = new_key(seed(name), where, petname, HOUR)
            box.keys[key.public] = key
        box.speaking[own[0].id] = own[0].author
        box.speaking[long[0].id] = own[1].author
    world.keep(*short, *long, own[0], ahead, orphan)
    world.keep(own[1], released=False)
    world.ok("pin", format_id(short[0].id))
    world.ok("pin", "0" * 52)
    return world


def screens(world: World, long: bytes, monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    commands = (
        ["boards"],
        ["threads"],
        ["threads", "--pinned"],
        ["threads", "library"],
        ["read", short_id(long)],
        ["outbox"],
        ["key", "list"],
        ["search", "text"],
        ["peers"],
    )
    with world.node() as node:
        node.peers_connected = [PEER, LOST]
        return "\n".join(f"$ p2pforum {' '.join(c)}\n{world.ok(*c).out}" for c in commands)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_what_is_shown_fits(lived_in: World, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    long = long_thread()[0].id
    shown = screens(lived_in, long, monkeypatch, columns)
    path = GOLDEN / f"{columns}.txt"
    if os.environ.get("P2PFORUM_GOLDEN") == "write":
        path.write_text(shown)
    assert shown == path.read_text()
    whole = LINK, PEER["address"][: str(PEER["address"]).index("/p2p/")]
    for line in shown.splitlines():
        assert render.width(line) <= columns or any(part in line for part in whole), line
    assert TITLE in shown if columns == 200 else f"{TITLE[:10]}" in shown


def test_control_a_narrower_terminal_would_not_be_served_by_the_wider_screens() -> None:
    assert any(len(line) > 40 for line in (GOLDEN / "80.txt").read_text().splitlines())
    assert any(len(line) > 80 for line in (GOLDEN / "200.txt").read_text().splitlines())
