"""What commands print for programs: one spelling of a post, a thread, a board and a key."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from cli_keys import make_cheap
from cli_schemas import DIRECTORY, SCHEMAS, check, faults
from cli_world import World, discussion, post

from p2pforum.core.kinds import Kind
from p2pforum.core.post_id import format_id


def test_the_schemas_are_those_of_the_code() -> None:
    made = runpy.run_path(str(DIRECTORY / "make.py"))
    assert set(SCHEMAS) == set(made["SHAPES"])
    for name in SCHEMAS:
        assert (DIRECTORY / f"{name}.json").read_text() == made["text_of"](name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": "x"}, ["post.title is unknown"]),
        ({"hour": "now"}, ["post.hour is 'now', not ['integer']"]),
        ({"hour": True}, ["post.hour is True, not ['integer']"]),
        ({"target": 1}, ["post.target is 1, not ['string', 'null']"]),
        ({"parents": [None]}, ["post.parents[0] is None, not ['string']"]),
    ],
)
def test_the_check_can_fail(world: World, change: dict[str, Any], says: list[str]) -> None:
    world.keep(*discussion())
    (found, *_) = world.ok("search", "node", "--json").json
    assert faults(found, SCHEMAS["post"], "post") == []
    assert faults(found | change, SCHEMAS["post"], "post") == says
    del found["body"]
    assert faults(found, SCHEMAS["post"], "post") == ["post.body is missing"]


def test_what_is_read(world: World) -> None:
    posts = discussion()
    later = post("cyd", "", to=[posts[0]], kind=7, content=(1, 2))
    alone = post("bob", "An answer.", to=[post("ada", "Not here.", subject="x", board="nowhere")])
    world.keep(*posts, later, alone)
    root = format_id(posts[0].id)
    check("board", *world.ok("boards", "--json").json)
    check("thread", *world.ok("threads", "--json").json)
    check("thread", world.ok("read", root, "--json").json)
    check("thread", world.ok("read", format_id(alone.id), "--json").json)
    check("post", *world.ok("search", "node", "--json").json)
    check("post", *map(json.loads, world.ok("export", "--jsonl").out.splitlines()))
    shown = world.ok("read", root, "--json").json
    assert [p["kind"] for p in shown["posts"]].count("kind 7") == 1


def test_what_is_written(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_cheap(monkeypatch)
    made = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    check("post", made)
    check("post", world.ok("reply", made["id"], "--json", stdin="Answer").json)
    check("post", world.ok("edit", made["id"], "--json", stdin="Better").json)
    check("post", world.ok("retract", made["id"], "--yes", "--json").json)
    found = world.ok("outbox", "--json").json
    check("post", *found)
    assert {p["kind"] for p in found} == {"post", "supersede", "retract"}
    page = tmp_path / "page.jsonl"
    page.write_text('{"subject": "S", "body": "Text"}\n')
    check("post", *map(json.loads, world.ok("publish", "--yes", str(page), "--json").out.splitlines()))


def test_own_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(monkeypatch)
    world.ok("key", "new", "heron")
    made = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    check("key", *world.ok("key", "list", "--json").json)
    check("key", world.ok("key", "show", "heron", "--json").json)
    assert world.ok("key", "show", made["id"], "--json").json["name"] == made["name"]


def test_the_same_post_is_spelled_the_same_everywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that knows a post says the same of it, and some say more."""
    make_cheap(monkeypatch)
    written = world.ok("post", "library", "-s", "Subject", "--json", stdin="Text").json
    views = [
        world.ok("read", written["id"], "--json").json["posts"][0],
        world.ok("search", "Subject", "--json").json[0],
        world.ok("outbox", "--json").json[0],
    ]
    required = SCHEMAS["post"]["required"]
    for view in views:
        assert {name: view[name] for name in required} == {name: written[name] for name in required}
    assert written["kind"] == Kind.POST.name.lower()
