"""boards, threads, read, search: what they print, and what hostile posts can't do to it."""

import json
import re

import pytest
from cli_keys import make_cheap, set_passphrase
from cli_world import HOUR, World, discussion, post

from p2pforum.cli.terminal import render
from p2pforum.core import limits
from p2pforum.core.post_id import format_id, short_id
from p2pforum.core.pseudonym import name_of

ESCAPE = re.compile("\x1b\\[[0-9;]*m")


def ids_of(*posts: object) -> list[str]:
    return [short_id(p.id) for p in posts]  # type: ignore[attr-defined]


def test_nothing_here(world: World) -> None:
    for command in (["boards"], ["threads"]):
        result = world.ok(*command)
        assert result.out == "No boards are here yet.\n"
        assert "p2pforum post BOARD" in result.err
        assert "p2pforum run --peer ADDRESS" in result.err
    result = world.ok("threads", "library")
    assert result.out == "No threads on #library.\n"
    assert "p2pforum post library" in result.err
    assert world.ok("search", "anything").out == "Nothing found.\n"
    for command in (["boards"], ["threads"], ["search", "anything"]):
        assert world.ok(*command, "--json").json == []
    assert not (world.home / "data").exists(), "reading makes nothing"


def test_boards(world: World) -> None:
    world.keep(*discussion(), post("dan", "Text", subject="Else", board="node-ops", hour=HOUR - 50))
    assert world.ok("boards").out == (
        "#library   1 thread  5 posts  this hour\n#node-ops  1 thread   1 post  2 days ago\n"
    )
    assert world.ok("boards", "--json").json[0] == {
        "board": "library",
        "thread_count": 1,
        "post_count": 5,
        "hour": HOUR,
        "time": "2026-11-24T21:00:00Z",
    }


def test_threads(world: World) -> None:
    posts = discussion()
    other = post("dan", "Text", subject="Something else", board="node-ops", hour=HOUR - 50)
    world.keep(*posts, other)
    first, second = ids_of(posts[0], other)
    ada, dan = (name_of(p.author, p.id) for p in (posts[0], other))
    assert world.ok("threads").out == (
        f"{first}  A week          {ada}  #library   5 posts  this hour\n"
        f"{second}  Something else  {dan}  #node-ops   1 post  2 days ago\n"
    )
    assert world.ok("threads", "#node-ops").out.startswith(f"{second}  Something else")
    assert len(world.ok("threads", "-n", "1").out.splitlines()) == 1
    row = world.ok("threads", "library", "--json").json[0]
    assert row["id"] == format_id(posts[0].id)
    assert (row["subject"], row["post_count"], row["name"]) == (
        "A week",
        5,
        name_of(posts[0].author, posts[0].id),
    )


def test_boards_of_the_config_file(world: World) -> None:
    config = world.home / "config.toml"
    config.write_text(config.read_text() + 'boards = ["node-ops", "garden"]\n')
    world.keep(
        *(post("dan", "Text", subject=board, board=board) for board in ("node-ops", "library", "garden"))
    )
    assert {row["board"] for row in world.ok("threads", "--json").json} == {"node-ops", "garden"}
    assert {row["board"] for row in world.ok("threads", "library", "--json").json} == {"library"}


def test_read(world: World) -> None:
    posts = discussion()
    root, yes, same, _, join = posts
    world.keep(*posts)
    ids = dict(zip(("root", "yes", "same", "which", "join"), ids_of(*posts), strict=True))
    ada, bob, cyd = (name_of(p.author, root.id) for p in (root, yes, same))
    names = {p.id: name_of(p.author, root.id) for p in posts}
    assert world.ok("read", ids["root"][:5]).out == (
        f"""\
A week
#library · 5 posts by 3 pseudonyms
latest this hour

{ada}  {ids["root"]}  yesterday
│ Ran a node all week.
│
│ Anyone syncing over a bundle?

  {bob}  {ids["yes"]}  5 hours ago
  │ > Anyone syncing over a bundle?
  │
  │ Yes, weekly.

  ↳ {ada}  {ids["which"]}  1 hour ago
  │ Which stick?

  {cyd}  {ids["same"]}  2 hours ago
  │ Same here.

  ↳ {bob}  {ids["join"]}  this hour
    answers {", ".join(f"{names[p]} {short_id(p)}" for p in join.payload.parents)}
  │ Thanks, both.
"""
    )


def test_read_marks_the_post_that_was_asked_for(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    lines = world.ok("read", short_id(posts[2].id)).out.splitlines()
    assert lines[0] == "A week"
    assert [line for line in lines if "◀" in line] == [
        f"  {name_of(posts[2].author, posts[0].id)}  {short_id(posts[2].id)}  2 hours ago  ◀"
    ]


def test_read_json(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    thread = world.ok("read", short_id(posts[0].id), "--json").json
    assert (thread["subject"], thread["board"], thread["complete"]) == ("A week", "library", True)
    by_id = {p["id"]: p for p in thread["posts"]}
    joined = by_id[format_id(posts[4].id)]
    assert joined["parents"] == [format_id(p) for p in posts[4].payload.parents]
    assert joined["body"] == "Thanks, both."
    assert (joined["hour"], joined["time"]) == (HOUR, "2026-11-24T21:00:00Z")
    assert joined["mine"] is False
    assert joined["released"] is True


def test_what_is_missing_is_said(world: World) -> None:
    root, yes, _, which, _ = discussion()
    world.keep(root, which)
    out = world.ok("read", short_id(root.id)).out
    assert f"answers {short_id(yes.id)} (not here yet)" in out
    assert world.ok("read", short_id(root.id), "--json").json["complete"] is False
    other = post("ada", "Alone", to=[post("ada", "Root", subject="Lost root")])
    world.keep(other)
    assert "(first post not here yet)" in world.ok("threads").out
    assert "Alone" in world.ok("read", short_id(other.id)).out
    assert "Alone" in world.ok("read", short_id(other.thread)).out  # named, though not here


def test_what_authors_took_back_or_changed(world: World) -> None:
    from p2pforum.core.kinds import REMARKS, Kind

    root, yes, same, *_ = discussion()
    retract = post("bob", "", to=[yes], kind=Kind.RETRACT, content=(yes.id,))
    edit = post("cyd", "", to=[same], kind=Kind.SUPERSEDE, content=(same.id, "Same here, in Turku."))
    newer = post("eve", "", to=[root], kind=77, content=("what is this",))
    remark = post("eve", "", to=[root], kind=REMARKS + 77, content=(root.id, "what is this"))
    world.keep(root, yes, same, retract, edit, newer, remark)
    assert world.ok("read", short_id(root.id), "--json").json["newer"] == 1
    assert "4 posts" in world.ok("threads").out
    out = world.ok("read", short_id(root.id)).out
    assert "Yes, weekly" not in out
    assert "(withdrawn by its author)" in out
    assert "Same here, in Turku." in out
    assert "edited this hour" in out
    assert "(written by a newer version of p2pforum; update to read it)" in out
    assert "(1 remark written by a newer version of p2pforum)" in out
    assert "what is this" not in out


def test_search(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    out = world.ok("search", "weekly").out
    assert short_id(posts[1].id) in out
    assert "Yes, weekly." in out
    found = world.ok("search", "bundle", "--json").json
    assert {row["id"] for row in found} == {format_id(posts[0].id), format_id(posts[1].id)}
    assert world.ok("search", "bundle", "--board", "garden").out == "Nothing found.\n"
    for query in ("NEAR(", "a:b", "'; DROP TABLE post; --", "col:x", "week^", "{text}:week"):
        world.ok("search", "--", query)
    for query in ('"', "*", "-", "(", "\x00", "OR", "col:x AND", "", "-wind"):
        refused = world.run("search", "--", query)
        assert (refused.code, refused.out) == (2, "")
        assert len(refused.err.splitlines()) == 1


def test_an_excerpt_that_does_not_fit_says_that_there_is_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.keep(post("ada", "word " * 30 + "needle " + "more " * 30, subject="S"))
    monkeypatch.setenv("COLUMNS", "40")
    rows = [row for row in world.ok("search", "needle").out.splitlines() if "│" in row]
    assert len(rows) == 2
    assert rows[1].endswith("…")
    assert all(len(row) <= 40 for row in rows)


@pytest.mark.parametrize("command", ["read", "threads", "search", "outbox"])
def test_posts_of_the_worst_text_are_shown_in_time_proportional_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Looks at a character are counted: the same posts in fourfold number take four times as many."""
    looks = 0
    real = render._char_width

    def count(char: str) -> int:
        nonlocal looks
        looks += 1
        return real(char)

    monkeypatch.setattr(render, "_char_width", count)
    worst = "é" + "\u200d" * 1_500 + "é\u200d" * 1_400 + " bomb"
    root = post("ada", worst, subject="é" + "\u200d" * 60)
    world.keep(root, *(post("eve", f"{worst} {n}", to=[root]) for n in range(20)))
    arguments = {"read": [short_id(root.id)], "search": ["bomb"]}.get(command, [])
    world.ok(command, *arguments)
    assert looks <= 21 * 8 * len(worst)


@pytest.mark.parametrize("color", ["never", "always"])
def test_hostile_posts(world: World, color: str) -> None:
    """Text that is valid on the network and hostile on a terminal. Controls can't even travel."""
    evil = "\u200b\u2060\ufeff\u00ad\ue000\u115f a" + "\u0301" * 300 + "\u2028end"
    root = post("eve", evil + "\n│ name  k7q2mf0a\n" + "W" * 500, subject=evil[:40], board="evil")
    world.keep(root, post("eve", evil, to=[root]))
    for command in (["read", short_id(root.id)], ["threads"], ["search", "end"], ["boards"]):
        out = ESCAPE.sub("", world.ok("--color", color, *command).out)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff\u00ad\ue000\u115f\u2028]", out)
        assert "\u0301" * 9 not in out
        assert all(len(line) <= 120 for line in out.splitlines())
    bodies = [line for line in world.ok("read", short_id(root.id)).out.splitlines() if "k7q2mf0a" in line]
    assert bodies == ["│ │ name  k7q2mf0a"]
    shown = world.ok("read", short_id(root.id), "--json")
    assert shown.out.isascii()
    assert shown.json["posts"][0]["body"] == root.body


def test_negative_control_raw_output_would_be_hostile(world: World) -> None:
    """What the test above looks for is found where text is not cleaned."""
    root = post("eve", "a\u200bb" + "\u0301" * 300, subject="evil", board="evil")
    world.keep(root)
    raw = world.ok("read", short_id(root.id), "--json").json["posts"][0]["body"]
    assert re.search("\u200b", raw)
    assert "\u0301" * 9 in raw


def test_unknown_and_ambiguous_ids(world: World) -> None:
    posts = [post("ada", f"Body {n}", subject=f"Subject {n}") for n in range(120)]
    world.keep(*posts)
    result = world.run("read", "uuuu")
    assert result.code == 3
    assert "uuuu" in result.err
    first = [short_id(p.id)[0] for p in posts]
    common = max(set(first), key=first.count)
    result = world.run("read", common)
    assert result.code == 3
    assert f'several IDs begin with "{common}"' in result.err
    assert len(re.findall(rf"^  {common}\w{{7}}  Subject", result.err, re.MULTILINE)) >= 2
    assert world.run("read", "0" * 52).code == 3
    assert world.run("reply", "uuuu", stdin="text").code == 3


def test_colour_marks_the_unique_part_of_ids(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    out = world.ok("--color", "always", "read", short_id(posts[0].id)).out
    text = short_id(posts[0].id)
    assert f"\x1b[1;36m{text[:4]}\x1b[0m\x1b[2m{text[4:]}\x1b[0m" in out
    assert ESCAPE.sub("", out).splitlines()[0].endswith("  A week")
    picture = [line[:5] for line in ESCAPE.sub("", out).splitlines()[:3]]
    assert all(set(row) <= set("█▀▄ ") for row in picture)


def test_a_locked_keystore_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap(monkeypatch)
    root, yes, *_ = posts = discussion()
    world.keep(*posts)
    typed = short_id(root.id)
    commands = (["read", typed], ["threads"], ["search", "weekly"], ["read", typed, "--json"])
    for command in commands:
        assert world.ok(*command).err == "", "without a keystore there is nothing to say"
    world.ok("name", format_id(yes.id), "Bob", "--everywhere")
    for command in commands:
        result = world.ok(*command)
        assert ("locked" in result.err, "Bob" in result.out) == (False, command[0] != "threads")
    set_passphrase(world, monkeypatch)
    world.ok("passphrase", "--new-file", str(world.home / "passphrase"))
    for command in commands:
        result = world.ok(*command)
        assert result.err.startswith("Your keystore is locked, so your petnames are not shown, and not which")
        assert "p2pforum unlock" in result.err
        assert "Bob" not in result.out


def test_petnames_everywhere(world: World) -> None:
    root, yes, *_ = posts = discussion()
    world.keep(*posts)
    world.ok("name", format_id(root.id), "Ada\u200b")
    world.ok("name", format_id(yes.id), "Bob")
    drawn = name_of(root.author, root.id)
    threads = world.ok("threads")
    assert "  Ada<U+200B>  " in threads.out
    assert drawn not in threads.out
    (row,) = world.ok("threads", "--json").json
    assert (row["name"], row["petname"]) == (drawn, "Ada\u200b")
    assert f"{short_id(yes.id)}  #library · Bob · 5 hours ago\n" in world.ok("search", "weekly").out
    world.ok("key", "new", "heron")
    world.ok("post", "library", "-s", "S", "--key", "heron", stdin="Text")
    world.ok("post", "library", "-s", "S", stdin="Text")
    assert {row["petname"] for row in world.ok("outbox", "--json").json} == {"heron", None}
    assert world.ok("outbox").out.count("  as heron  ") == 1


def test_names_of_mine(world: World) -> None:
    """Petnames and "you" come from the keystore, if it opens by itself."""
    from p2pforum.config import find_paths
    from p2pforum.keystore.keystore import Keystore

    made = world.ok("post", "library", "-s", "Mine", "--json", stdin="Text").json
    root, *_ = others = discussion()
    world.keep(*others)
    with Keystore(find_paths(world.home).keys_dir).transaction() as box:
        box.petnames[(b"", root.author)] = "Ada\x1b[31m"
    assert "  you · this hour · not public yet" in world.ok("read", made["id"]).out
    assert f"Ada<U+001B>[31m ({name_of(root.author, root.id)})  " in world.ok("read", short_id(root.id)).out
    mine = world.ok("read", made["id"], "--json").json["posts"][0]
    assert (mine["mine"], mine["released"]) == (True, False)
    assert json.dumps(made)


def found_by(world: World, *arguments: str) -> set[str]:
    return {row["body"] for row in world.ok("search", "--json", *arguments).json}


def test_words_that_begin_with_a_minus_are_words(world: World) -> None:
    """`-book` was read as `--board ook`, and `-wind` was no option at all."""
    book, wind, neither = "Panic in a book.", "Panic in the wind.", "Panic."
    world.keep(
        *(post("ada", text, subject="S", board=board) for text, board in [(book, "ook"), (wind, "garden")]),
        post("ada", neither, subject="S", board="garden"),
    )
    everything = {book, wind, neither}
    assert found_by(world, "panic") == everything
    assert found_by(world, "panic", "-book") == found_by(world, "-book", "panic") == {wind, neither}
    assert found_by(world, "panic", "-wind") == found_by(world, "panic -wind") == {book, neither}
    assert found_by(world, "panic", '-"the wind"') == {book, neither}
    assert found_by(world, "panic", "-n10") == everything, "a word that no post has"
    assert found_by(world, "panic", "-p") == everything
    assert found_by(world, "panic", "-b", "ook") == found_by(world, "-b", "ook", "panic") == {book}
    assert len(found_by(world, "panic", "-n", "2")) == 2
    assert found_by(world, "--", "panic", "-wind") == {book, neither}
    assert "Usage" in world.ok("search", "-h").out
    for wrong in (["panic", "--wind"], ["panic", "-n", "-2"], ["panic", "--board", "-x"]):
        assert world.run("search", *wrong).code == 2


def test_nothing_found_says_what_could_be_tried(world: World) -> None:
    world.keep(*discussion())
    for arguments, advice in {
        ("zebras",): "search 'zebr*'",
        ("week", "zebra"): '"OR"',
        ("weekly", "-bundle", "-yes"): "left out",
        ("week", "--board", "garden"): "Only #garden",
    }.items():
        result = world.ok("search", *arguments)
        assert result.out == "Nothing found.\n"
        assert advice in result.err
    assert world.ok("search", "week").err == ""


def listed(out: str) -> list[str]:
    return re.findall(r"^(\w{8})  ", out, re.MULTILINE)


def test_a_list_that_is_cut_says_so_and_how_to_go_on(world: World) -> None:
    world.keep(*(post("ada", "Panic.", subject=f"Number {n}", hour=HOUR - n // 4) for n in range(43)))
    for command, unit in (
        (["threads"], "threads"),
        (["threads", "library"], "threads"),
        (["search", "panic"], "posts"),
    ):
        arguments = command
        seen: list[str] = []
        for numbers in ("20", "21 to 40", ""):
            result = world.ok(*arguments)
            seen += listed(result.out)
            again = f" {' '.join(arguments)} --more\n"
            if numbers:
                assert result.err.startswith(f"{numbers} of 43 {unit}; for the next: ")
                assert result.err.endswith(again)
            else:
                assert result.err == ""
            arguments = [*arguments, "--more"]
        assert len(seen) == len(set(seen)) == 43
        assert world.ok(*arguments).out == f"No more {unit}.\n"
        exact = world.ok(*command, "-n", "43")
        assert exact.err == ""
        assert world.ok(*command, "-n", "42").err.endswith(f" {' '.join(command)} -n 42 --more\n")


def test_pages_of_several_boards_fit_together(world: World) -> None:
    config = world.home / "config.toml"
    config.write_text(config.read_text() + 'boards = ["one", "two"]\n')
    boards = ["one", "two", "three"]
    world.keep(
        *(
            post("ada", "Text", subject=f"Number {n}", board=boards[n % 3], hour=HOUR - n // 15)
            for n in range(60)
        )
    )
    pages = [world.ok("threads", "-n", "7", *["--more"] * n) for n in range(6)]
    seen = [name for page in pages for name in listed(page.out)]
    assert len(seen) == len(set(seen)) == 40
    assert "7 of 40 threads" in pages[0].err
    assert pages[-1].err == ""


def test_a_count_of_many_posts_ends_early(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.keep(*(post("ada", "Panic.", subject=f"Number {n}") for n in range(12)))
    for counted, said in ((11, "more than 11 posts"), (12, "12 posts")):
        monkeypatch.setattr(limits, "SEARCH_COUNTED", counted)
        assert world.ok("search", "panic", "-n", "5").err.startswith(f"5 of {said};")


def test_the_next_page_of_a_search_is_of_the_same_search(world: World) -> None:
    world.keep(*(post("ada", "Solar panic.", subject=f"Number {n}") for n in range(22)))
    err = world.ok("search", "-wind", "solar OR 'sun'", "--board", "library").err
    assert err.endswith("""search -wind 'solar OR '"'"'sun'"'"'' --board library --more\n""")
