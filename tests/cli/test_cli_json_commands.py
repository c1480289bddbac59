"""Every command that has --json prints what docs/json/ says. The list of them is the program's own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from cli_keys import make_cheap
from cli_schemas import SCHEMAS, faults
from cli_world import World, post

from p2pforum.cli.command_list import ENTRIES, command_in
from p2pforum.core import limits
from p2pforum.core.post_id import format_id
from p2pforum.gossip.views import PeerView

ONE = "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWEZXjE41uU4EL2gpkAQeDXYok6wghN7wwNVPF5bwkaNfS"
GOSSIP = PeerView(is_in_mesh=True, is_subscribed=True, score=1.5, first=2.0)
OTHER = post("eve", "Eve's text", subject="Another thread")

Found = Iterator[tuple[str, Any]]
"""The name of a schema, and what a command printed."""


@dataclass
class Person:
    """Somebody who has a pseudonym, a thread and an invite, and reads a post of another."""

    world: World
    made: Any

    def run(self, *words: str, code: int = 0, stdin: str = "") -> Any:
        result = self.world.run(*words, "--json", stdin=stdin)
        assert result.code == code, result
        return result.json

    def lines(self, *words: str, code: int = 0, stdin: str = "") -> list[Any]:
        result = self.world.run(*words, "--json", stdin=stdin)
        assert result.code == code, result
        return [json.loads(line) for line in result.out.splitlines()]

    def file(self, name: str, text: str) -> str:
        path = self.world.home / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def person(world: World, monkeypatch: pytest.MonkeyPatch) -> Person:
    make_cheap(monkeypatch)
    world.ok("key", "new", "heron")
    world.ok("key", "new", "stork")
    with world.node():
        made = world.ok("post", "library", "-s", "Subject", "--listen", "1", "--json", stdin="Text").json
    world.keep(OTHER)
    return Person(world, made)


def rows(schema: str, *words: str) -> Callable[[Person], Found]:
    """A command that prints a list."""
    return lambda person: ((schema, row) for row in person.run(*words))


def one(schema: str, *words: str, stdin: str = "") -> Callable[[Person], Found]:
    """A command that prints one object. POST and OTHER are IDs."""

    def act(person: Person) -> Found:
        ids = {"POST": person.made["id"], "OTHER": format_id(OTHER.id)}
        yield schema, person.run(*(ids.get(word, word) for word in words), stdin=stdin)

    return act


def status(person: Person) -> Found:
    yield "status", person.run("status")
    with person.world.node() as node:
        yield "status", person.run("status")
        node.facts |= {"exchange": {"asked": 1}, "lan": None, "clock": {"peers_ahead": 3, "problem": "no"}}
        yield "status", person.run("status")


def peers(person: Person) -> Found:
    with person.world.node() as node:
        node.peers_connected = [{"peer": "12D3Koo", "gossip": asdict(GOSSIP)}, {"error": "no", "named": True}]
        found = person.run("peers")
        assert [peer["gossip"] for peer in found] == [asdict(GOSSIP), None]
        yield from (("peer", peer) for peer in found)


def sync(person: Person) -> Found:
    with person.world.node() as node:
        node.steps = [{"wanted": 3, "got": 1}]
        sessions = [
            {"peer": "a", "outcome": "done", "left": 0},
            {"peer": "b", "outcome": "lost", "error": "no"},
        ]
        node.result["sessions"] = sessions
        found = person.lines("sync")
        assert [*found[0], *found[-1]] == ["progress", "result"]
        yield from (("sync", step) for step in found)


def burn(person: Person) -> Found:
    yield "scan", person.run("key", "burn", "--dry-run", "heron")
    person.world.ok("key", "backup", str(person.world.home / "backup"), "--no-passphrase")
    found = person.run("key", "burn", "--yes", "heron", code=1)
    assert {place["offset"] is None for place in found["scan"]["found"]} == {True, False}
    yield "burn", found


def proofs(person: Person) -> Found:
    yield "made-proof", person.run("prove", "heron", "stork")
    yield "made-proof", person.run("prove", "heron", "stork", "--to", OTHER_KEY)


def check_proof(person: Person) -> Found:
    public, private = (found["proof"] for _, found in proofs(person))
    damaged = public[:-4] + "AAAA"
    found = person.lines("check-proof", "-", code=5, stdin=f"{public} {private} {damaged}")
    assert [proof["convinces"] for proof in found] == [True, False, False]
    yield from (("proof", proof) for proof in found)


def invites(person: Person) -> Found:
    assert person.run("invites") == []
    (_, joined), *_ = join(person)
    yield from rows("invite", "invites")(person)
    yield "dropped-invite", person.run("invites", "--drop", joined["name"])


def join(person: Person) -> Found:
    line = person.world.ok("invite", "--peer", ONE, "--board", "library", "--list", OTHER_KEY).out.strip()
    yield "invite", person.run("join", line)
    yield "invite", person.run("join", "--show", line)


def publish(person: Person) -> Found:
    page = person.file("page.jsonl", '{"subject": "S", "body": "A text from elsewhere: +1 555 010 0199"}\n')
    plan = person.run("publish", page, "--dry-run")
    assert plan["finds"]
    yield "publish-plan", plan
    yield from (("post", row) for row in person.lines("publish", "--yes", page))


def take_in(person: Person) -> Found:
    bundle = str(person.world.home / "bundle")
    person.world.ok("export", "-o", bundle)
    yield "bundle", person.run("import", bundle)
    with open(bundle, "ab") as file:
        file.write(bytes(100))
    damaged = person.world.run("import", bundle, "--json").json
    assert damaged["faults"]
    yield "bundle", damaged


def restore(person: Person) -> Found:
    backup = str(person.world.home.parent / "backup")
    person.world.ok("key", "backup", backup, "--no-passphrase")
    person.world.ok("key", "burn", "--yes", "heron")
    found = person.run("key", "restore", backup)
    assert found["keys"] == 1
    yield "restored", found


def names(person: Person) -> Found:
    person.world.ok("name", "--yes", format_id(OTHER.id), "the one who reads")
    person.world.ok("name", "--yes", "--everywhere", OTHER_KEY, "everywhere")
    found = person.run("name")
    assert sorted(row["root"] is None for row in found) == [False, True]
    yield from (("petname", row) for row in found)


def doctor(person: Person) -> Found:
    yield from (("finding", row) for row in person.run("doctor"))


def leak_report(person: Person) -> Found:
    yield "leak-report", person.run("leak-report")
    with person.world.node():
        deaf = person.run("post", "library", "-s", "S", stdin="Text")["id"]
    found = person.run("leak-report", deaf)
    assert found["posts"][0]["told"] is None
    yield "leak-report", found


def drafts(person: Person) -> Found:
    person.world.run("post", "library", "-s", "S", "--key", "nobody", stdin="Text")
    yield from rows("draft", "drafts")(person)


OTHER_KEY = format_id(OTHER.author)
CASES: dict[str, Callable[[Person], Found]] = {
    "boards": rows("board", "boards"),
    "threads": rows("thread", "threads"),
    "read": one("thread", "read", "POST"),
    "search": rows("post", "search", "text"),
    "post": one("post", "post", "library", "-s", "S", stdin="Text"),
    "reply": one("post", "reply", "OTHER", stdin="An answer"),
    "edit": one("post", "edit", "POST", stdin="Better"),
    "retract": one("post", "retract", "POST", "--yes"),
    "publish": publish,
    "import": take_in,
    "drafts": drafts,
    "outbox": rows("post", "outbox"),
    "key list": rows("key", "key", "list"),
    "key show": one("key", "key", "show", "heron"),
    "key restore": restore,
    "key burn": burn,
    "name": names,
    "prove": proofs,
    "check-proof": check_proof,
    "leak-report": leak_report,
    "status": status,
    "peers": peers,
    "sync": sync,
    "invite": one("invite", "invite", "--peer", ONE),
    "join": join,
    "invites": invites,
    "pin": one("pin", "pin", "POST"),
    "unpin": one("pin", "unpin", "POST"),
    "doctor": doctor,
    "version": one("versions", "version"),
}


def with_json() -> Iterator[str]:
    """The names of all commands of the program that have --json."""

    def walk(name: str, command: click.Command) -> Iterator[str]:
        if any("--json" in param.opts for param in command.params):
            yield name
        if isinstance(command, click.Group):
            context = click.Context(command)
            for below in command.list_commands(context):
                found = command.get_command(context, below)
                assert found is not None
                yield from walk(f"{name} {below}", found)

    for name, (module, _) in ENTRIES.items():
        yield from walk(name, command_in(module))


@pytest.mark.parametrize("name", list(with_json()))
def test_every_command_prints_what_its_schema_says(person: Person, name: str) -> None:
    found = list(CASES[name](person))
    assert found
    for schema, value in found:
        assert faults(value, SCHEMAS[schema], schema) == []


def test_there_is_no_other_command_with_json() -> None:
    assert set(with_json()) == set(CASES)
    assert len(CASES) >= 28


def test_every_schema_is_that_of_a_command_or_of_the_socket() -> None:
    """Those of lists within others, too: so none is left over."""
    text = "".join(Path(__file__).read_text().split())
    for name in SCHEMAS.keys() - {"node"}:  # tests/node/test_node_json.py
        assert f'"{name}"' in text


@pytest.mark.parametrize(
    ("schema", "change", "says"),
    [
        ("leak-report", {"always": {"sync": 1}}, ["x.always.sync is 1, not ['string']"]),
        ("leak-report", {"posts": [{}]}, None),
        ("leak-report", {"more": 1}, ["x.more is unknown"]),
    ],
)
def test_the_check_can_fail(person: Person, schema: str, change: Any, says: list[str] | None) -> None:
    found = person.run("leak-report")
    assert faults(found, SCHEMAS[schema], "x") == []
    wrong = faults(found | change, SCHEMAS[schema], "x")
    assert wrong == says if says else wrong


def test_the_largest_answer_of_the_socket_fits_a_line() -> None:
    line = json.dumps({"new": ["a" * 52] * limits.API_NEW_IDS})
    assert len(line) < limits.MAX_FRAME
