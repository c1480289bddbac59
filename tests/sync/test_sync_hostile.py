"""Peers that break rules or want too much: a RemoteProtocolError or a clean end, within budgets.

Where a budget does it, a control without that budget shows that nothing else would have.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_posts import MemoryPosts
from stranger import Stranger, everything, fingerprints, listed
from strategies import HOUR, TEST_NETWORK, a_post
from sync_pair import TERMS, Side, pool, wide_policy

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost, RemoteProtocolError
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Outcome
from p2pforum.sync.budget import Budget, SessionOver
from p2pforum.sync.look import stretches
from p2pforum.sync.wire.frames import encode
from p2pforum.sync.wire.negentropy import HIGHEST, LOWEST
from p2pforum.sync.wire.payloads import (
    Board,
    Boards,
    Code,
    Credit,
    End,
    Gone,
    Grant,
    Hello,
    Look,
    Neg,
    Posts,
    PostsReason,
    Pull,
    Want,
)

POSTS = [p for p in pool(600) if p.payload.board == "board-0"]
HERE, THERE = POSTS[:100], POSTS[100:]
NO_LIMIT = 2**60
ABOVE = (HOUR + 1, b"")  # all that is here


def facing_responder(posts: list[Post] = HERE, **budget: float) -> Stranger:
    """An initiator that is nobody's friend."""
    terms = replace(TERMS, budget=replace(Budget(), **budget))
    return Stranger(MemoryPosts(posts), initiator=True, terms=terms)


def facing_initiator(posts: list[Post] = HERE, count: int = 500, **budget: float) -> Stranger:
    """A responder that claims to have `count` posts of board-0. What it says gets compared with ours."""
    terms = replace(TERMS, budget=replace(Budget(), **budget))
    stranger = Stranger(MemoryPosts(posts), initiator=False, terms=terms)
    stranger.tell("board-0", count=count)
    return stranger


def asked(stranger: Stranger) -> list[Neg]:
    return [f for f in stranger.heard if isinstance(f, Neg)]


def wanted(stranger: Stranger) -> list[bytes]:
    return [id_ for f in stranger.heard if isinstance(f, Want) for id_ in f.ids]


def again_and_again(ask: Callable[[], None]) -> None:
    """Far more often than anybody should be able to."""
    for _ in range(100_000):
        ask()


def fake_ids(count: int, start: int = 0) -> list[bytes]:
    return [n.to_bytes(32, "big") for n in range(start, start + count)]


# --- wanting too much ---------------------------------------------------------------------------------------


class TestEverything:
    def test_all_ids_cost_credit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "SYNC_NEG_WINDOW", 3_000)
        many = pool(2500, 1, 200)
        terms = replace(TERMS, policy=replace(TERMS.policy, limit=1_000))
        stranger = Stranger(MemoryPosts(many), initiator=True, terms=terms)
        stranger.say(everything())
        said = sum(len(f.message) for f in asked(stranger))
        assert 1_000 < said < 3_000
        monkeypatch.setattr(limits, "SYNC_NEG_WINDOW", NO_LIMIT)
        control = Stranger(MemoryPosts(many), initiator=True, terms=terms)
        control.say(everything())
        assert sum(len(f.message) for f in asked(control)) > 2_500 * 32

    def test_more_questions_than_credit_break_the_protocol(self) -> None:
        stranger = facing_responder(pool(2500, 1, 200))
        with pytest.raises(RemoteProtocolError, match="credit"):
            again_and_again(lambda: stranger.say(everything()))

    def test_all_posts_cost_credit(self) -> None:
        many = pool(5000, 1, 200)
        stranger = facing_responder(many)
        for _ in range(8):
            stranger.say(Pull(0, False, LOWEST, HIGHEST, 0))
        sent = sum(len(raw) for f in stranger.heard if isinstance(f, Posts) for raw in f.posts)
        assert sent <= limits.SYNC_POSTS_WINDOW < sum(len(p.raw) for p in many) * 8
        with pytest.raises(RemoteProtocolError, match="PULLs"):
            again_and_again(lambda: stranger.say(Pull(0, False, LOWEST, HIGHEST, 0)))

    def test_all_posts_again_and_again(self) -> None:
        def run(posts_bytes: float) -> Stranger:
            stranger = facing_responder(pool(2500, 1, 200), posts_bytes=posts_bytes)
            for _ in range(10):
                stranger.say(Pull(0, False, LOWEST, HIGHEST, 0))
                owed = limits.SYNC_POSTS_WINDOW - stranger.session._serving.window.left
                stranger.say(Grant(Credit.POSTS, owed))
            return stranger

        with pytest.raises(SessionOver) as over:
            run(1_000_000)
        assert over.value.code is Code.BUDGET
        assert run(NO_LIMIT).session.report.sent == 25_000

    def test_more_wants_than_may_be_unanswered(self) -> None:
        stranger = facing_responder()
        with pytest.raises(RemoteProtocolError, match="wanted at once"):
            stranger.session.receive(
                b"".join(encode(Want(tuple(fake_ids(1000, n)))) for n in range(0, 5000, 1000))
            )

    def test_wants_of_nothing_are_answered_cheaply(self) -> None:
        stranger = facing_responder()
        for n in range(20):
            stranger.say(Want(tuple(fake_ids(1000, 1000 * n))))
        assert sum(f.count for f in stranger.heard if isinstance(f, Gone)) == 20_000

    @pytest.mark.slow
    def test_comparing_costs_work(self) -> None:
        ticks = itertools.count()
        terms = replace(TERMS, budget=Budget(cpu=500))
        stranger = Stranger(
            MemoryPosts(pool(2500, 1, 200)), initiator=True, terms=terms, clock=lambda: next(ticks) / 100
        )
        answering = stranger.session._answering
        assert answering is not None

        def ask() -> None:
            stranger.say(Neg(0, True, fingerprints([(HOUR - n, b"") for n in range(190, 0, -1)])))
            if spent := answering.window.size - answering.window.left:
                stranger.say(Grant(Credit.NEG, spent))

        with pytest.raises(SessionOver, match="seconds of work"):
            again_and_again(ask)


class TestLies:
    def test_rounds_without_end(self) -> None:
        """Fingerprints that never match, in answer to every question."""

        def run(rounds: float, most: int) -> int:
            stranger = facing_initiator(rounds=rounds)
            for n in range(most):
                last = asked(stranger)[-1]
                before = len(stranger.heard)
                stranger.say(Neg(last.board, True, fingerprints([HIGHEST])))
                if len(stranger.heard) == before:
                    return n
            return most

        with pytest.raises(SessionOver) as over:
            run(limits.SYNC_ROUNDS, 200)
        assert over.value.code is Code.BUDGET
        assert run(NO_LIMIT, 200) == 200  # the control goes round for ever

    def test_a_million_ids_that_do_not_exist(self) -> None:
        def run(wants: float) -> Stranger:
            stranger = facing_initiator(wants=wants)
            number = asked(stranger)[-1].board
            for n in range(0, 8_000, 1_000):
                stranger.say(Neg(number, n == 7_000, listed(fake_ids(1_000, n), ABOVE)))
                outstanding = len(stranger.session._fetching._outstanding)
                if outstanding:
                    stranger.say(Gone(outstanding))
            return stranger

        stranger = run(2_500)
        assert len(wanted(stranger)) == 2_500
        assert stranger.session.report.left == 5_500
        assert len(wanted(run(NO_LIMIT))) == 8_000

    def test_wants_stop_at_the_window_while_nothing_comes(self) -> None:
        stranger = facing_initiator()
        number = asked(stranger)[-1].board
        for n in range(0, 20_000, 1_000):
            stranger.say(Neg(number, n == 19_000, listed(fake_ids(1_000, n), ABOVE)))
        assert len(wanted(stranger)) <= limits.SYNC_WANT_WINDOW
        assert not stranger.session.finished

    def test_one_item_can_be_missing_once_only(self) -> None:
        """An empty list makes us push all we have; again, and we would push it again."""
        stranger = facing_initiator()
        number = asked(stranger)[-1].board
        stranger.say(Neg(number, False, listed([])))
        assert stranger.session.report.sent == len(HERE)
        with pytest.raises(RemoteProtocolError, match="overlap"):
            stranger.say(Neg(number, False, listed([])))

    def test_more_boards_than_there_may_be(self) -> None:
        stranger = Stranger(MemoryPosts(HERE), initiator=False)
        numbers = itertools.count(1)

        def name() -> None:
            tags = [next(numbers).to_bytes(8, "big") for _ in range(500)]
            stranger.session.receive(encode(Boards(False, tuple(_board(tag) for tag in tags))))

        with pytest.raises(RemoteProtocolError, match="too many boards"):
            again_and_again(name)

    def test_duplicates_without_end(self) -> None:
        def run(duplicates: float) -> Stranger:
            stranger = facing_responder(POSTS, duplicates=duplicates)
            stranger.tell()
            stranger.say(everything())
            for _ in range(20):
                stranger.say(Posts(PostsReason.PUSHED, tuple(p.raw for p in POSTS[:50])))
            return stranger

        with pytest.raises(SessionOver, match="here before"):
            run(300)
        assert run(NO_LIMIT).session.report.duplicate == 1_000


def _board(tag: bytes) -> Board:
    return Board(tag, 0, 1, bytes(16))


# --- breaking rules -----------------------------------------------------------------------------------------


def pulled(stranger: Stranger) -> None:
    assert any(isinstance(f, Pull) for f in stranger.heard)


def _pulling(name: str = "new-board") -> Stranger:
    stranger = Stranger(MemoryPosts(HERE), initiator=False)
    stranger.tell(name, count=1000)
    pulled(stranger)
    return stranger


def _wanting(post: Post) -> Stranger:
    stranger = facing_initiator()
    stranger.say(Neg(asked(stranger)[-1].board, True, listed([post.id])))
    assert wanted(stranger) == [post.id]
    return stranger


NEW = [a_post(f"New {n}.", board="new-board", hour=HOUR - n) for n in range(4)]

BREACHES: dict[str, Callable[[], None]] = {
    "posts that nobody asked for": lambda: facing_initiator().say(Posts(PostsReason.WANTED, (THERE[0].raw,))),
    "a post other than the one asked for": lambda: _wanting(THERE[0]).say(
        Posts(PostsReason.WANTED, (THERE[1].raw,))
    ),
    "the post asked for, twice": lambda: _wanting(THERE[0]).say(
        Posts(PostsReason.WANTED, (THERE[0].raw,) * 2)
    ),
    "more gone than was asked for": lambda: _wanting(THERE[0]).say(Gone(2)),
    "bytes that are no post": lambda: _wanting(THERE[0]).say(Posts(PostsReason.WANTED, (b"no post",))),
    "a responder that pushes": lambda: facing_initiator().say(Posts(PostsReason.PUSHED, (THERE[0].raw,))),
    "a push without a comparison": lambda: facing_responder().say(Posts(PostsReason.PUSHED, (THERE[0].raw,))),
    "a push of another board": lambda: facing_responder().say(
        everything(), Posts(PostsReason.PUSHED, (NEW[0].raw,))
    ),
    "pulled posts that nobody pulled": lambda: facing_responder().say(
        Posts(PostsReason.PULLED, (THERE[0].raw,))
    ),
    "pulled posts of another board": lambda: _pulling().say(Posts(PostsReason.PULLED, (THERE[0].raw,))),
    "pulled posts out of order": lambda: _pulling().say(Posts(PostsReason.PULLED, (NEW[2].raw, NEW[1].raw))),
    "a pulled post twice": lambda: _pulling().say(Posts(PostsReason.PULLED, (NEW[2].raw, NEW[2].raw))),
    "a PULL cut short": lambda: _pulling().say(Posts(PostsReason.PULLED_PART, (NEW[0].raw,))),
    "more pulled than asked for": lambda: [
        _pulling().say(*[Posts(PostsReason.PULLED, (NEW[0].raw,) * 90)] * 3)
    ][0],
    "an answer to no question": lambda: facing_initiator([]).say(Neg(0, True, b"a")),
    "an answer about another board": lambda: _two_boards(),
    "a question about a board that is not there": lambda: facing_responder().say(everything(7)),
    "a pull of a board that is not there": lambda: facing_responder().say(Pull(7, False, LOWEST, HIGHEST, 0)),
    "a question in parts": lambda: facing_responder().say(Neg(0, False, b"\x61")),
    "a malformed message": lambda: facing_responder().say(Neg(0, True, b"\x61\x00")),
    "a second HELLO": lambda: facing_responder().say(Hello(bytes(16), 1, 1)),
    "boards out of order": lambda: _boards(b"B" * 8, b"A" * 8),
    "a board twice": lambda: _boards(b"A" * 8, b"A" * 8),
    "no boards, and not the last": lambda: Stranger(MemoryPosts(HERE), initiator=False).say(
        Boards(False, ())
    ),
    "boards after the last": lambda: [s := facing_initiator(), s.say(Boards(False, ()))][0],
    "an END before the boards": lambda: Stranger(MemoryPosts(HERE), initiator=False).say(End(Code.DONE)),
    "a second END": lambda: [s := facing_initiator(), s.say(End(Code.DONE), End(Code.DONE))][0],
    "a question after END": lambda: [s := facing_initiator(), s.say(End(Code.DONE), Want((bytes(32),)))][0],
    "credit beyond the window": lambda: facing_responder().say(Grant(Credit.POSTS, 1)),
    "NEG credit beyond the window": lambda: facing_responder().say(Grant(Credit.NEG, 1)),
}


def _two_boards() -> None:
    both = [*HERE, *NEW]
    stranger = Stranger(MemoryPosts(both), initiator=False)
    stranger.tell("board-0", "new-board", count=1)
    first = asked(stranger)[0]
    stranger.say(Neg(1 - first.board, True, b"\x61"))


def _boards(*tags: bytes) -> None:
    stranger = Stranger(MemoryPosts(HERE), initiator=False)
    stranger.session.receive(encode(Boards(True, tuple(_board(tag) for tag in tags))))


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_broken_rule(breach: Callable[[], None]) -> None:
    with pytest.raises(RemoteProtocolError):
        breach()


def test_a_frame_before_hello() -> None:
    side = Side(MemoryPosts(HERE))
    side.begin(random.Random(1), initiator=False)
    with pytest.raises(RemoteProtocolError, match="before HELLO"):
        side.session.receive(encode(everything()))


def test_an_initiator_that_names_boards_before_it_has_heard_ours() -> None:
    side = Side(MemoryPosts(HERE))
    side.begin(random.Random(1), initiator=False)
    side.session.receive(encode(Hello(bytes(16), HOUR, 0)))
    side.work()
    side.session.receive(encode(Look((bytes(16),) * len(stretches((0, HOUR + 2))))))
    with pytest.raises(RemoteProtocolError, match="heard ours"):
        side.session.receive(encode(Boards(True, ())))


@pytest.mark.parametrize("code", [c for c in Code if c is not Code.DONE])
def test_a_peer_that_ends_the_session_says_why(code: Code) -> None:
    with pytest.raises(SessionOver) as over:
        facing_initiator().say(End(code))
    assert over.value.code is code


def test_an_error_may_follow_done() -> None:
    stranger = facing_initiator()
    stranger.say(End(Code.DONE))
    with pytest.raises(SessionOver):
        stranger.say(End(Code.TIME))


@pytest.mark.slow
@settings(max_examples=150)
@given(st.integers(0, 10**6), st.data())
def test_a_stream_damaged_anywhere_is_a_fault_or_a_smaller_session(seed: int, data: st.DataObject) -> None:
    """The peer speaks our language and its bytes are changed: nothing but the two errors comes out,
    and the stores hold only valid posts."""
    posts = pool(60)
    a, b = Side(MemoryPosts(posts[:40]), check=_checked), Side(MemoryPosts(posts[20:]), check=_checked)
    rng = random.Random(seed)
    a.begin(rng, initiator=True)
    b.begin(rng, initiator=False)
    damage_at = data.draw(st.integers(0, 12_000))
    moved = 0
    try:
        for _ in range(30):
            for here, there in ((a, b), (b, a)):
                output = bytearray(here.session.work(1.0))
                if output and moved <= damage_at < moved + len(output):
                    output[damage_at - moved] ^= data.draw(st.integers(1, 255))
                moved += len(output)
                there.session.receive(bytes(output))
                there.land()
    except (RemoteProtocolError, SessionOver):
        pass
    valid = {p.id for p in posts}
    assert a.ids <= valid
    assert b.ids <= valid


def _checked(raw: bytes, store: MemoryPosts) -> tuple[Outcome, Post | None]:
    """The door's verdict, signature included."""
    try:
        decode(raw, TEST_NETWORK).verify_signature()
    except InvalidPost:
        return Outcome.INVALID, None
    return wide_policy(raw, store)
