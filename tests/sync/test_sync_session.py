"""Two sides that meet come to the same set, however their bytes are cut and wherever they are lost."""

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_posts import MemoryPosts
from strategies import HOUR, a_post
from sync_pair import TERMS, Side, meet, pool

from p2pforum.core.post import Post
from p2pforum.sync.boards import BoardChoice
from p2pforum.sync.reconcile import TUNED
from p2pforum.sync.terms import Terms
from p2pforum.sync.wire.payloads import Code

POOL = pool(60)
subsets = st.sets(st.integers(0, len(POOL) - 1))


def sides(left: set[int], right: set[int]) -> tuple[Side, Side]:
    return Side(MemoryPosts(POOL[n] for n in left)), Side(MemoryPosts(POOL[n] for n in right))


@given(subsets, subsets, st.integers(0, 10**6))
def test_both_come_to_the_union(left: set[int], right: set[int], seed: int) -> None:
    a, b = sides(left, right)
    meet(a, b, seed)
    assert a.ids == b.ids == {POOL[n].id for n in left | right}
    for report, other in ((a.session.report, b.session.report), (b.session.report, a.session.report)):
        assert report.complete
        assert report.code is Code.DONE
        assert report.new == other.sent == report.received
        assert report.bytes_in == other.bytes_out
    before = a.session.report.new, b.session.report.new
    assert before == (len(right - left), len(left - right))


@given(subsets, subsets, st.integers(0, 10**6))
def test_twice_is_once(left: set[int], right: set[int], seed: int) -> None:
    a, b = sides(left, right)
    meet(a, b, seed)
    held = a.ids
    meet(b, a, seed)
    assert a.ids == b.ids == held
    assert a.session.report.received == b.session.report.received == 0
    assert a.session.report.differing == 0


@dataclass(frozen=True)
class Story:
    """Two nodes that keep posts for so many hours, sessions lost after so many bytes, then a whole one."""

    left: frozenset[int]
    right: frozenset[int]
    ages: tuple[int, int]
    losses: tuple[int, ...]
    seed: int

    def keeps(self) -> list[Terms]:
        return [Terms(HOUR, HOUR - age) for age in self.ages]

    def allowed(self) -> tuple[set[bytes], set[bytes]]:
        """What each may hold in the end: what it had, and what of the union both still keep."""
        oldest = HOUR - min(self.ages)
        shared = {POOL[n].id for n in self.left | self.right if POOL[n].payload.hour >= oldest}
        return shared | {POOL[n].id for n in self.left}, shared | {POOL[n].id for n in self.right}

    def lived(self, terms: list[Terms], *, whole: bool = True) -> tuple[Side, Side]:
        a, b = sides(set(self.left), set(self.right))
        a.terms, b.terms = terms
        mine, theirs = self.allowed()
        for n, loss in enumerate(self.losses):
            meet(*((a, b), (b, a))[n % 2], self.seed + n, loss=loss)
            assert a.ids <= mine
            assert b.ids <= theirs
        if whole:
            meet(a, b, self.seed)
        return a, b


members = st.frozensets(st.integers(0, len(POOL) - 1))
stories = st.builds(
    Story,
    members,
    members,
    st.tuples(st.integers(0, 45), st.integers(0, 45)),
    st.lists(st.integers(0, 20_000), max_size=4).map(tuple),
    st.integers(0, 10**6),
)


@given(stories)
def test_both_come_to_the_union_that_their_retention_allows_whatever_is_cut_or_lost(story: Story) -> None:
    a, b = story.lived(story.keeps())
    assert (a.ids, b.ids) == story.allowed()
    meet(b, a, story.seed + 1)
    assert a.session.report.received == b.session.report.received == 0  # twice is once
    assert (a.ids, b.ids) == story.allowed()


def test_the_story_can_end_badly() -> None:
    """Negative controls: without a whole session at last, and with nodes that forget how long they keep."""
    story = Story(frozenset(range(40)), frozenset(range(20, 60)), (20, 30), (2_000,), 1)
    a, b = story.lived(story.keeps())
    assert (a.ids, b.ids) == story.allowed()
    a, b = story.lived(story.keeps(), whole=False)
    assert (a.ids, b.ids) != story.allowed()
    a, b = replace(story, losses=()).lived([TERMS, TERMS])
    assert (a.ids, b.ids) != story.allowed()


def big(size: int, share: float, seed: int, boards: int = 3) -> tuple[list[Post], Side, Side]:
    posts = pool(size, boards, 200)
    rng = random.Random(seed)
    return posts, *(Side(MemoryPosts(p for p in posts if rng.random() < share)) for _ in range(2))


@pytest.mark.parametrize("share", [0.5, 0.97])
def test_larger_sets_in_both_directions(share: float) -> None:
    _, a, b = big(2500, share, 1)
    union = a.ids | b.ids
    meet(a, b, 3)
    assert a.ids == b.ids == union
    assert a.session.report.duplicate == b.session.report.duplicate == 0


def test_a_new_node_pulls_boards_without_lists_and_sees_the_newest_posts_first() -> None:
    posts = pool(2500, 3, 200)
    order: list[Post] = []
    a, b = Side(MemoryPosts()), Side(MemoryPosts(posts))
    add = a.store.add
    a.store.add = lambda new: (order.extend(p for p, _ in new), add(new))[1]  # type: ignore[method-assign]
    moved = meet(a, b)
    assert a.ids == b.ids
    report = a.session.report
    assert report.wanted == report.new == 2500
    assert report.neg_in == report.neg_out == 0
    assert moved < sum(len(p.raw) + 2 for p in posts) + 2_000
    newest = sorted(posts, key=lambda p: (p.payload.hour, p.id))
    assert {p.payload.board for p in order[:96]} == {p.payload.board for p in posts}
    assert {p.id for p in newest[-30:]} <= {p.id for p in order[:96]}  # whatever their boards
    for board in {p.payload.board for p in posts}:
        came = [p.id for p in order if p.payload.board == board]
        assert came == [p.id for p in reversed(newest) if p.payload.board == board]


def test_the_responder_pulls_boards_that_only_the_initiator_has() -> None:
    a, b = Side(MemoryPosts(pool(900))), Side(MemoryPosts())
    meet(a, b)
    assert a.ids == b.ids
    assert b.session.report.neg_in == 0


@pytest.mark.parametrize("loss", [30_000, 150_000, 350_000])
def test_a_lost_bootstrap_goes_on_where_it_stopped(loss: int) -> None:
    posts = pool(2500, 3, 200)
    a, b = Side(MemoryPosts()), Side(MemoryPosts(posts))
    meet(a, b, 1, loss=loss)
    got = len(a.ids)
    assert 0 < got < 2500
    meet(a, b, 2)
    report = a.session.report
    assert a.ids == b.ids
    assert report.received == 2500 - got  # nothing is fetched twice
    assert report.neg_in + report.neg_out < 4_000  # and hardly anything had to be compared


def test_a_node_that_was_away_pulls_what_is_newer_without_lists() -> None:
    posts = sorted(pool(2500, 3, 200), key=lambda p: (p.payload.hour, p.id))
    a, b = (
        Side(MemoryPosts([*posts[:1200], a_post("Mine.", board="board-1", hour=HOUR - 150)])),
        Side(MemoryPosts(posts)),
    )
    meet(a, b)
    assert a.ids == b.ids
    assert len(a.ids) == 2501
    assert a.session.report.received == 1300
    assert a.session.report.neg_in + a.session.report.neg_out < 6_000


def test_unequal_retention() -> None:
    posts = pool(400, 2, 100)
    a = Side(MemoryPosts(posts[:200]), terms=Terms(HOUR, HOUR - 30))
    b = Side(MemoryPosts(posts[200:]), terms=Terms(HOUR, HOUR - 60))
    young = {p.id for p in posts if p.payload.hour >= HOUR - 30}
    before = a.ids, b.ids
    for first, second in ((a, b), (b, a)):
        meet(first, second)
        assert a.ids == before[0] | young
        assert b.ids == before[1] | young
        assert first.session.report.complete


@pytest.mark.parametrize("swapped", [False, True])
def test_retention_that_differs_by_board(swapped: bool) -> None:
    posts = pool(400, 2, 100)
    short = BoardChoice(low=lambda board: HOUR - 10 if board == "board-0" else 0)
    a = Side(MemoryPosts(posts[:200]), terms=Terms(HOUR, HOUR - 50, short))
    b = Side(MemoryPosts(posts[200:]), terms=Terms(HOUR, HOUR - 60))
    low = {"board-0": HOUR - 10, "board-1": HOUR - 50}
    shared = {p.id for p in posts if p.payload.hour >= low[p.payload.board]}
    before = a.ids, b.ids
    meet(*((b, a) if swapped else (a, b)))
    assert a.ids == before[0] | shared
    assert b.ids == before[1] | shared


@pytest.mark.parametrize("swapped", [False, True])
def test_a_node_fetches_the_boards_it_chose_and_no_others(swapped: bool) -> None:
    posts = pool(300, 4, 30)
    chooser = Side(MemoryPosts(posts[:100]), terms=replace(TERMS, choice=BoardChoice({"board-1", "board-9"})))
    empty = Side(MemoryPosts(), terms=replace(TERMS, choice=BoardChoice({"board-2"})))
    other = Side(MemoryPosts(posts[100:]))
    for side, board in ((chooser, "board-1"), (empty, "board-2")):
        before, there = side.ids, other.ids
        meet(*((other, side) if swapped else (side, other)))
        wanted = {p.id for p in posts if p.payload.board == board}
        assert side.ids == before | (there & wanted)
        assert other.ids == there | (before & wanted)


def test_small_windows_do_not_stop_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides full of work and short of credit: nobody may wait for the other for ever."""
    for name, value in (
        ("SYNC_NEG_WINDOW", 3_000),
        ("SYNC_POSTS_WINDOW", 40_000),
        ("SYNC_POSTS_FRAME", 4_000),
    ):
        monkeypatch.setattr(f"p2pforum.core.limits.{name}", value)
    policy = replace(TUNED, limit=600)
    for seed in range(5):
        _, a, b = big(2500, 0.6, seed)
        a.terms = b.terms = replace(TERMS, policy=policy)
        union = a.ids | b.ids
        meet(a, b, seed)
        assert a.ids == b.ids == union


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_many_boards(seed: int) -> None:
    rng = random.Random(seed)
    posts = pool(500, 300, 5)
    a, b = (Side(MemoryPosts(p for p in posts if rng.random() < 0.5)) for _ in range(2))
    union = a.ids | b.ids
    meet(a, b, seed)
    assert a.ids == b.ids == union
