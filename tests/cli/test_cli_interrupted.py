"""Ctrl-C and the end of the input at the question of every command that asks: the exit code is that of the
README, and the command has changed nothing.
"""

import importlib
import inspect
import re

import pytest
from cli_keys import make_cheap, set_passphrase
from cli_terminal import Terminal
from cli_world import World, discussion

from p2pforum.cli.command_list import ENTRIES
from p2pforum.cli.commands import key_group
from p2pforum.config import find_paths
from p2pforum.core.post_id import short_id
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.queries import open_reader

ROOT, YES, *_ = discussion()

# What each command that asks is called with here, and the beginning of its question. MINE is a post by a key
# of the user's; the other words in capitals are files, made by `prepare`.
ASKING: dict[str, tuple[str, str]] = {
    "post": ("post general -s S -F LEAKY", "[p]ost"),
    "reply": (f"reply {short_id(ROOT.id)} -F LEAKY", "[p]ost"),
    "edit": ("edit MINE -F LEAKY", "[p]ost"),
    "retract": ("retract MINE", "Withdraw the post"),
    "publish": ("publish ROWS --format jsonl", "Publish this?"),
    "key_burn": ("key burn heron", "Burn the pseudonym"),
    "name": (f"name {short_id(YES.id)} Bob", "Do you mean"),
    "pin": (f"pin {short_id(ROOT.id)}", "This thread?"),
    "unpin": (f"unpin {short_id(ROOT.id)}", "This thread?"),
    "init": ("init", "New passphrase"),
    "passphrase": ("passphrase", "New passphrase"),
    "key_backup": ("key backup MADE", "For the backup"),
    "key_restore": ("key restore BACKUP", "Passphrase of the backup"),
    "key_import": ("key import", "The exported key"),
    "unlock": ("unlock", "Passphrase: "),
}
_ASKS = r"questions\.confirm\(|type_new\(|type_passphrase\b|publishing import publish|pin import change"


def test_these_are_all_that_ask() -> None:
    """By their source; and `unlock`, for all that open a sealed keystore: the session asks for them."""
    modules = [module for module, _ in (*ENTRIES.values(), *key_group.ENTRIES.values())]
    sources = {m: inspect.getsource(importlib.import_module(f"p2pforum.cli.commands.{m}")) for m in modules}
    assert {m for m, source in sources.items() if re.search(_ASKS, source)} | {"unlock"} == ASKING.keys()
    assert not [m for m, source in sources.items() if re.search(r"click\.(confirm|prompt)|\binput\(", source)]


def prepare(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Bring about what the command needs; returns the ID of a post of the user's."""
    make_cheap(monkeypatch)
    (world.home / "LEAKY").write_text("Write to ada@mail.example.\n")
    (world.home / "ROWS").write_text('{"id": "1", "author": "a", "subject": "S", "body": "B"}\n')
    if name == "init":
        return ""
    world.keep(ROOT, YES)
    world.ok("key", "new", "heron")
    made: str = world.ok("reply", short_id(ROOT.id), "--json", stdin="Some text").json["id"]
    if name == "key_restore":
        backup, file = world.home / "BACKUP", set_passphrase(world, monkeypatch)
        monkeypatch.delenv("P2PFORUM_PASSPHRASE_FILE")
        world.ok("key", "backup", str(backup), "--passphrase-file", str(file))
    if name == "unlock":
        Keystore(find_paths(world.home).keys_dir).change_passphrase(b"correct horse")
    return made


def arguments(world: World, line: str, mine: str) -> list[str]:
    places = {
        "MINE": mine[:8],
        **{name: str(world.home / name) for name in ("LEAKY", "ROWS", "BACKUP", "MADE")},
    }
    return [places.get(word, word) for word in line.split()]


def state(world: World) -> tuple[object, ...]:
    """The keystore as it lies on the disk, the posts and the pins."""
    paths = find_paths(world.home)
    keystore = paths.keys_dir / "keystore"
    with open_reader(paths.data_dir) as reader:
        posts = [row.id for thread in reader.threads(None, 10) for row in reader.thread(thread.root)]
    return keystore.exists() and keystore.read_bytes(), posts, (world.home / "MADE").exists()


@pytest.mark.parametrize(
    ("typed", "code", "said"), [("\x03", 130, "interrupted"), ("\x04", 1, "the input ended")]
)
@pytest.mark.parametrize("name", ASKING)
def test_the_end_of_a_question(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, typed: str, code: int, said: str
) -> None:
    mine = prepare(world, name, monkeypatch)
    before = state(world)
    line, question = ASKING[name]
    terminal = Terminal(*arguments(world, line, mine))
    terminal.wait_for(question)
    terminal.type(typed)
    assert terminal.end() == code, terminal.screen
    assert said in terminal.screen
    assert "Traceback" not in terminal.screen
    assert state(world) == before


@pytest.mark.parametrize("name", [name for name, (_, asked) in ASKING.items() if asked.endswith("?")])
def test_a_no_is_a_no(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mine = prepare(world, name, monkeypatch)
    before = state(world)
    line, question = ASKING[name]
    terminal = Terminal(*arguments(world, line, mine))
    terminal.wait_for(question)
    terminal.type("n\n")
    assert terminal.end() == 1
    assert "you did not say yes, so nothing was done" in terminal.screen
    assert state(world) == before
