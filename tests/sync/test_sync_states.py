"""PROTOCOL section 9, "Who may send what, and when": each row, at the first frame that it forbids."""

import dataclasses
import random
from collections.abc import Sequence

import pytest
from memory_posts import MemoryPosts
from strategies import HOUR, a_post
from sync_pair import Side

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.budget import PeerEnded
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
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

SHARED = [a_post(f"shared {n}", board="general", hour=HOUR - n) for n in range(2)]
MINE = [a_post("mine", board="mine", hour=HOUR)]
THEIRS = [a_post("theirs", board="theirs", hour=HOUR)]
NEW = a_post("new", board="general", hour=HOUR)

ALL, OWN_BOARDS, DONE = Pull(0, True, LOWEST, HIGHEST, 0), Boards(True, ()), End(Code.DONE)
NOTHING = b"\x61"  # a Negentropy message without a range
FOREIGN = Board(b"\xff" * 8, 0, 1, bytes(16))


def _ids(count: int) -> tuple[bytes, ...]:
    return tuple(n.to_bytes(32, "big") for n in range(1, count + 1))


def _output(side: Side) -> bytes:
    output = b""
    while part := side.work():
        output += part
    return output


def _frames(raw: bytes) -> list[Frame]:
    return [frame for frame, _ in SyncFrameReader().feed(raw)]


def _introduced(*, is_responder: bool) -> tuple[Side, list[Board]]:
    """A side that has said and heard HELLO and LOOK, which differ; and what the responder then names."""
    initiator, responder = Side(MemoryPosts([*SHARED, *MINE])), Side(MemoryPosts([*SHARED, *THEIRS]))
    initiator.begin(random.Random(0), initiator=True)
    responder.begin(random.Random(1), initiator=False)
    hellos = _output(initiator), _output(responder)
    responder.session.receive(hellos[0])
    initiator.session.receive(hellos[1])
    looks = _output(initiator), _output(responder)
    responder.session.receive(looks[0])
    (boards,) = [frame for frame in _frames(looks[1] + _output(responder)) if isinstance(frame, Boards)]
    if is_responder:
        return responder, list(boards.boards)
    initiator.session.receive(encode(next(f for f in _frames(looks[1]) if isinstance(f, Look))))
    return initiator, list(boards.boards)


def _answers(side: Side, frames: Sequence[Frame]) -> list[Frame]:
    """What a side says to these, which come all at once."""
    side.session.receive(b"".join(map(encode, frames)))
    output = _output(side)
    while side.land():
        output += _output(side)
    return _frames(output)


def _pushed(*posts: bytes) -> Posts:
    return Posts(PostsReason.PUSHED, posts)


BREACHES_OF_AN_INITIATOR = {
    "a second HELLO": ([Hello(bytes(16), HOUR, 0)], "a second HELLO"),
    "a second LOOK": ([Look(())], "a second LOOK"),
    "BOARDS after its last": ([OWN_BOARDS, OWN_BOARDS], "boards after the last"),
    "BOARDS after END 0": ([OWN_BOARDS, DONE, Boards(True, (FOREIGN,))], "after the last question"),
    "NEG of a board without a number": ([Neg(9, True, NOTHING)], "nobody named"),
    "NEG after END 0": ([OWN_BOARDS, DONE, Neg(0, True, NOTHING)], "after the last question"),
    "NEG in parts": ([Neg(0, False, NOTHING)], "in parts"),
    "WANT after END 0": ([OWN_BOARDS, DONE, Want(_ids(1))], "after the last question"),
    "a WANT too many": ([*[Want(_ids(1_000))] * 4, Want(_ids(97))], "more posts wanted"),
    "PULL of a board without a number": ([Pull(9, True, LOWEST, HIGHEST, 0)], "nobody named"),
    "PULL after END 0": ([OWN_BOARDS, DONE, ALL], "after the last question"),
    "a seventeenth PULL": ([ALL] * 17, "more PULLs"),
    "POSTS that nobody wanted": ([Posts(PostsReason.WANTED, (NEW.raw,))], "not asked"),
    "POSTS that nobody pulled": ([Posts(PostsReason.PULLED_ALL, ())], "nobody pulled"),
    "a push before NEG": ([_pushed(NEW.raw)], "not compared"),
    "a push after END 0": (
        [Neg(0, True, NOTHING), Neg(1, True, NOTHING), OWN_BOARDS, DONE, _pushed(NEW.raw)],
        "after the last question",
    ),
    "GONE that nobody wanted": ([Gone(1)], "not asked"),
    "CREDIT for a window that is whole": ([Grant(Credit.POSTS, 1)], "more credit"),
    "END 0 before its BOARDS": ([DONE], "before all boards"),
    "a second END 0": ([OWN_BOARDS, DONE, DONE], "a second END"),
}
TAKEN_FROM_AN_INITIATOR = {
    "WANT before its BOARDS": ([Want(_ids(1)), OWN_BOARDS], Gone(1)),
    "4,096 IDs wanted": ([*[Want(_ids(1_000))] * 4, Want(_ids(96))], Gone(64)),
    "sixteen PULLs": ([ALL] * 16, None),
    "a PULL of a reversed range": ([Pull(0, True, HIGHEST, LOWEST, 0)], Posts(PostsReason.PULLED_ALL, ())),
    "a PULL of an empty range": ([Pull(0, True, (5, b""), (6, b""), 0)], Posts(PostsReason.PULLED_ALL, ())),
    "NEG before its BOARDS": ([Neg(0, True, NOTHING), OWN_BOARDS], Neg(0, True, NOTHING)),
    "END 0 before the last NEG is answered": (
        [OWN_BOARDS, Neg(0, True, NOTHING), DONE],
        Neg(0, True, NOTHING),
    ),
    "a push after NEG": (
        [Neg(0, True, NOTHING), Neg(1, True, NOTHING), _pushed(NEW.raw)],
        Grant(Credit.POSTS, len(encode(_pushed(NEW.raw)))),
    ),
}
BREACHES_OF_A_RESPONDER = {
    "a push": ([_pushed(NEW.raw)], "a responder that pushes"),
    "NEG that answers nothing": ([Boards(True, (FOREIGN,)), Neg(0, True, NOTHING)], "no message"),
    "PULL of a board that has nothing there": (
        [Boards(True, (FOREIGN,)), Pull(0, True, LOWEST, HIGHEST, 0)],
        "has nothing here",
    ),
    "END 0 before its BOARDS": ([DONE], "before all boards"),
    "BOARDS after its last": ([OWN_BOARDS, OWN_BOARDS], "boards after the last"),
}


@pytest.mark.parametrize("name", BREACHES_OF_AN_INITIATOR)
def test_what_an_initiator_must_not_send_then_is_a_breach(name: str) -> None:
    frames, why = BREACHES_OF_AN_INITIATOR[name]
    side, _ = _introduced(is_responder=True)
    with pytest.raises(RemoteProtocolError, match=why):
        _answers(side, frames)


@pytest.mark.parametrize("name", TAKEN_FROM_AN_INITIATOR)
def test_what_an_initiator_may_send_then_is_answered(name: str) -> None:
    frames, answer = TAKEN_FROM_AN_INITIATOR[name]
    side, _ = _introduced(is_responder=True)
    said = _answers(side, frames)
    assert answer in said if answer else len([f for f in said if isinstance(f, Posts)]) == len(frames)


@pytest.mark.parametrize("name", BREACHES_OF_A_RESPONDER)
def test_what_a_responder_must_not_send_then_is_a_breach(name: str) -> None:
    frames, why = BREACHES_OF_A_RESPONDER[name]
    side, _ = _introduced(is_responder=False)
    for frame in frames[:-1]:
        _answers(side, [frame])
    with pytest.raises(RemoteProtocolError, match=why):
        _answers(side, frames[-1:])


def test_an_initiator_must_not_name_a_board_that_the_responder_named() -> None:
    side, named = _introduced(is_responder=True)
    with pytest.raises(RemoteProtocolError, match="named before"):
        _answers(side, [Boards(True, (named[0],))])


def test_a_responder_that_has_said_end_0_goes_on_answering_neg() -> None:
    side, named = _introduced(is_responder=False)
    others = Boards(True, tuple(dataclasses.replace(board, fingerprint=bytes(16)) for board in named))
    (asked,) = [frame for frame in _answers(side, [others, DONE]) if isinstance(frame, Neg)]
    assert DONE in _answers(side, [Posts(PostsReason.PULLED_ALL, ()), Neg(asked.board, True, NOTHING)])


def test_an_end_above_0_may_follow_end_0_and_ends_the_session() -> None:
    side, _ = _introduced(is_responder=True)
    with pytest.raises(PeerEnded):
        _answers(side, [OWN_BOARDS, DONE, End(Code.TIME)])


def test_nothing_but_an_end_comes_before_hello_and_look() -> None:
    for frame in (Look(()), OWN_BOARDS, Want(_ids(1)), DONE):
        side = Side(MemoryPosts(SHARED))
        side.begin(random.Random(0), initiator=False)
        with pytest.raises(RemoteProtocolError):
            side.session.receive(encode(frame))
    side = Side(MemoryPosts(SHARED))
    side.begin(random.Random(0), initiator=True)
    with pytest.raises(PeerEnded):
        side.session.receive(encode(End(Code.BUSY)))
