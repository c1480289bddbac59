"""What commands print for programs: one spelling of a post, a thread, a board, a key and a peer."""

import json
import runpy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cli_keys import make_cheap
from cli_world import ROOT, World, discussion, post

from p2pforum.core.kinds import Kind
from p2pforum.core.post_id import format_id
from p2pforum.gossip.views import PeerView

DIRECTORY = ROOT / "docs/json"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in DIRECTORY.glob("*.json")}
_IS = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def faults(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """What of a value does not fit: of JSON Schema, what docs/json/make.py writes."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[Path(schema["$ref"]).stem], place)
    if "anyOf" in schema:
        return min((faults(value, one, place) for one in schema["anyOf"]), key=len)
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_IS[kind](value) for kind in wanted):
        return [f"{place} is {value!r}, not {wanted}"]
    if isinstance(value, list):
        return [
            fault for n, item in enumerate(value) for fault in faults(item, schema["items"], f"{place}[{n}]")
        ]
    if not isinstance(value, dict):
        return []
    known = schema["properties"]
    found = [f"{place}.{name} is missing" for name in schema["required"] if name not in value]
    found += [f"{place}.{name} is unknown" for name in value if name not in known]
    return found + [f for n, v in value.items() if n in known for f in faults(v, known[n], f"{place}.{n}")]


def check(name: str, *values: Any) -> None:
    assert values
    for value in values:
        assert faults(value, SCHEMAS[name]) == []


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


def test_keys_and_peers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(monkeypatch)
    world.ok("key", "new", "heron")
    made = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    check("key", *world.ok("key", "list", "--json").json)
    check("key", world.ok("key", "show", "heron", "--json").json)
    assert world.ok("key", "show", made["id"], "--json").json["name"] == made["name"]
    with world.node() as node:
        node.peers_connected = [
            {
                "peer": "12D3Koo",
                "direction": "inbound",
                "address": "/ip4/127.0.0.1/tcp/1",
                "stage": "connected",
                "gossip": asdict(PeerView(True, True, 1.5, 2.0)),
            },
            {
                "peer": None,
                "address": "/ip4/127.0.0.1/tcp/2",
                "stage": "waiting",
                "error": "no",
                "named": True,
            },
        ]
        found = world.ok("peers", "--json").json
    check("peer", *found)
    assert [peer["gossip"] for peer in found] == [asdict(PeerView(True, True, 1.5, 2.0)), None]
    found[0]["gossip"]["first"] = "2"  # the control
    assert faults(found[0], SCHEMAS["peer"], "peer")


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
