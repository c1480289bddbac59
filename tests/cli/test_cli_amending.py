"""`edit` and `retract`: what others see of them, what is asked first, and what is lost by neither."""

import pytest
from cli_keys import make_cheap, mine
from cli_terminal import Terminal, an_editor
from cli_world import PARAMS, World, discussion

from p2pforum.cli.terminal.editor import SCISSORS
from p2pforum.config import find_paths
from p2pforum.core.post_id import format_id, parse_id, short_id
from p2pforum.store.posts import open_store


@pytest.fixture
def made(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ID of a post of mine."""
    make_cheap(monkeypatch)
    return str(world.ok("post", "library", "-s", "Readers", "--json", stdin="Firts text").json["id"])


def test_an_edit_is_shown_in_place_of_the_old_text(world: World, made: str) -> None:
    result = world.ok("edit", made[:8], stdin="First text")
    assert result.out.startswith(f"Edited {made[:8]} in {made[:8]} as ")
    shown = world.ok("read", made).out
    assert "First text" in shown
    assert "Firts" not in shown
    assert "edited this hour" in shown
    assert "Readers" in shown, "the subject stays"
    assert world.ok("edit", made, "--json", stdin="Another").json["root"] == made
    assert "Another" in world.ok("read", made).out


def test_the_editor_begins_with_the_text_as_it_is_now(world: World) -> None:
    world.ok("post", "library", "-s", "Readers", stdin="Firts text")
    made = mine(world).keys
    root = next(iter(made.values())).root
    world.ok("edit", format_id(root), stdin="Second text")
    editor = an_editor(world.home, 'cat "$1" > "$P2PFORUM_HOME/seen"; sed -i s/Second/Third/ "$1"')
    terminal = Terminal("edit", short_id(root), EDITOR=editor)
    assert terminal.end() == 0, terminal.screen
    seen = (world.home / "seen").read_text()
    assert seen.startswith(f"Second text\n{SCISSORS}\n# A new text for your post.")
    assert "Third text" in world.ok("read", format_id(root)).out


def test_a_failed_edit_is_a_draft_that_is_listed(world: World, made: str) -> None:
    result = world.run("edit", made, stdin="x" * 40_000)
    assert result.code == 5
    assert f"to go on: p2pforum edit {made} --draft " in result.err
    assert f"p2pforum edit {made[:8]} --draft " in world.ok("drafts").out
    assert "Firts text" in world.ok("read", made).out


def test_an_edit_that_changes_nothing(world: World, made: str) -> None:
    result = world.run("edit", made, stdin="Firts text")
    assert (result.code, "the post has that text already" in result.err) == (5, True)


def test_a_text_that_gives_one_away_is_told_of(world: World, made: str) -> None:
    leaky = "See https://a.example/?utm_source=x"
    assert "tracking in a link" in world.ok("edit", made, "--yes", stdin=leaky).err
    assert "tracking" not in world.ok("edit", made, "--quiet-check", stdin=leaky + "!").err


def test_a_withdrawn_post_is_hidden_and_its_answers_stay(world: World, made: str) -> None:
    world.ok("reply", made, stdin="An answer")
    result = world.ok("retract", made, "--yes")
    assert result.out.startswith(f"Withdrew {made[:8]} in {made[:8]} as ")
    shown = world.ok("read", made).out
    assert "(withdrawn by its author)" in shown
    assert "An answer" in shown
    assert "Firts text" not in shown
    assert world.run("retract", made, "--yes").code == 5, "once"
    assert world.run("edit", made, stdin="Back again").code == 5, "and for ever"


def test_it_asks_whether_it_is_meant(world: World, made: str) -> None:
    """A withdrawal can't be undone. Where nobody can be asked, it is refused."""
    result = world.run("retract", made)
    assert (result.code, "add --yes to confirm" in result.err) == (5, True)
    assert "Firts text" in world.ok("read", made).out


@pytest.mark.parametrize(("answer", "is_done"), [("n", False), ("y", True)])
def test_the_answer_counts(world: World, answer: str, is_done: bool) -> None:
    made = world.ok("post", "library", "-s", "Mine", "--json", stdin="Text").json["id"]
    terminal = Terminal("retract", made[:8])
    terminal.wait_for("Withdraw the post that begins: Mine? It can't be undone")
    terminal.type(answer + "\n")
    terminal.end()
    assert ("withdrawn by its author" in world.ok("read", made).out) == is_done


@pytest.mark.parametrize("command", [("edit",), ("retract", "--yes")])
def test_posts_of_others_and_of_burnt_keys_are_not_mine(
    world: World, made: str, command: tuple[str, ...]
) -> None:
    posts = discussion()
    world.keep(*posts)
    assert world.run(command[0], format_id(posts[1].id), *command[1:], stdin="Mine").code == 3
    with open_store(find_paths(world.home).data_dir, PARAMS) as store:
        store.release([parse_id(made)])  # else it would be gone with its key
    world.ok("key", "burn", "--everything", "--yes")
    result = world.run(command[0], made, *command[1:], stdin="Mine")
    assert (result.code, "not yours, or you burnt its key" in result.err) == (3, True)


def test_over_a_node(world: World, made: str) -> None:
    with world.node():
        assert world.ok("edit", made, "--json", stdin="New").json["node"] is True
        assert world.ok("retract", made, "--yes", "--json").json["node"] is True
    assert "(withdrawn by its author)" in world.ok("read", made).out
