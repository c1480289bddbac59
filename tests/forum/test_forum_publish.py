"""Publishing: which key, which parents, which stamp, and what is left where when it fails."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forum_world import STAMPED, Person, Row, Shelf, a_person
from keystore_samples import reopened, some_key
from strategies import HOUR, TEST_NETWORK, a_post, a_thread

from p2pforum.core import limits
from p2pforum.core.errors import NodeUnreachable, NotFound, Refused
from p2pforum.core.kinds import Kind
from p2pforum.core.pseudonym import name_of
from p2pforum.core.verdict import Outcome
from p2pforum.forum import publish
from p2pforum.forum.outbox import resubmit_outbox
from p2pforum.forum.publish import Publisher
from p2pforum.forum.reading import thread_view


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return a_person(tmp_path)


def with_pseudonym(person: Person, name: str) -> bytes:
    key = some_key(len(name), name=name)
    with person.keystore.transaction() as box:
        box.keys[key.public] = key
    return key.public


def test_a_thread_and_a_reply_in_it_share_a_key(person: Person) -> None:
    first = person.publisher.new_thread("library", "Books", "Which ones?")
    reply = person.publisher.reply(first.post.id, "These.")
    assert first.outcome is reply.outcome is Outcome.STORED
    assert first.key == reply.key == "thread"
    assert first.post.author == reply.post.author
    assert first.name == name_of(first.post.author, first.post.id) == reply.name
    assert (first.post.subject, first.post.body) == ("Books", "Which ones?")
    assert reply.post.payload.parents == (first.post.id,)
    assert (reply.post.payload.board, reply.post.payload.hour) == ("library", HOUR)
    box = person.keystore.read()
    key = box.key_for_thread(first.post.id)
    assert key is not None
    assert (key.posts, key.root, key.made, key.used) == (2, first.post.id, HOUR, HOUR)
    assert box.outbox == []


def test_another_thread_gets_another_key(person: Person) -> None:
    stranger = a_thread(3)
    person.shelf.put(*stranger)
    mine = [person.publisher.new_thread("b", "s", "t").post.author for _ in range(3)]
    mine += [person.publisher.reply(stranger[0].id, "t").post.author for _ in range(2)]
    assert mine[3] == mine[4]
    assert len(set(mine)) == 4


def test_a_key_for_once_is_not_kept(person: Person) -> None:
    thread = person.publisher.new_thread("b", "s", "t").post
    posts = [person.publisher.reply(thread.id, "t", key="once").post for _ in range(2)]
    authors = {post.author for post in posts}
    assert len(authors) == 2
    assert thread.author not in authors
    assert person.keystore.read().keys.keys() == {thread.author}
    alone = person.publisher.new_thread("b", "s", "t", key="once").post
    assert person.keystore.read().key_for_thread(alone.id) is None


def test_a_pseudonym_keeps_its_key_and_its_threads(person: Person) -> None:
    heron = with_pseudonym(person, "heron")
    threads = [person.publisher.new_thread("b", "s", str(n), key="heron") for n in range(2)]
    assert {thread.post.author for thread in threads} == {heron}
    assert threads[0].key == "heron"
    assert threads[0].name != threads[1].name, "others see another name in each thread"
    reply = person.publisher.reply(threads[0].post.id, "no key named: the one that speaks here")
    assert (reply.post.author, reply.key) == (heron, "heron")
    with pytest.raises(NotFound, match='"tern"'):
        person.publisher.reply(threads[0].post.id, "t", key="tern")


def test_a_pseudonym_used_in_a_threads_course_does_not_take_it_over(person: Person) -> None:
    with_pseudonym(person, "heron")
    thread = person.publisher.new_thread("b", "s", "t").post
    person.publisher.reply(thread.id, "t", key="heron")
    assert person.publisher.reply(thread.id, "t").post.author == thread.author


def test_stamps_follow_from_what_everyone_can_see(tmp_path: Path) -> None:
    person = a_person(tmp_path, Shelf(STAMPED))
    stranger = a_post(params=STAMPED)
    person.shelf.put(stranger)
    thread = person.publisher.new_thread("b", "s", "t").post
    own = person.publisher.reply(thread.id, "t").post
    other, again = (person.publisher.reply(stranger.id, "t").post for _ in range(2))
    once = person.publisher.reply(thread.id, "t", key="once").post
    assert [post.payload.stamp.bits for post in (thread, own, other, again, once)] == [5, 3, 5, 4, 5]


def last_said(person: Person, root: bytes, **options: Any) -> list[bytes]:
    rows = publish.last_said(person.publisher.reader, person.keystore.read(), root, **options)
    return [row.id for row in rows]


def test_a_reply_answers_what_was_named_and_nothing_else(person: Person) -> None:
    posts = a_thread(3)
    fork = a_post("A fork.", root=posts[0].id, hour=HOUR + 1)
    person.shelf.put(*posts, fork)
    to_root = person.publisher.reply(posts[0].id, "To the one who asked.").post
    assert to_root.payload.parents == (posts[0].id,)
    answer = person.publisher.reply(posts[1].id, "To you.").post
    assert answer.payload.parents == (posts[1].id,)
    both = person.publisher.reply(posts[1].id, "To both.", also=[fork.id, fork.id]).post
    assert set(both.payload.parents) == {posts[1].id, fork.id}


def test_what_was_said_last(person: Person) -> None:
    posts = a_thread(3)
    fork = a_post("A fork.", root=posts[0].id, hour=HOUR + 10)
    person.shelf.put(*posts, fork)
    assert last_said(person, posts[0].id) == [posts[2].id, fork.id]
    own = person.publisher.reply(fork.id, "Mine.").post
    assert set(last_said(person, posts[0].id)) == {posts[2].id, own.id}
    person.publisher.retract(own.id)
    assert set(last_said(person, posts[0].id)) == {posts[2].id, own.id}, "nobody answers a remark"
    with pytest.raises(NotFound, match='"tern"'):
        last_said(person, posts[0].id, key="tern")


def test_no_more_parents_than_a_post_can_have(person: Person) -> None:
    root = a_post()
    forks = [a_post(str(n), root=root.id, hour=HOUR + n) for n in range(6)]
    person.shelf.put(root, *forks)
    four = person.publisher.reply(forks[0].id, "t", also=[post.id for post in forks[1:4]]).post
    assert set(four.payload.parents) == {post.id for post in forks[:4]}
    with pytest.raises(Refused, match="at most 4"):
        person.publisher.reply(forks[0].id, "t", also=[post.id for post in forks[1:5]])


def test_a_post_that_only_i_know_is_not_named_by_another_key(person: Person) -> None:
    """Whoever names it before the network has it shows that both are theirs."""
    root = a_post()
    person.shelf.put(root)
    person.shelf.released = False
    mine = person.publisher.reply(root.id, "Not out yet.").post
    other = person.publisher.reply(root.id, "Under another key.", key="once").post
    assert other.payload.parents == (root.id,)
    assert last_said(person, root.id, key="once") == [root.id], "one that it must not name is not offered"
    assert last_said(person, root.id) == [mine.id]
    assert set(last_said(person, root.id, key="once", visibly=True)) == {mine.id, other.id}
    with pytest.raises(Refused, match="not come back from the network"):
        person.publisher.reply(mine.id, "t", key="once")
    assert person.publisher.reply(mine.id, "t").post.payload.parents == (mine.id,)
    shown = person.publisher.reply(mine.id, "t", key="once", visibly=True).post
    assert shown.payload.parents == (mine.id,)


@pytest.mark.parametrize(
    ("board", "subject", "body", "says"),
    [
        ("Libr\u00e4ry", "s", "t", "is not a board"),
        ("", "s", "t", "is not a board"),
        ("a" * 65, "s", "t", "is not a board"),
        ("b", " \n ", "t", "needs a subject"),
        ("b", "s" * 201, "t", "201 bytes"),
        ("b", "s", "", "is empty"),
        ("b", "s", " \n\t\r\n", "is empty"),
        ("b", "s", "\x1b\x07", "is empty"),
        ("b", "s", "ä" * (limits.MAX_BODY // 2 + 1), f"{limits.MAX_BODY + 2} bytes"),
        ("b", "s", "half a \udc80 character", "not UTF-8"),
        ("b", "\ud800", "t", "not UTF-8"),
    ],
)
def test_what_cannot_be_published_leaves_no_trace(
    person: Person, board: str, subject: str, body: str, says: str
) -> None:
    before = person.keystore.path.read_bytes()
    with pytest.raises(Refused, match=says):
        person.publisher.new_thread(board, subject, body)
    assert person.keystore.path.read_bytes() == before


def test_unknown_and_unrelated_parents(person: Person) -> None:
    one, two = a_post("one"), a_post("two")
    person.shelf.put(one, two)
    with pytest.raises(NotFound, match="not here"):
        person.publisher.reply(bytes(32), "t")
    with pytest.raises(Refused, match="different"):
        person.publisher.reply(one.id, "t", also=[two.id])
    assert person.keystore.read().keys == {}


def test_everyones_text_looks_the_same(person: Person) -> None:
    typed = "\r\n e\u0301 \t|\r\nand\x1b[0m \n\n"
    post = person.publisher.new_thread("b", "  two\n lines ", typed).post
    assert (post.subject, post.body) == ("two lines", " é  |\nand[0m")


def test_the_post_is_in_the_outbox_before_it_is_handed_in(person: Person, tmp_path: Path) -> None:
    seen = []

    def submit(raw: bytes) -> Outcome:
        seen.extend(waiting.raw for waiting in reopened(tmp_path, None).read().outbox)
        return person.shelf.submit(raw)

    post = replace_submit(person, submit).new_thread("b", "s", "t").post
    assert seen == [post.raw]
    assert person.keystore.read().outbox == []


def replace_submit(person: Person, submit: object) -> Publisher:
    return replace(person.publisher, submit=submit)


def test_a_crash_while_handing_in_loses_nothing(person: Person) -> None:
    def crash(raw: bytes) -> Outcome:
        person.shelf.submit(raw)
        raise SystemExit  # the node has it, and we never hear so

    with pytest.raises(SystemExit):
        replace_submit(person, crash).new_thread("b", "s", "t")
    (waiting,) = person.keystore.read().outbox
    assert waiting.id in person.shelf.rows
    (handed,) = resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK)
    assert (handed.post.id, handed.outcome) == (waiting.id, Outcome.DUPLICATE)
    assert person.keystore.read().outbox == []


def test_what_nobody_takes_waits_in_order(person: Person) -> None:
    person.shelf.trouble = NodeUnreachable("no node is running here")
    posts = [person.publisher.new_thread("b", "s", str(n)) for n in range(3)]
    assert {(p.outcome, p.problem) for p in posts} == {(None, "no node is running here")}
    handed = resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK)
    assert [h.outcome for h in handed] == [None] * 3
    assert handed[2].problem == "no node is running here"
    person.shelf.trouble = None
    handed = resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK)
    assert [(h.post.id, h.outcome) for h in handed] == [(p.post.id, Outcome.STORED) for p in posts]
    assert resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK) == []


def test_the_outbox_of_another_network_is_left_alone(person: Person) -> None:
    person.shelf.trouble = NodeUnreachable("")
    person.publisher.new_thread("b", "s", "t")
    person.shelf.trouble = None
    assert resubmit_outbox(person.keystore, person.shelf.submit, STAMPED) == []
    assert len(person.keystore.read().outbox) == 1


@pytest.mark.parametrize("how", ["raised", "answered"])
def test_a_refused_text_becomes_a_draft(person: Person, how: str) -> None:
    root = a_post()
    person.shelf.put(root)
    if how == "raised":
        person.shelf.trouble = Refused("this board is full")
    else:
        person.shelf.answer = Outcome.REFUSED
    thread = person.publisher.new_thread("b", "Subject", "A long text.", key="once")
    reply = person.publisher.reply(root.id, "Another.")
    assert thread.outcome is reply.outcome is Outcome.REFUSED
    assert thread.problem == ("this board is full" if how == "raised" else "")
    box = person.keystore.read()
    assert box.outbox == []
    drafts = {draft.destination.split()[0]: (draft.subject, draft.body) for draft in box.drafts.values()}
    assert drafts == {"board": ("Subject", "A long text."), "reply": ("", "Another.")}


@pytest.mark.parametrize("answer", [Outcome.STORED, Outcome.REFUSED])
def test_an_outbox_that_can_not_be_updated_changes_no_outcome(
    person: Person, tmp_path: Path, answer: Outcome
) -> None:
    in_the_way = person.keystore.path.with_suffix(".new")

    def submit(raw: bytes) -> Outcome:
        in_the_way.mkdir()  # as a full disk: the keystore can't be written any more
        return answer

    published = replace_submit(person, submit).new_thread("b", "s", "t")
    assert published.outcome is answer
    assert published.unsettled.startswith("cannot write ")
    in_the_way.rmdir()
    assert [waiting.id for waiting in person.keystore.read().outbox] == [published.post.id]
    (handed,) = resubmit_outbox(person.keystore, person.shelf.submit, TEST_NETWORK)
    assert (handed.outcome, handed.unsettled) == (Outcome.STORED, "")


def test_a_crash_is_not_hidden_by_an_outbox_that_can_not_be_updated(person: Person) -> None:
    person.shelf.trouble = NodeUnreachable("")
    for text in "ab":
        person.publisher.new_thread("b", "s", text)
    answers = iter([Outcome.STORED])

    def submit(raw: bytes) -> Outcome:
        for answer in answers:
            return answer
        person.keystore.path.with_suffix(".new").mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resubmit_outbox(person.keystore, submit, TEST_NETWORK)


def test_a_post_that_comes_too_early_waits(person: Person) -> None:
    person.shelf.answer = Outcome.TOO_EARLY
    assert person.publisher.new_thread("b", "s", "t").outcome is Outcome.TOO_EARLY
    assert len(person.keystore.read().outbox) == 1


def test_withdrawing_and_editing_take_the_key(person: Person) -> None:
    stranger = a_post()
    person.shelf.put(stranger)
    thread = person.publisher.new_thread("b", "s", "t").post
    edit = person.publisher.supersede(thread.id, "better").post
    gone = person.publisher.retract(thread.id).post
    assert [(p.payload.kind, p.author, p.target) for p in (edit, gone)] == [
        (Kind.SUPERSEDE, thread.author, thread.id),
        (Kind.RETRACT, thread.author, thread.id),
    ]
    once = person.publisher.reply(thread.id, "t", key="once").post
    for post in (stranger, once):
        with pytest.raises(NotFound, match="key of that post"):
            person.publisher.retract(post.id)
    with pytest.raises(Refused, match="only a post"):
        person.publisher.retract(edit.id)


def test_each_edit_names_those_before_it_so_that_the_last_is_shown(person: Person) -> None:
    """All in one hour, where IDs say nothing of the order."""
    thread = person.publisher.new_thread("b", "s", "t").post
    for number in range(8):
        edit = person.publisher.supersede(thread.id, f"text {number}").post
        assert len(edit.payload.parents) == min(number, 1) + 1
        (shown,) = thread_view(person.shelf, thread.id).posts
        assert shown.body == f"text {number}"


@pytest.mark.parametrize("released", [False, True], ids=["in a stem", "public"])
def test_an_edit_names_no_edit_by_another_key(person: Person, released: bool) -> None:
    """An attacker sends each node another one by its stem: who names one would show which node it is. And
    others' edits must not take the room of the author's own."""
    thread = person.publisher.new_thread("b", "s", "t").post
    first = person.publisher.supersede(thread.id, "first").post
    for n in range(2 * limits.MAX_PARENTS):
        bait = a_post(key=2, board="b", root=thread.id, kind=Kind.SUPERSEDE, content=(thread.id, f"bait {n}"))
        person.shelf.rows[bait.id] = Row(bait, released)
    second = person.publisher.supersede(thread.id, "second").post
    assert set(second.payload.parents) == {thread.id, first.id}


def test_the_hour_turns_while_a_stamp_is_minted(tmp_path: Path) -> None:
    person = a_person(tmp_path, Shelf(STAMPED))

    def progress(tried: int, expected: int) -> None:
        person.hour = HOUR + 1

    post = replace(person.publisher, progress=progress).new_thread("b", "s", "t").post
    assert post.payload.hour == HOUR + 1
    post.verify_stamp(STAMPED)


def test_a_clock_that_always_turns_does_not_mint_for_ever(tmp_path: Path) -> None:
    person = a_person(tmp_path, Shelf(STAMPED))

    def progress(tried: int, expected: int) -> None:
        person.hour += 1

    post = replace(person.publisher, progress=progress).new_thread("b", "s", "t").post
    post.verify_stamp(STAMPED)


def test_another_process_that_speaks_first_gives_the_thread_its_key(tmp_path: Path) -> None:
    """It speaks while this one mints: still one key for the thread, and both posts are out."""
    person = a_person(tmp_path, Shelf(STAMPED))
    root = a_post(params=STAMPED)
    person.shelf.put(root)
    other = Person(reopened(tmp_path, None), person.shelf)
    theirs = []

    def progress(tried: int, expected: int) -> None:
        if not theirs:
            theirs.append(other.publisher.reply(root.id, "first").post)

    mine = replace(person.publisher, progress=progress).reply(root.id, "second").post
    assert mine.author == theirs[0].author
    box = person.keystore.read()
    assert box.keys.keys() == {mine.author}
    assert box.keys[mine.author].posts == 2
