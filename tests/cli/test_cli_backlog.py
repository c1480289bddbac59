"""What the outbox says of posts that wait for a peer."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_world import CONFIG, SmallNode, World

from p2pforum.app import clock
from p2pforum.core import limits


@pytest.fixture
def waiting(world: World, tmp_path: Path) -> World:
    """Nine posts imported while no node ran. Their keys are gone, so the outbox does not list them."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"subject": f"No {n}", "body": "Text"}) for n in range(9)))
    world.ok("publish", "--yes", str(path))
    return world


def test_the_outbox_says_how_long_it_takes(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said = waiting.ok("outbox").err
    assert "9 posts wait for a peer. They leave one by one, 20 s apart on average" in said
    assert "about 3 minutes in all" in said
    assert "The first leaves within 30 minutes on line" in said
    monkeypatch.setattr(limits, "BACKLOG_SECONDS", 20_000.0)
    assert "about 50 hours in all" in waiting.ok("outbox").err


def test_what_travels_does_not_wait(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = SmallNode.status

    def status(node: SmallNode) -> dict[str, Any]:
        return plain(node) | {"stem": {"own": 4, "relayed": 3}}

    monkeypatch.setattr(SmallNode, "status", status)
    with waiting.node():
        assert "2 posts wait for a peer" in waiting.ok("outbox").err


def test_what_became_public_meanwhile_is_no_number_below_zero(world: World) -> None:
    """The node counts a post as travelling until it looks again; the store says already that it is public."""
    with world.node() as node:
        node.facts["stem"] = {"own": 1, "relayed": 1}
        assert "for a peer" not in world.ok("outbox").err


def test_others_posts_on_their_way_make_none_of_mine_travel(world: World) -> None:
    world.ok("post", "library", "-s", "A subject", stdin="Text")
    with world.node() as node:
        node.facts["stem"] = {"own": 0, "relayed": 1}
        assert [row["state"] for row in world.ok("outbox", "--json").json] == ["waiting"]
        node.facts["stem"] = {"own": 1, "relayed": 1}
        assert [row["state"] for row in world.ok("outbox", "--json").json] == ["travelling"]


@pytest.mark.parametrize("hours", [limits.GOSSIP_PAST_HOURS, limits.GOSSIP_PAST_HOURS + 1])
def test_of_a_post_that_gossip_takes_no_more_it_says_how_it_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    made = world.ok("post", "library", "-s", "A subject", "--json", stdin="Text").json
    (row,) = world.ok("outbox", "--json").json
    monkeypatch.setattr(clock.time, "time_ns", lambda: (row["hour"] + hours) * 3600 * 10**9)
    (row,) = world.ok("outbox", "--json").json
    assert (row["id"], row["state"], row["why"]) == (made["id"], "waiting", None)
    is_old = hours > limits.GOSSIP_PAST_HOURS
    assert ("by sync alone" in str(row["how"])) is is_old
    assert ("older than 30 days" in world.ok("outbox").out) is is_old


def test_of_one_post_it_says_when_it_leaves(world: World) -> None:
    assert "for a peer" not in world.run("outbox").err
    world.ok("post", "library", "-s", "A subject", stdin="Text")
    assert "1 post waits for a peer. It leaves within 30 minutes on line" in world.run("outbox").err
    (world.home / "config.toml").write_text(CONFIG + "hold_minutes = 0\n")
    assert "It leaves soon after one is there" in world.run("outbox").err


@pytest.mark.parametrize(
    ("config", "peers", "confirmed", "is_said"),
    [
        ("hide_origin = false\n", 1, False, True),
        ("hide_origin = false\n", 1, True, False),
        ("hide_origin = false\n", 0, False, False),  # they wait for a peer
        ("", 1, False, False),  # by the stem they may leave
    ],
)
def test_posts_that_wait_for_a_peer_to_tell_the_hour(
    world: World, config: str, peers: int, confirmed: bool, is_said: bool
) -> None:
    with (world.home / "config.toml").open("a") as file:
        file.write(config)
    world.ok("post", "library", "-s", "A subject", stdin="Text")
    with world.node() as node:
        node.peers_connected = [{"peer": "12D3KooWx"}] * peers
        node.facts["clock"] = {"confirmed": confirmed}
        said = "no peer has told the hour yet"
        assert (f"clock     {said}" in world.ok("status").out) is is_said
        assert (said.capitalize() in world.ok("outbox").err) is is_said
