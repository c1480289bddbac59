"""post and reply: where the text comes from, where the post goes, and that no text is lost."""

import stat
from pathlib import Path

import pytest
from cli_world import HOUR, Result, World, discussion, post

from p2pforum.api.backend import Submitted
from p2pforum.config import find_paths
from p2pforum.core import limits
from p2pforum.core.post_id import parse_id, short_id
from p2pforum.core.pseudonym import name_of
from p2pforum.forum.drafts import reply_destination
from p2pforum.keystore.contents import Contents
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.directory import held
from p2pforum.store.queries import open_reader

OFFLINE = "The node is not running. The post waits here and leaves when it runs"


def mine(world: World) -> Contents:
    return Keystore(find_paths(world.home).keys_dir).read()


def stored(world: World, post_id: str) -> tuple[str, str, bool]:
    with open_reader(find_paths(world.home).data_dir) as reader:
        row = reader.post(parse_id(post_id))
    assert row is not None
    return row.subject, row.body, row.released


def test_post_without_a_node(world: World) -> None:
    result = world.ok("post", "library", "-s", "A subject", "--json", stdin="Some text.\n")
    made = result.json
    assert made["board"] == "library"
    assert (made["outcome"], made["node"]) == ("stored", False)
    assert stored(world, made["id"]) == ("A subject", "Some text.", False)
    assert OFFLINE in result.err
    assert "Made a keystore without a passphrase" in result.err
    second = world.ok("post", "library", "-s", "Another", stdin="Text")
    assert "Made a keystore" not in second.err, "said once"
    assert second.out.startswith("Posted ")
    assert " on #library as " in second.out


def test_post_with_a_node(world: World) -> None:
    with world.node():
        result = world.ok("post", "library", "-s", "A subject", "--json", stdin="Some text.")
        assert OFFLINE not in result.err
    assert result.json["node"] is True
    assert stored(world, result.json["id"])[1] == "Some text."
    assert mine(world).outbox == []


def test_each_thread_has_its_own_key(world: World) -> None:
    first = world.ok("post", "library", "-s", "One", "--json", stdin="Text").json
    second = world.ok("post", "library", "-s", "Two", "--json", stdin="Text").json
    again = world.ok("reply", first["id"], "--json", stdin="More").json
    assert len(mine(world).keys) == 2
    assert first["name"] == again["name"]
    assert first["name"] != second["name"]


def test_the_first_line_is_the_subject(world: World) -> None:
    made = world.ok("post", "library", "--json", stdin="\nWhich readers?\n\nI read at night.\nA lot.\n").json
    assert stored(world, made["id"])[:2] == ("Which readers?", "I read at night.\nA lot.")
    result = world.run("post", "library", stdin="Only one line")
    assert result.code == 5
    assert "-s SUBJECT" in result.err


def test_text_from_a_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("From a file.\n# not a comment here\n")
    made = world.ok("post", "library", "-s", "S", "-F", str(path), "--json").json
    assert stored(world, made["id"])[1] == "From a file.\n# not a comment here"
    made = world.ok("reply", made["id"], "-F", "-", "--json", stdin="From standard input").json
    assert stored(world, made["id"])[1] == "From standard input"
    result = world.run("post", "library", "-s", "S", "-F", str(tmp_path / "none"))
    assert result.code == 1
    assert "No such file" in result.err


def test_a_mark_that_an_editor_put_in_front_is_not_published(world: World) -> None:
    made = world.ok("post", "library", "--json", stdin="\ufeffHello gardeners\n\n\ufeffText").json
    assert stored(world, made["id"])[:2] == ("Hello gardeners", "Text")
    made = world.ok("post", "library", "-s", "\ufeffHello", "--json", stdin="\ufeffText").json
    assert stored(world, made["id"])[:2] == ("Hello", "Text")


@pytest.mark.parametrize("text", ["", "\n \n\t\n", "\ufeff\n"])
def test_nothing_written_nothing_posted(world: World, text: str) -> None:
    result = world.run("post", "library", "-s", "S", stdin=text)
    assert (result.code, result.out) == (1, "")
    assert result.err.endswith("you wrote nothing, so nothing was posted\n")
    assert mine(world).drafts == {}
    assert not (world.home / "data").exists()


def test_reply_names_its_parents(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    made = world.ok("reply", short_id(posts[1].id)[:6], "--json", stdin="Thanks").json
    with open_reader(find_paths(world.home).data_dir) as reader:
        row = reader.post(parse_id(made["id"]))
        assert row is not None
        assert (row.parents, row.root, row.board) == ((posts[1].id,), posts[0].id, "library")


def parents_of(world: World, made: Result) -> set[bytes]:
    with open_reader(find_paths(world.home).data_dir) as reader:
        row = reader.post(parse_id(made.json["id"]))
        assert row is not None
        return set(row.parents)


def test_a_reply_says_whom_it_answers_before_and_after(world: World) -> None:
    root, yes, same, *_ = posts = discussion()
    world.keep(*posts)
    world.ok("init")
    with Keystore(find_paths(world.home).keys_dir).transaction() as box:
        box.petnames[(root.id, same.author)] = "Cyd"
    bob = name_of(yes.author, root.id)
    result = world.ok("reply", short_id(yes.id), short_id(same.id), stdin="To both of you")
    whom = [f"{bob}: Yes, weekly.", "Cyd: Same here."]
    before = [line for line in result.err.splitlines() if line.startswith("Answering ")]
    assert before == [f"Answering {text}" for text in whom]
    after = result.out.splitlines()
    assert after[0].startswith("Posted ")
    assert after[1:] == [f"It answers {text}" for text in whom]
    to_root = world.ok("reply", short_id(root.id), stdin="To the one who asked")
    assert f"It answers {name_of(root.author, root.id)}: A week\n" in to_root.out


def test_what_a_reply_answers(world: World) -> None:
    root, yes, _, which, join = posts = discussion()
    fork = post("dan", "Me, too.", to=[root])
    world.keep(*posts, fork)
    typed = {p.id: short_id(p.id) for p in (*posts, fork)}
    made = world.ok("reply", typed[root.id], "--json", stdin="To the one who asked")
    assert parents_of(world, made) == {root.id}
    made = world.ok(
        "reply", typed[yes.id], typed[which.id], typed[yes.id], "--key", "once", "--json", stdin="x"
    )
    assert parents_of(world, made) == {yes.id, which.id}
    made = world.ok("reply", typed[root.id], "--latest", "--key", "once", "--json", stdin="To what was last")
    assert parents_of(world, made) == {join.id, fork.id}, "not to unsent ones of another key"
    assert made.err.count("Answering ") == 2
    result = world.run("reply", *list(typed.values())[:5], stdin="To all")
    assert (result.code, mine(world).drafts) == (5, {}), "refused before anything is read"
    assert "at most 4" in result.err
    other = post("eve", "Text", subject="Elsewhere")
    world.keep(other)
    assert "different threads" in world.run("reply", typed[root.id], short_id(other.id), stdin="x").err


def test_latest_says_what_it_leaves_out(world: World) -> None:
    root = post("ada", "Text", subject="S", hour=HOUR - 20)
    forks = [post("bob", str(n), to=[root], hour=HOUR - n) for n in range(6)]
    world.keep(root, *forks)
    made = world.ok("reply", short_id(root.id), "--latest", "--json", stdin="To all of you")
    assert parents_of(world, made) == {p.id for p in forks[:4]}
    assert "at most 4 others: 2 older ones are left out" in made.err


def test_a_reply_to_several_goes_on_as_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    posts = discussion()
    world.keep(*posts)
    ids = [short_id(posts[n].id) for n in (4, 1)]
    result = world.run("reply", *ids, "--key", "nobody", stdin="Not lost")
    assert result.code == 3
    assert f"p2pforum reply {' '.join(ids)}" in result.err
    (draft,) = mine(world).drafts.values()
    assert draft.destination == reply_destination(min(posts[4].id, posts[1].id))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * (limits.MAX_BODY + 1), "bytes"),
        ("x" * 100_000, "bytes"),
        (b"\xff\xfe latin", "not UTF-8"),
    ],
)
def test_texts_that_can_not_be_posted(world: World, text: str | bytes, reason: str) -> None:
    result = world.run("post", "library", "-s", "S", stdin=text)
    assert result.code == 5
    assert reason in result.err


def test_refused_text_is_kept_as_a_draft(world: World) -> None:
    result = world.run("post", "library", "-s", "s" * 300, stdin="Text that took an hour")
    assert result.code == 5
    assert "kept as a draft; to go on: p2pforum post library --draft " in result.err
    (draft,) = mine(world).drafts.values()
    assert (draft.body, draft.hour) == ("Text that took an hour", HOUR)
    assert "1 kept; to see them: p2pforum drafts\n" in world.ok("status").out


def test_wrong_boards_and_pseudonyms(world: World) -> None:
    assert world.run("post", "Big Board", "-s", "S", stdin="Text").code == 2
    result = world.run("post", "library", "-s", "S", "--key", "nobody", stdin="Text")
    assert result.code == 3
    assert 'no pseudonym named "nobody"' in result.err


def test_once(world: World) -> None:
    world.ok("post", "library", "-s", "S", "--key", "once", stdin="Text")
    assert mine(world).keys == {}


def test_an_answer_that_would_join_two_keys_is_refused(world: World) -> None:
    made = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    result = world.run("reply", made["id"], "--key", "once", stdin="I agree with that one")
    assert result.code == 5
    assert "this node sent both" in result.err
    world.ok("reply", made["id"], "--key", "once", "--visibly", stdin="I agree with that one")


def test_who_holds_the_store_and_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed is not lost: it waits in the outbox, and the next post hands it in."""
    monkeypatch.setattr("p2pforum.app.delivery._PATIENCE", 0.3)
    with held(find_paths(world.home).data_dir):
        result = world.run("post", "library", "-s", "S", "--json", stdin="Text")
        assert result.code == 4
        assert "in use by another p2pforum process" in result.err
        assert "waits in the outbox" in result.err
    waiting = result.json["id"]
    assert (len(mine(world).outbox), mine(world).drafts) == (1, {})
    assert "1 signed, and not at the node yet" in world.ok("status").out
    world.ok("post", "library", "-s", "S", stdin="Another")
    assert mine(world).outbox == []
    assert stored(world, waiting)[1] == "Text"


def test_a_node_that_is_starting_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock before it answers on the socket."""
    context = held(find_paths(world.home).data_dir)
    context.__enter__()
    pauses = []

    def pause(_seconds: float) -> None:
        pauses.append(1)
        if len(pauses) == 2:
            context.__exit__(None, None, None)

    monkeypatch.setattr("p2pforum.app.delivery.time.sleep", pause)
    world.ok("post", "library", "-s", "S", stdin="Text")
    assert len(pauses) == 2


@pytest.mark.slow
def test_files_are_private(world: World) -> None:
    result = world.process("post", "library", "-s", "S", stdin="Text")
    assert result.code == 0, result
    made = [p for p in world.home.rglob("*") if p.name != "config.toml"]
    assert len(made) >= 4
    assert all(stat.S_IMODE(p.stat().st_mode) & 0o077 == 0 for p in made)


def test_a_full_disk_keeps_the_text(world: World) -> None:
    """The store can't be written, the keystore can: the post is signed and waits."""
    data = find_paths(world.home).data_dir
    data.parent.mkdir(exist_ok=True)
    data.write_text("a file where the directory should be")
    result = world.run("post", "library", "-s", "S", stdin="Text")
    assert result.code == 1
    assert "waits in the outbox" in result.err
    assert len(mine(world).outbox) == 1


def fill_the_disk_of_keys(world: World) -> None:
    """From now on no keystore can be written: what is in the way of the new file can't be removed."""
    (find_paths(world.home).keys_dir / "keystore.new").mkdir()


def test_a_disk_that_fills_up_once_a_post_is_out_is_no_failure(world: World) -> None:
    """It looked like one, and its author would have written the post again."""
    world.ok("post", "library", "-s", "S", stdin="Text")
    with world.node() as node:
        submit = node.submit

        async def submit_and_fill(raw: bytes, listen: float = 0) -> Submitted:
            done = await submit(raw, listen)
            if not (find_paths(world.home).keys_dir / "keystore.new").exists():
                fill_the_disk_of_keys(world)
            return done

        node.submit = submit_and_fill  # type: ignore[method-assign]
        result = world.run("post", "library", "-s", "Another", stdin="Text")
        assert (result.code, result.out[:7]) == (0, "Posted "), result
        assert "Posted; the outbox could not be updated: cannot write " in result.err
        assert "The draft is still there: cannot write " in result.err
        assert len(mine(world).outbox) == 1
        (find_paths(world.home).keys_dir / "keystore.new").rmdir()
        node.submit = submit  # type: ignore[method-assign]
        world.ok("post", "library", "-s", "A third", stdin="Text")
    assert mine(world).outbox == []
    assert len(world.ok("threads", "--json").json) == 3, "handed in once more, and kept once"
