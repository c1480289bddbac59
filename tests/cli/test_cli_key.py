"""key and name: my keys by command, what they show, and what they never show."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_keys import forms, keystore_of, make_cheap, mine
from cli_terminal import Terminal
from cli_world import HOUR, World, discussion

from p2pforum.app.clock import rfc3339
from p2pforum.cli.terminal.picture import ROWS
from p2pforum.core import limits
from p2pforum.core.post_id import format_id, short_id
from p2pforum.core.pseudonym import GRID, identicon_of, name_of
from p2pforum.forum import reading


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(monkeypatch)


def begin(world: World, subject: str = "Subject", *more: str) -> str:
    """Start a thread; give its ID."""
    return world.ok("post", "library", "-s", subject, "--json", *more, stdin="Some text.").json["id"]


def test_list_and_show(world: World) -> None:
    assert world.ok("key", "list").out == "You have no keys yet; your first post makes one.\n"
    made = begin(world, "Which e-readers?")
    world.ok("key", "new", "heron")
    begin(world, "As a heron", "--key", "heron")
    heron, thread_key = world.ok("key", "list", "--json").json
    if heron["petname"] is None:
        heron, thread_key = thread_key, heron
    assert (heron["petname"], heron["post_count"], heron["expires"], heron["root"]) == (
        "heron",
        1,
        None,
        None,
    )
    assert (thread_key["petname"], thread_key["root"], thread_key["threads"]) == (None, made, [made])
    assert thread_key["expires"] == rfc3339(HOUR + limits.KEY_IDLE_HOURS)
    listed = world.ok("key", "list").out
    assert re.search(r"heron +1 post +this hour +in 1 thread", listed)
    assert f"{made[:8]} Which e-reade" in listed
    assert max(map(len, listed.splitlines())) <= 80
    shown = world.ok("key", "show", "heron").out
    assert "kept until you burn it" in shown
    assert "As a heron" in shown
    shown = world.ok("key", "show", made[:8]).out
    assert f"as {thread_key['name']}" in shown
    assert "burns on 2026-12-24 unless you use it" in shown
    assert world.ok("key", "show", made[:8], "--json").json == thread_key
    assert world.run("key", "show", "nobody").code == 3


def test_the_same_picture_in_terminal_and_svg(world: World) -> None:
    made = begin(world)
    (key,) = mine(world).keys.values()
    icon = identicon_of(key.public, key.root)
    picture = ET.fromstring(world.ok("key", "show", made[:8], "--svg", made[:8]).out)
    cells = {(int(rect.get("x")), int(rect.get("y"))) for rect in picture}
    assert cells == {(x, y) for y, row in enumerate(icon.cells) for x, is_set in enumerate(row) if is_set}
    assert picture.get("fill") == f"hsl({icon.hue},60%,50%)"
    drawn = world.ok("key", "show", made[:8]).out.splitlines()[-ROWS:]
    blocks = {"█": (0, 1), "▀": (0,), "▄": (1,), " ": ()}
    shown = {
        (x, 2 * y + half)
        for y, line in enumerate(drawn)
        for x, block in enumerate(line[2 : 2 + GRID])
        for half in blocks[block]
    }
    assert shown == cells


def test_nothing_that_is_printed_has_a_secret_in_it(world: World) -> None:
    made = begin(world)
    world.ok("key", "new", "heron")
    seeds = [key.seed for key in mine(world).keys.values()]
    said = b""
    for command in (
        *(("key", "list"), ("key", "show", "heron"), ("status",), ("doctor",), ("read", made), ("name",)),
        ("key", "burn", "heron", "--dry-run"),
    ):
        for arguments in (command, (*command, "--json")):
            result = world.run(*arguments)
            said += (result.out + result.err).encode()
    assert not [form for seed in seeds for form in forms(seed) if form in said]
    exported = world.ok("key", "export", "heron").out.encode()
    assert any(form in exported for seed in seeds for form in forms(seed)), "control: this one prints it"


def test_new_names_that_would_mislead_are_refused(world: World) -> None:
    world.ok("key", "new", "heron")
    for name in ("heron", "HERON", "once", "thread", "lusab-babad-gutih", " ", "x" * 65):
        assert world.run("key", "new", name).code == 5, name
    assert len(mine(world).keys) == 1


def test_use_a_pseudonym_in_a_thread(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    world.ok("key", "new", "heron")
    said = world.ok("key", "use", "heron", short_id(posts[2].id)).out
    (heron,) = mine(world).keys
    assert said == f'In "A week" you speak as {name_of(heron, posts[0].id)} from now on.\n'
    made = world.ok("reply", short_id(posts[0].id), "--json", stdin="Text").json
    assert made["name"] == name_of(heron, posts[0].id)


def test_a_thread_s_key_is_not_used_elsewhere(world: World) -> None:
    first, second = begin(world, "One"), begin(world, "Two")
    result = world.run("key", "use", first[:8], second[:8])
    assert result.code == 5
    assert "one person wrote in both" in result.err
    world.ok("key", "new", "heron")
    assert "Your earlier posts there stay signed by" in world.ok("key", "use", "heron", first[:8]).err


def test_keep(world: World) -> None:
    made = begin(world)
    assert "kept until you burn it" in world.ok("key", "keep", made[:8]).out
    assert [key.keep for key in mine(world).keys.values()] == [True]
    assert "burns on 2026-12-24" in world.ok("key", "keep", made[:8], "--undo").out
    assert [key.keep for key in mine(world).keys.values()] == [False]


def test_export_and_import(world: World, tmp_path: Path) -> None:
    world.ok("key", "new", "heron")
    line = world.ok("key", "export", "heron")
    assert "Anybody who reads this line can sign as you" in line.err
    before = mine(world).keys
    world.ok("key", "burn", "heron", "--yes")
    assert mine(world).keys == {}
    assert world.ok("key", "import", stdin=line.out).out == 'Took in the pseudonym "heron".\n'
    assert mine(world).keys.keys() == before.keys()
    path = tmp_path / "heron.key"
    path.write_text(line.out)
    assert world.ok("key", "import", "-F", str(path)).out == 'Here already: the pseudonym "heron".\n'
    wrong = line.out.replace("heron", "haron")
    result = world.run("key", "import", stdin=wrong)
    assert result.code == 5
    seeds = [key.seed for key in before.values()]
    assert not [form for seed in seeds for form in forms(seed) if form in result.err.encode()]
    assert world.run("key", "import", line.out).code == 2, "never from the arguments"


# --- names ------------------------------------------------------------------------------------------------


def test_names(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    assert world.ok("name").out == "You have given no names yet.\n"
    result = world.run("name", short_id(posts[1].id), "Bob")
    assert result.code == 5
    assert "an attacker can make a post whose ID begins the same" in result.err
    said = world.ok("name", format_id(posts[1].id), "Bob").out
    assert said == f'{name_of(posts[1].author, posts[0].id)} is "Bob" for you in {short_id(posts[0].id)}.\n'
    world.ok("name", short_id(posts[2].id), "Cyd", "--yes")
    shown = world.ok("read", short_id(posts[0].id)).out
    assert f"Bob ({name_of(posts[1].author, posts[0].id)})" in shown
    listed = world.ok("name").out.splitlines()
    assert [line.split()[0] for line in listed] == ["Bob", "Cyd"]
    assert [row["petname"] for row in world.ok("name", "--json").json] == ["Bob", "Cyd"]
    assert world.run("name", format_id(posts[0].id), "bob").code == 5, "another's name"
    world.ok("name", "--forget", format_id(posts[1].id))
    assert world.run("name", "--forget", format_id(posts[1].id)).code == 3
    assert "Bob" not in world.ok("read", short_id(posts[0].id)).out


def test_a_key_is_named_everywhere(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    key = format_id(posts[1].author)
    assert world.run("name", key, "Bob").code == 3
    world.ok("name", key, "Bob", "--everywhere")
    assert "Bob (" in world.ok("read", short_id(posts[0].id)).out
    assert world.ok("name", "--json").json[0]["root"] is None
    assert world.run("name", short_id(posts[1].author), "Bo", "--everywhere").code == 3, "no prefix of a key"
    assert world.run("name", key).code == 2
    assert world.run("name", key, "Bob", "--forget").code == 2


def test_the_beginning_of_an_id_is_asked_about(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    for answer, code in (("n", 1), ("y", 0)):
        terminal = Terminal("name", short_id(posts[1].id), "Bob")
        terminal.wait_for(f"Do you mean {name_of(posts[1].author, posts[0].id)}")
        terminal.type(f"{answer}\n")
        assert terminal.end() == code
        assert len(mine(world).petnames) == (answer == "y")


def test_names_that_look_alike_are_pointed_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a key takes years to grind, so the drawing of names is made worse for the test: two parts stay."""
    posts = discussion()
    world.keep(*posts)
    assert "looks like" not in world.ok("read", short_id(posts[0].id)).err
    monkeypatch.setattr(reading, "name_of", lambda key, _root: f"lusab-babad-{name_of(key, b'')[:5]}")
    said = world.ok("read", short_id(posts[0].id)).err
    assert said.count("looks like") == 2, "three pseudonyms: the second and the third, each like the first"


# --- idle keys --------------------------------------------------------------------------------------------


def age(world: World, hours: int) -> None:
    """As if all keys had been used so many hours ago."""
    with keystore_of(world).transaction() as box:
        for key in box.keys.values():
            key.used = HOUR - hours


def warned_ago(world: World, hours: int) -> None:
    with keystore_of(world).transaction() as box:
        for key in box.keys.values():
            key.warned = HOUR - hours


DAY = 24


def test_idle_keys_are_warned_of_and_then_burnt(world: World) -> None:
    old = begin(world, "Of long ago")
    world.ok("key", "new", "heron")
    age(world, 26 * DAY)
    assert world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text").err.count("idle") == 0
    age(world, 28 * DAY)
    assert "1 idle key will be burnt unless you use or keep it" in world.ok("status").out
    assert "1 idle key will be burnt" in world.run("doctor").out
    warning = world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text").err
    assert re.search(r"is idle and burns on 2026-11-2[67]; to keep it: p2pforum key keep \w{8}\n", warning)
    again = world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text").err
    assert "idle" not in again, "said once"
    age(world, 31 * DAY)
    warned_ago(world, 2 * DAY)
    world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text")
    assert len(mine(world).keys) == 2, "three days after the warning, not before"
    warned_ago(world, 3 * DAY)
    burnt = world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text").err
    assert "Burnt your key" in burnt
    assert "Of long ago" in burnt
    assert [key.name for key in mine(world).keys.values()] == ["heron"], "pseudonyms stay"
    assert world.ok("read", old).code == 0, "the post stays"


def test_a_key_that_is_kept_is_never_warned_of(world: World) -> None:
    made = begin(world)
    world.ok("key", "keep", made[:8])
    age(world, 400 * DAY)
    assert "idle" not in world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text").err
    assert "idle" not in world.ok("status").out
    assert len(mine(world).keys) == 1


def test_a_reply_by_an_idle_key_renews_it(world: World) -> None:
    """Also on the very day on which it would burn."""
    made = begin(world)
    age(world, 31 * DAY)
    warned_ago(world, 3 * DAY)
    said = world.ok("reply", made[:8], "--json", stdin="More")
    assert "Burnt" not in said.err
    (key,) = mine(world).keys.values()
    assert (key.used, key.warned, key.posts) == (HOUR, 0, 2)
    age(world, 31 * DAY)
    warned_ago(world, 3 * DAY)
    assert "to keep it" in world.ok("key", "use", made[:8], made[:8]).err, "warned anew"
    assert len(mine(world).keys) == 1
    age(world, 31 * DAY)
    warned_ago(world, 3 * DAY)
    assert "Burnt your key" in world.ok("key", "new", "heron").err, "control: due, and not used"
