"""A thread as it is read: the same on every node, whatever came first."""

import random
from collections.abc import Iterable

import pytest
from forum_world import Shelf
from hypothesis import given
from hypothesis import strategies as st
from strategies import HOUR, a_key, a_post, a_seed, a_thread

from p2pforum.core import limits
from p2pforum.core.errors import NotFound
from p2pforum.core.kinds import REMARKS, TABLE, Kind
from p2pforum.core.post import Post
from p2pforum.core.pseudonym import name_of
from p2pforum.forum.reading import PostView, ThreadView, thread_view
from p2pforum.keystore.contents import Contents, new_key
from p2pforum.store.queries import PostRow

ROOT = a_post("The first text.", key=1)


def view(*posts: Post, contents: Contents | None = None) -> ThreadView:
    shelf = Shelf()
    shelf.put(*posts)
    return thread_view(shelf, ROOT.id, contents)


def reply(body: str, *, to: Post = ROOT, key: int = 2, hour: int = HOUR) -> Post:
    return a_post(body, key=key, root=ROOT.id, parents=[to.id], hour=hour)


def retract(post: Post, *, key: int, hour: int = HOUR + 1) -> Post:
    return amendment(post, Kind.RETRACT, (post.id,), key, hour)


def edit(post: Post, body: str, *, key: int, hour: int = HOUR + 1) -> Post:
    return amendment(post, Kind.SUPERSEDE, (post.id, body), key, hour)


def amendment(post: Post, kind: Kind, content: tuple[object, ...], key: int, hour: int) -> Post:
    return a_post(key=key, root=ROOT.id, parents=[post.id], hour=hour, kind=kind, content=content)


def bodies(shown: ThreadView) -> list[str]:
    return [post.body for post in shown.posts]


def find(shown: ThreadView, post: Post) -> PostView:
    return next(found for found in shown.posts if found.id == post.id)


def test_in_order_with_depth_and_names() -> None:
    one = reply("one")
    two = reply("two", to=one, key=3)
    shown = view(two, ROOT, one)
    assert (shown.subject, shown.board, shown.has_root) == ("A subject", "general", True)
    assert [(p.body, p.depth) for p in shown.posts] == [("The first text.", 0), ("one", 1), ("two", 2)]
    assert [p.name for p in shown.posts] == [name_of(a_key(n), ROOT.id) for n in (1, 2, 3)]
    assert not any(p.is_mine or p.is_unread or p.petname for p in shown.posts)


def test_a_thread_of_which_nothing_is_here() -> None:
    with pytest.raises(NotFound):
        view()
    with pytest.raises(NotFound, match="remarks"):
        view(retract(ROOT, key=1))


def test_a_missing_root_and_missing_parents_are_named() -> None:
    lost = reply("lost")
    shown = view(reply("kept", to=lost))
    assert (shown.subject, shown.has_root) == ("", False)
    assert shown.posts[0].missing == (lost.id,)


def test_only_the_author_withdraws() -> None:
    said = reply("said", key=2)
    assert bodies(view(ROOT, said, retract(said, key=3))) == ["The first text.", "said"]
    withdrawn = view(ROOT, said, retract(said, key=2)).posts[1]
    assert (withdrawn.body, withdrawn.is_retracted) == ("", True)
    shown = view(ROOT, said, retract(ROOT, key=1))
    assert (shown.subject, shown.posts[0].subject, shown.posts[0].body) == ("", "", "")
    assert bodies(shown)[1] == "said"


def test_only_the_author_edits_and_the_last_edit_counts() -> None:
    said = reply("said", key=2)
    first, last = edit(said, "better", key=2, hour=HOUR + 5), edit(said, "best", key=2, hour=HOUR + 6)
    shown = view(ROOT, last, first, edit(said, "forged", key=3, hour=HOUR + 9), said)
    assert bodies(shown) == ["The first text.", "best"]
    assert shown.posts[1].edited == HOUR + 6
    shown = view(ROOT, said, last, retract(said, key=2))
    assert (shown.posts[1].body, shown.posts[1].edited, shown.posts[1].is_retracted) == ("", 0, True)


def test_of_two_edits_in_one_hour_the_one_that_names_the_other_is_shown() -> None:
    """Whatever their IDs are: by (hour, ID) alone (the control) it would be the other one of the two."""
    said = reply("first")
    one, other = sorted((edit(said, text, key=2) for text in ("one", "other")), key=lambda post: post.id)
    after = [
        a_post(
            key=2,
            root=ROOT.id,
            parents=sorted((said.id, one.id)),
            hour=HOUR + 1,
            kind=Kind.SUPERSEDE,
            content=(said.id, f"better {n}"),
        )
        for n in range(20)
    ]
    lower = min(after, key=lambda post: post.id)
    assert lower.id < other.id
    assert find(view(ROOT, said, one, lower), said).body == lower.body
    assert find(view(ROOT, said, one, other), said).body == other.body, "the control: the greater ID"
    assert find(view(ROOT, said, one, other, lower), said).body == other.body, "two that know not each other"


def test_an_edit_keeps_the_subject() -> None:
    shown = view(ROOT, edit(ROOT, "new text", key=1))
    assert (shown.subject, shown.posts[0].subject, shown.posts[0].body) == ("A subject",) * 2 + ("new text",)


def test_amendments_are_not_shown_and_answers_to_them_are() -> None:
    change = edit(ROOT, "new text", key=1)
    answer = reply("to the edit", to=change, hour=HOUR + 2)
    gone = retract(ROOT, key=3)
    second = reply("to a forged withdrawal", to=gone, hour=HOUR + 3)
    shown = view(second, answer, gone, change, ROOT)
    assert [(p.body, p.depth, p.missing) for p in shown.posts] == [
        ("new text", 0, ()),
        ("to the edit", 1, ()),
        ("to a forged withdrawal", 1, ()),
    ]
    assert find(shown, answer).parents == (ROOT.id,)


def test_an_edit_whose_target_is_not_here_changes_nothing() -> None:
    lost = reply("lost")
    assert bodies(view(ROOT, edit(lost, "x", key=2))) == ["The first text."]


def test_a_withdrawal_cannot_be_withdrawn() -> None:
    said = reply("said")
    gone = retract(said, key=2)
    assert view(ROOT, said, gone, retract(gone, key=2, hour=HOUR + 2)).posts[1].is_retracted


def test_newer_formats_are_shown_as_such() -> None:
    newer = a_post(key=2, root=ROOT.id, kind=77, content=(1, "?"))
    post = view(ROOT, newer).posts[1]
    assert (post.is_understood, post.body) == (False, "")


def test_mine_unread_and_petnames_come_from_the_keystore() -> None:
    said = reply("said", key=2)
    mine = new_key((1).to_bytes(32, "big"), ROOT.id, "", HOUR)
    contents = Contents(keys={mine.public: mine}, petnames={(ROOT.id, a_key(2)): "tern"})
    contents.mark_read(ROOT.id, [ROOT.id])
    shown = view(ROOT, said, contents=contents)
    assert [(p.is_mine, p.is_unread, p.petname) for p in shown.posts] == [
        (True, False, ""),
        (False, True, "tern"),
    ]
    contents.petnames = {(b"", a_key(2)): "everywhere", (bytes(32), a_key(2)): "elsewhere"}
    assert view(said, contents=contents).posts[0].petname == "everywhere"


@given(st.randoms(use_true_random=False))
def test_every_order_of_arrival_reads_the_same(rng: random.Random) -> None:
    posts = [ROOT]
    for n in range(12):
        target = rng.choice(posts)
        key, hour = rng.randrange(1, 4), HOUR + rng.randrange(4)
        make = rng.choice(
            [
                lambda t=target, k=key, h=hour, n=n: reply(f"text {n}", to=t, key=k, hour=h),
                lambda t=target, k=key, h=hour: retract(t, key=k, hour=h),
                lambda t=target, k=key, h=hour, n=n: edit(t, f"edit {n}", key=k, hour=h),
            ]
        )
        posts.append(make())
    shuffled = rng.sample(posts, len(posts))
    assert view(*shuffled) == view(*posts)


def test_a_long_chain_of_edits_and_answers_does_not_recurse() -> None:
    posts = [ROOT]
    for n in range(1500):
        make = edit(posts[-1], "x", key=1) if n % 2 else reply("x", to=posts[-1])
        posts.append(make)
    assert len(view(*posts).posts) == 751


def test_reading_a_plain_thread_keeps_its_order() -> None:
    posts = [ROOT, *(a_post(p.body, key=3, root=ROOT.id, hour=p.payload.hour) for p in a_thread(8)[1:])]
    assert len(view(*posts).posts) == 8


def reveal(key: int, hour: int = HOUR + 2) -> Post:
    return a_post(key=key, root=ROOT.id, hour=hour, kind=Kind.REVEAL, content=(a_seed(key),))


def test_a_published_key_is_marked_on_all_that_it_signed() -> None:
    one, two = reply("one", key=2), reply("two", key=3)
    assert not any(post.is_revealed for post in view(ROOT, one, two).posts)
    published = reveal(2)
    shown = view(published, ROOT, one, two)
    assert [post.is_revealed for post in shown.posts] == [post.author == a_key(2) for post in shown.posts]
    assert [post.id for post in shown.posts if post.is_reveal] == [published.id]


def test_nobody_can_put_words_into_the_posts_of_a_published_key() -> None:
    """Whenever the edit is dated. A withdrawal still counts: the author may have wished it."""
    one = reply("as signed", key=2)
    forged = edit(one, "words in your mouth", key=2, hour=HOUR)
    assert find(view(ROOT, one, forged), one).body == "words in your mouth"  # before: it may be the author
    assert find(view(ROOT, one, forged, reveal(2)), one).body == "as signed"
    assert find(view(ROOT, one, forged, reveal(3)), one).body == "words in your mouth"
    assert find(view(ROOT, one, retract(one, key=2), reveal(2)), one).is_retracted


class CountedID(bytes):
    """An ID that counts how often it is looked up in a dict or a set: the work of placing posts."""

    looks = 0

    def __hash__(self) -> int:
        CountedID.looks += 1
        return super().__hash__()


def an_id(n: int) -> CountedID:
    return CountedID(n.to_bytes(32, "big"))


def a_row(n: int, kind: int, *parents: int, target: int = 0) -> PostRow:
    return PostRow(
        id=an_id(n),
        root=an_id(0),
        board="general",
        author=a_key(1),
        hour=HOUR,
        parents=tuple(map(an_id, parents)),
        kind=kind,
        version=1,
        subject="" if n else "S",
        body="text" if kind == Kind.POST else "",
        target=an_id(target) if kind in (Kind.RETRACT, Kind.SUPERSEDE) else b"",
        released=True,
        meaning=TABLE[kind].meaning if kind in TABLE else None,
    )


class Rows(Shelf):
    """A store that holds just these rows."""

    def __init__(self, rows: list[PostRow]) -> None:
        self.kept = rows

    def thread(self, root: bytes) -> list[PostRow]:  # type: ignore[override]
        return self.kept

    def revealed(self, keys: Iterable[bytes]) -> set[bytes]:
        return set()


def chain(count: int, kind: int) -> list[PostRow]:
    """A root; `count` posts of that kind, each after the one before and three that nobody has; an answer."""
    rows = [a_row(0, Kind.POST)]
    lost = count + 2
    for n in range(1, count + 1):
        rows.append(a_row(n, kind, n - 1, lost, lost + 1, lost + 2, target=n - 1))
        lost += 3
    return [*rows, *(a_row(lost + n, Kind.POST, count) for n in range(20))]


def looks(rows: list[PostRow]) -> int:
    CountedID.looks = 0
    thread_view(Rows(rows), rows[0].id)
    return CountedID.looks


@pytest.mark.parametrize("kind", [*Kind, REMARKS])
def test_the_work_for_a_chain_grows_as_the_chain_does(kind: int) -> None:
    assert looks(chain(800, kind)) <= 4.2 * looks(chain(200, kind))


@pytest.mark.slow
@pytest.mark.parametrize("count", [5_000, 20_000])
def test_a_chain_of_withdrawals_is_shown_within_the_bounds_of_the_wire(count: int) -> None:
    shown = thread_view(Rows(chain(count, Kind.RETRACT)), an_id(0))
    assert len(shown.posts) == 21
    assert max(len(post.parents) for post in shown.posts) <= limits.MAX_PARENTS
    assert all(post.parents[0] == an_id(0) for post in shown.posts[1:]), "what is here comes first"
    assert [post.depth for post in shown.posts] == [0] + [1] * 20
    assert not shown.is_complete


def test_what_a_post_answers_is_kept_up_to_the_bound_and_no_further() -> None:
    """A withdrawal of four posts: an answer to it and to others answers four in all."""
    said = [reply(f"text {n}", key=n + 2) for n in range(limits.MAX_PARENTS + 1)]
    most = said[: limits.MAX_PARENTS]
    gone = a_post(key=9, root=ROOT.id, parents=[p.id for p in most], kind=Kind.RETRACT, content=(most[0].id,))
    only, also = reply("to it", to=gone), a_post("to it", key=3, root=ROOT.id, parents=[gone.id, said[-1].id])
    shown = view(ROOT, *said, gone, only, also)
    assert set(find(shown, only).parents) == {post.id for post in most}
    assert len(find(shown, also).parents) == limits.MAX_PARENTS
    assert shown.is_complete


def test_a_thread_is_complete_only_if_what_withdrawals_answer_is_here() -> None:
    lost = reply("lost")
    assert view(ROOT, retract(ROOT, key=1)).is_complete
    assert not view(ROOT, retract(lost, key=2)).is_complete
    assert not view(reply("text")).is_complete, "without a root"
