"""The moment before a text is signed: what asks, and what each answer does."""

from pathlib import Path

import pytest
from cli_keys import mine
from cli_terminal import Terminal, an_editor
from cli_world import CONFIG, World, post

from p2pforum.app.reading import nearest_boards
from p2pforum.app.session import Session
from p2pforum.cli.terminal import passphrases, questions
from p2pforum.config import find_paths
from p2pforum.core.post_id import format_id
from p2pforum.core.text import fold_board
from p2pforum.store.queries import open_reader

LEAKY = "Write to ada@mail.example.\n"
QUESTION = "[p]ost, [e]dit, [d]raft: "


@pytest.fixture
def thread(world: World) -> str:
    """The ID of a thread on #general, so that the board is known."""
    root = post("eve", "Text", subject="S", board="general")
    world.keep(root)
    return format_id(root.id)


def bodies(world: World) -> list[str]:
    with open_reader(find_paths(world.home).data_dir) as reader:
        return sorted(row.body for thread in reader.threads(None, 10) for row in reader.thread(thread.root))


def test_without_a_terminal_nothing_is_signed_and_the_text_is_a_draft(world: World, thread: str) -> None:
    for arguments in (["post", "general", "-s", "S"], ["reply", thread]):
        result = world.run(*arguments, stdin=LEAKY)
        assert result.code == 5
        assert "ada@mail.example" in result.err
        assert "add --yes to post it all the same\nThe text is kept as a draft; to go on:" in result.err
    assert (mine(world).keys, mine(world).outbox, bodies(world)) == ({}, [], ["Text"])
    assert sorted(draft.body for draft in mine(world).drafts.values()) == [LEAKY, LEAKY]
    for arguments in (["post", "general", "-s", "S"], ["reply", thread]):
        result = world.ok(*arguments, "--yes", "--key", "once", stdin=LEAKY)
        assert "ada@mail.example" in result.err, "it is said all the same"
    assert bodies(world) == ["Text", LEAKY.strip(), LEAKY.strip()]


def test_an_edit_asks_too(world: World, thread: str) -> None:
    made = world.ok("reply", thread, "--json", stdin="Harmless").json["id"]
    assert world.run("edit", made, stdin=LEAKY).code == 5
    assert [draft.body for draft in mine(world).drafts.values()] == [LEAKY]
    world.ok("edit", made, "--yes", stdin=LEAKY)


def test_a_text_in_a_file_of_the_users_is_not_kept_twice(world: World, thread: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text(LEAKY)
    result = world.run("reply", thread, "-F", str(path))
    assert (result.code, "draft" in result.err) == (5, False)
    assert mine(world).drafts == {}


def test_a_board_that_is_new_here_asks(world: World, thread: str) -> None:
    result = world.run("post", "genral", "-s", "S", stdin="Text of mine")
    assert result.code == 5
    assert "warning: the board #genral is new here; did you mean #general?\n" in result.err
    result = world.run("post", "zebras", "-s", "S", stdin="Text of mine")
    assert (result.code, "the board #zebras is new here.\n" in result.err) == (5, True)
    assert bodies(world) == ["Text"]
    assert "is new here" not in world.ok("post", "general", "-s", "S", stdin="A board of old").err
    assert "is new here" in world.ok("post", "genral", "--yes", "-s", "S", stdin="A first text").err
    assert "is new here" not in world.ok("post", "genral", "-s", "S", stdin="Some more of it").err
    assert thread


def test_a_board_that_the_user_has_named_is_not_new(world: World) -> None:
    peer = "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
    (world.home / "invite").write_text(world.ok("invite", "--peer", peer, "--board", "invited").out)
    world.ok("join", str(world.home / "invite"))
    (world.home / "config.toml").write_text('boards = ["configured"]\n' + CONFIG)
    with Session(str(world.home)) as session:
        known = {
            name: nearest_boards(session, name) for name in ("configured", "library", "invited", "other")
        }
    assert known == {"configured": None, "library": None, "invited": None, "other": []}


def test_publish_says_that_a_board_is_new(world: World, thread: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": "1", "author": "a", "subject": "S", "body": "B"}\n')
    result = world.run("publish", str(tmp_path / "rows.jsonl"), "-b", "Genral")
    assert result.code == 5
    assert "the board #genral is new here; did you mean #general?" in result.err
    assert thread


def test_capitals_in_the_name_of_a_board_are_folded(world: World, thread: str) -> None:
    result = world.ok("post", "#General", "-s", "S", "--json", stdin="Text of mine")
    assert result.json["board"] == "general"
    assert "Names of boards have small letters: #general.\n" in result.err
    assert "small letters" not in world.ok("post", "general", "-s", "S", stdin="Again a text").err
    assert len(world.ok("threads", "GENERAL", "--json").json) == 3
    (world.home / "config.toml").write_text('boards = ["General"]\n' + CONFIG)
    assert len(world.ok("threads", "--json").json) == 3
    assert thread


@pytest.mark.parametrize("name", ["\u212aitchen", "\u00c4rger", "\u0130", "\uff41"])
def test_other_letters_never_turn_into_a_boards(world: World, name: str) -> None:
    """The first is the sign of the kelvin, which Python's own `lower` makes a "k"."""
    assert fold_board(name) == name
    assert world.run("post", name, "-s", "S", stdin="Text").code == 2


def ask(world: World, *arguments: str, editor: str = "true") -> Terminal:
    terminal = Terminal(*arguments, EDITOR=an_editor(world.home, editor), P2PFORUM_PAGER="cat")
    terminal.wait_for(QUESTION)
    return terminal


def leaky_file(world: World) -> str:
    (world.home / "text").write_text(LEAKY)
    return str(world.home / "text")


def test_post_posts(world: World, thread: str) -> None:
    terminal = ask(world, "reply", thread, "-F", leaky_file(world))
    assert bodies(world) == ["Text"], "asked before"
    terminal.type("what?\n")
    terminal.type("p\n")
    assert terminal.end() == 0, terminal.screen
    assert terminal.screen.count(QUESTION) == 2
    assert bodies(world) == ["Text", LEAKY.strip()]


def test_draft_keeps_the_text_and_says_how_to_go_on(world: World, thread: str) -> None:
    terminal = ask(world, "reply", thread, "-F", leaky_file(world))
    terminal.type("d\n")
    assert terminal.end() == 1
    assert "Nothing was posted." in terminal.screen
    assert f"The text is kept as a draft; to go on: p2pforum reply {thread}" in terminal.screen.replace(
        "\r\n", ""
    )
    assert [draft.body for draft in mine(world).drafts.values()] == [LEAKY]
    assert (bodies(world), mine(world).keys) == (["Text"], {})


def test_edit_goes_back_to_the_editor_with_the_text(world: World, thread: str) -> None:
    """What is posted in the end is what was written last, and a second try asks once more."""
    script = (
        'cat "$1" >> "$P2PFORUM_HOME/seen"; sed -i "s/mail.example/post.example/; s/^Write.*post.*/&/" "$1"'
    )
    terminal = ask(world, "reply", thread, "-F", leaky_file(world), editor=script)
    terminal.type("e\n")
    terminal.wait_for("ada@post.example")
    an_editor(world.home, 'echo Harmless > "$1"')
    terminal.type("e\n")
    assert terminal.end() == 0, terminal.screen
    assert (world.home / "seen").read_text().startswith(LEAKY)
    assert terminal.screen.count(QUESTION) == 2
    assert bodies(world) == ["Harmless", "Text"]
    assert mine(world).drafts == {}


def test_what_was_written_last_is_what_is_kept(world: World, thread: str) -> None:
    """Of a file, too: it does not have what was changed since. What an editor that failed left is a draft of
    its own.
    """
    terminal = ask(world, "reply", thread, "-F", leaky_file(world), editor='sed -i s/mail/post/ "$1"')
    terminal.type("e\n")
    terminal.wait_for("ada@post.example")
    an_editor(world.home, 'echo lost > "$1"; exit 1')
    terminal.type("e\n")
    assert terminal.end() == 1
    changed = LEAKY.replace("mail", "post").strip()
    assert sorted(draft.body for draft in mine(world).drafts.values()) == [changed, "lost"]
    assert "The text is kept as a draft; to go on:" in terminal.screen


def test_a_text_that_is_emptied_at_the_question_stays_a_draft(world: World, thread: str) -> None:
    terminal = ask(world, "reply", thread, "-F", leaky_file(world), editor=': > "$1"')
    terminal.type("e\n")
    assert terminal.end() == 1
    assert "you wrote nothing, so nothing was posted; the draft is still there" in terminal.screen
    assert [draft.body for draft in mine(world).drafts.values()] == [LEAKY]
    assert bodies(world) == ["Text"]


def test_a_text_left_as_it_was_is_asked_about_once_more(world: World, thread: str) -> None:
    """And by this question alone."""
    (world.home / "titled").write_text("Title\n\n" + LEAKY)
    terminal = ask(world, "post", "general", "-F", str(world.home / "titled"), editor="true")
    terminal.type("e\np\n")
    assert terminal.end() == 0, terminal.screen
    assert terminal.screen.count(QUESTION) == 2
    assert "You changed nothing" not in terminal.screen
    assert (bodies(world), mine(world).drafts) == (["Text", LEAKY.strip()], {})
    assert thread


@pytest.mark.parametrize(("typed", "code"), [("\x03", 130), ("\x04", 1), ("half\x04\x04", 1)])
def test_a_text_typed_in_the_editor_survives_the_end_of_the_question(
    world: World, thread: str, typed: str, code: int
) -> None:
    terminal = ask(world, "reply", thread, editor='echo "Mail ada@mail.example" > "$1"')
    terminal.type(typed)
    assert terminal.end() == code
    assert ("interrupted" if code == 130 else "the input ended") in terminal.screen
    assert "The text is kept as a draft" in terminal.screen
    assert [draft.body for draft in mine(world).drafts.values()] == ["Mail ada@mail.example"]
    assert bodies(world) == ["Text"]


def test_an_answer_is_known_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([b"", b"x", b"posts", b"\xff", b" Dr "])
    monkeypatch.setattr(passphrases, "has_terminal", lambda: True)
    monkeypatch.setattr(passphrases, "type_line", lambda _question: next(typed))
    assert questions.choose("?", ("post", "draft"), "") == "draft"
    assert list(typed) == []


def test_a_refused_text_in_a_file_of_the_users_is_no_draft(world: World, thread: str) -> None:
    (world.home / "text").write_text("A subject alone")
    assert world.run("post", "general", "-F", str(world.home / "text")).code == 5
    assert mine(world).drafts == {}
    assert thread
