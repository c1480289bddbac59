"""One look: nothing is told of boards when nothing differs, and little when only the last hours do.

And what one side's door would refuse does not exist for a session, on either side.
"""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_items import ListItems
from memory_posts import MemoryPosts, MemorySnapshot
from stranger import Stranger
from strategies import HOUR, a_post
from sync_nodes import two_nodes
from sync_pair import TERMS, Side, meet, pool

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin, Outcome
from p2pforum.ingest import check_time
from p2pforum.sync import look, session
from p2pforum.sync.boards import BoardChoice
from p2pforum.sync.look import stretches, window_of
from p2pforum.sync.terms import Settings, Terms, whole_days
from p2pforum.sync.wire.payloads import Board, Boards, Code, End, Hello, Look, Neg

MANY = [a_post("Text.", board=f"board-{n}", hour=HOUR - 100 - n % 50) for n in range(300)]


class Watched(MemorySnapshot):
    """Counts what a session asks of it."""

    def __init__(self, posts: dict[bytes, Post]) -> None:
        super().__init__(posts)
        self.asked: list[str] = []

    def boards(self, after: str, most: int, low_hour: int) -> list[tuple[str, bool]]:
        found = super().boards(after, most, low_hour)
        self.asked += [f"name of {name}" for name, _ in found]
        return found

    def items(self, board: str, low_hour: int = 0, end: int = limits.MAX_HOUR) -> ListItems:
        self.asked.append(f"items of {board}")
        return super().items(board, low_hour, end)


def watched(posts: list[Post]) -> tuple[Side, Watched]:
    side = Side(MemoryPosts(posts))
    view = Watched(side.store.posts)
    side.store.snapshot = lambda: _opened(view)  # type: ignore[method-assign,return-value]
    return side, view


class _opened:  # noqa: N801
    def __init__(self, view: Watched) -> None:
        self._view = view

    def __enter__(self) -> Watched:
        return self._view

    def __exit__(self, *_: object) -> None:
        pass


def test_when_nothing_differs_no_board_is_looked_at() -> None:
    sides = [watched(MANY) for _ in range(2)]
    moved = meet(sides[0][0], sides[1][0])
    assert [view.asked for _, view in sides] == [[], []]
    few = [watched(MANY[:3]) for _ in range(2)]
    assert moved == meet(few[0][0], few[1][0])  # whatever the number of boards
    report = sides[0][0].session.report
    assert report.complete
    assert (report.boards, report.code) == (0, Code.DONE)


def test_control_without_the_look_every_board_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look.Looking, "differing", lambda self: self._window)
    sides = [watched(MANY) for _ in range(2)]
    moved = meet(sides[0][0], sides[1][0])
    assert len(sides[0][1].asked) == 600
    assert moved > 300 * 25


@pytest.mark.parametrize("swapped", [False, True])
def test_a_difference_of_the_last_hours_makes_nobody_look_at_older_boards(swapped: bool) -> None:
    """All names are looked up, as somebody may write on any board; items only of those that differ."""
    new = [a_post("New.", board=board, hour=HOUR - 1) for board in ("board-7", "another")]
    (a, seen), (b, other) = watched(MANY), watched([*MANY, *new])
    moved = meet(*((b, a) if swapped else (a, b)))
    assert a.session.report.complete
    asked = {name for name in (*seen.asked, *other.asked) if name.startswith("items")}
    assert asked == {"items of board-7", "items of another"}
    assert moved < 1_500
    assert {p.id for p in new} <= a.ids
    assert a.session.report.received == 2


def test_a_board_without_posts_in_these_hours_is_known_by_name() -> None:
    """So that of two sessions at once only one fetches what is new on it; the control is one alone."""
    new = a_post("New.", board="board-7", hour=HOUR - 1)
    for others, came in (([], 1), (["board-7"], 0)):
        a, b = Side(MemoryPosts(MANY)), Side(MemoryPosts([*MANY, new]))
        a.claims.claim(others, "another session")
        meet(a, b)
        assert (a.session.report.received, a.session.report.left) == (came, 1 - came)


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_stretches_are_all_hours_of_the_window_newest_first(low: int, length: int) -> None:
    found = stretches((low, low + length))
    assert [hour for lower, upper in reversed(found) for hour in range(lower, upper)] == list(
        range(low, low + length)
    )
    assert all(lower < upper for lower, upper in found)
    assert len(found) <= 8


@given(st.integers(0, 199), st.integers(0, 10**6))
def test_one_difference_is_found_whatever_its_age(age: int, seed: int) -> None:
    posts = pool(200, 3, 200)
    lacking = posts[age]
    a, b = Side(MemoryPosts(p for p in posts if p is not lacking)), Side(MemoryPosts(posts))
    meet(*((a, b) if seed % 2 else (b, a)), seed)
    assert a.ids == b.ids
    assert a.session.report.received == 1


def test_what_two_sessions_show_can_not_be_linked() -> None:
    """The same posts, and no fingerprint or tag twice. The control is a session whose nonces come again."""

    def shown() -> set[bytes]:
        frames = Stranger(MemoryPosts(MANY), initiator=True).heard
        seen = {found for frame in frames if isinstance(frame, Look) for found in frame.seen}
        boards = [board for frame in frames if isinstance(frame, Boards) for board in frame.boards]
        return seen | {board.tag for board in boards} | {board.fingerprint for board in boards}

    first = shown()
    assert len(first) > 600
    assert first == shown()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stranger._NONCE", bytes(16))
        assert not first & shown()


# --- hours that do not exist for a session ------------------------------------------------------------------


def late_posts() -> list[Post]:
    return [a_post(f"Dated {n} days ahead.", hour=HOUR + 24 * n) for n in (1, 40, 400)]


@pytest.mark.parametrize("swapped", [False, True])
async def test_posts_that_are_ahead_are_neither_offered_nor_wanted(swapped: bool) -> None:
    """A node whose clock was ahead keeps what it wrote then. Nobody fetches and refuses it for ever."""
    posts = pool(50)
    async with two_nodes(posts[:30] + late_posts(), posts[20:]) as (a, b):
        first, second = (b, a) if swapped else (a, b)
        await a.sync.sync(b.network.peer_id)
        for _ in range(3):
            report = await first.sync.sync(second.network.peer_id)
            assert report.complete
            assert (report.received, report.sent, report.wanted, report.early) == (0, 0, 0, 0)
        assert b.ids == {p.id for p in posts}


async def test_control_without_the_upper_hour_they_are_refused_in_every_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(look, "window_of", lambda ours, theirs: (0, limits.MAX_HOUR))
    async with two_nodes(pool(50), [*pool(50), *late_posts()]) as (a, b):
        for _ in range(3):
            report = await a.sync.sync(b.network.peer_id)
            assert report.early == 3


@given(
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
    st.tuples(st.integers(-40, 40), st.integers(-40, 40)),
    st.integers(0, 10**6),
)
def test_whatever_the_clocks_both_doors_take_all_that_is_offered(
    ages: tuple[int, int], clocks: tuple[int, int], seed: int
) -> None:
    """And a second session finds nothing to do."""
    rng = random.Random(seed)
    posts = pool(60, 3, 40) + [a_post(f"Ahead {n}.", board="board-1", hour=HOUR + n) for n in range(1, 9)]
    sides = []
    for age, clock in zip(ages, clocks, strict=True):
        hour, horizon = HOUR + clock, max(0, HOUR + clock - age)

        def door(raw: bytes, store: MemoryPosts, hour: int = hour, horizon: int = horizon) -> object:
            post = next(p for p in posts if p.raw == raw)
            refused = check_time(post.payload.hour, hour, Origin.SYNC, horizon)
            return (refused or (Outcome.STORED if store.add([(post, True)])[0] else Outcome.DUPLICATE)), post

        kept = [p for p in posts if rng.random() < 0.6]
        sides.append(Side(MemoryPosts(kept), check=door, terms=Terms(hour, horizon)))  # type: ignore[arg-type]
    a, b = sides
    meet(a, b, seed)
    for side in sides:
        assert (side.session.report.early, side.session.report.refused) == (0, 0)
        assert side.session.report.complete
    meet(b, a, seed + 1)
    assert a.session.report.received == b.session.report.received == 0
    assert a.session.report.wanted == b.session.report.wanted == 0


def hello(hour: int, horizon: int) -> Hello:
    return Hello(bytes(16), hour, horizon)


def test_the_hours_of_a_session() -> None:
    assert window_of(hello(100, 10), hello(120, 20)) == (20, 102)
    assert window_of(hello(120, 20), hello(100, 10)) == (20, 102)
    assert window_of(hello(100, 101), hello(500, 0)) == (101, 102)
    assert window_of(hello(100, 0), hello(9_999, 9_000)) == (9_000, 9_000)  # no hour at all
    assert stretches((9_000, 9_000)) == []


async def test_clocks_a_year_apart_compare_nothing_and_end_well() -> None:
    async with two_nodes(pool(20), pool(40)) as (a, b):
        a.sync.clocks.now = lambda: HOUR + 400 * 24
        report = await a.sync.sync(b.network.peer_id)
        assert report.code is Code.DONE
        assert (report.received, report.sent, report.wanted) == (0, 0, 0)


# --- what is said of how long posts are kept ----------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(0, 10_000))
def test_a_horizon_is_in_whole_days_but_for_the_last_two(hour: int, age: int) -> None:
    oldest = max(0, hour - age)
    said = whole_days(oldest, hour)
    assert oldest <= said < oldest + 24  # never one that the door would refuse
    assert said % 24 == 0 or oldest > hour - 48
    assert said <= hour - 24 or said == oldest  # a day is left, or what the floor left


def test_nodes_that_keep_posts_for_some_hours_more_or_less_say_the_same() -> None:
    hour = HOUR // 24 * 24 + 5
    said = {Settings().terms(hour, 4_320 + more).horizon for more in range(24)}
    assert len(said) <= 2
    low = Settings(BoardChoice(low=lambda _: hour - 700)).terms(hour, 4_320).choice.low("general")
    assert low % 24 == 0
    assert 0 <= low - (hour - 700) < 24


# --- breaches -----------------------------------------------------------------------------------------------


def _facing(*, initiator: bool, looks: bool = False) -> Stranger:
    return Stranger(MemoryPosts(MANY), initiator=initiator, looks=looks)


@pytest.mark.parametrize("initiator", [False, True])
def test_a_look_that_is_not_what_it_should_be(initiator: bool) -> None:
    stranger = _facing(initiator=initiator)
    short = Look(stranger.look.seen[1:])
    with pytest.raises(RemoteProtocolError, match="other hours"):
        stranger.say(short)
    stranger = _facing(initiator=initiator, looks=True)
    with pytest.raises(RemoteProtocolError, match="second LOOK"):
        stranger.say(stranger.other_look())


@pytest.mark.parametrize("frame", [Boards(True, ()), Neg(0, True, b"\x61"), End(Code.DONE)])
@pytest.mark.parametrize("initiator", [False, True])
def test_a_frame_between_hello_and_look(initiator: bool, frame: Boards | Neg | End) -> None:
    with pytest.raises(RemoteProtocolError):
        _facing(initiator=initiator).say(frame)


@pytest.mark.parametrize("initiator", [False, True])
def test_after_the_same_look_there_is_only_an_end(initiator: bool) -> None:
    stranger = _facing(initiator=initiator)
    stranger.say(Look(stranger.look.seen))
    assert stranger.heard[-1] == End(Code.DONE)
    stranger.say(End(Code.DONE))
    assert stranger.session.finished
    again = _facing(initiator=initiator)
    again.say(Look(again.look.seen))
    with pytest.raises(RemoteProtocolError, match="LOOK that is the same"):
        again.say(Boards(True, ()))


def test_a_look_before_hello() -> None:
    side = Side(MemoryPosts(MANY))
    side.begin(random.Random(1), initiator=True)
    with pytest.raises(RemoteProtocolError, match="before HELLO"):
        side.session.receive(session.encode(Look((bytes(16),))))


def test_an_initiator_that_names_a_board_that_the_responder_has_named() -> None:
    stranger = _facing(initiator=True, looks=True)
    named = [board for frame in stranger.heard if isinstance(frame, Boards) for board in frame.boards]
    with pytest.raises(RemoteProtocolError, match="named before"):
        stranger.say(Boards(True, (Board(named[5].tag, 0, 1, bytes(16)),)))
    fine = _facing(initiator=True, looks=True)
    fine.tell("a-board-of-its-own")
    assert fine.session.report.boards == 1


def test_both_may_end_at_once_without_boards() -> None:
    a, b = Side(MemoryPosts(MANY)), Side(MemoryPosts(MANY), terms=replace(TERMS, hour=HOUR + 1))
    meet(a, b)
    assert a.session.report.code is b.session.report.code is Code.DONE
