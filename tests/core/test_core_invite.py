"""Invites: the same choices are the same line, and nothing else is an invite."""

import base64
import json
import random
from dataclasses import replace

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invite_vectors import FILE, ID, ONE, TWO, line, vectors

from p2pforum.core import limits
from p2pforum.core.errors import InvalidInvite
from p2pforum.core.invite import PREFIX, Invite, decode_invite, encode_invite

PUBLISHED = json.loads(FILE.read_text())
PEERS = st.lists(
    st.integers(0, 255).map(lambda n: f"/ip4/192.0.2.{n}/tcp/{n + 1}/p2p/{ID}"), min_size=1, max_size=8
)
BOARDS = st.lists(st.text("abc09.-", min_size=1, max_size=8), max_size=8)
LISTS = st.lists(st.binary(min_size=32, max_size=32), max_size=4)


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


@pytest.mark.parametrize("case", PUBLISHED["accept"], ids=lambda case: case["name"])
def test_accepted(case: dict[str, object]) -> None:
    found = decode_invite(str(case["line"]))
    told = {
        "network": found.network,
        "peers": list(found.peers),
        "boards": list(found.boards),
        "lists": [key.hex() for key in found.lists],
    }
    assert told == {key: case[key] for key in told}


@pytest.mark.parametrize("case", PUBLISHED["reject"], ids=lambda case: case["name"])
def test_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidInvite):
        decode_invite(case["line"])


def lines_of_two_people(encode: object, peers: list[str], boards: list[str], lists: list[bytes]) -> set[str]:
    """The same choices, made in another order and with repetitions."""
    rng = random.Random(1)
    made = set()
    for _ in range(2):
        for part in (peers, boards, lists):
            rng.shuffle(part)
        invite = Invite("test.lab", (*peers, *peers[:1]), tuple(boards), tuple(lists))
        made.add(encode(invite))  # type: ignore[operator]
    return made


@given(PEERS, BOARDS, LISTS)
def test_the_same_choices_are_the_same_line(peers: list[str], boards: list[str], lists: list[bytes]) -> None:
    (made,) = lines_of_two_people(encode_invite, peers, boards, lists)
    found = decode_invite(made)
    assert set(found.peers) == set(peers)
    assert set(found.boards) == set(boards)
    assert set(found.lists) == set(lists)
    assert encode_invite(found) == made


def test_control_a_line_in_the_order_of_typing_tells_people_apart() -> None:
    def naive(invite: Invite) -> str:
        return line([1, invite.network, list(invite.peers), list(invite.boards), list(invite.lists)])

    peers = [f"/ip4/192.0.2.{n}/tcp/1/p2p/{ID}" for n in range(8)]
    assert len(lines_of_two_people(naive, peers, ["a", "b"], [])) == 2


def test_nothing_but_the_choices_is_in_it() -> None:
    raw = base64.urlsafe_b64decode(encode_invite(Invite("p2pforum", peers=(TWO, ONE)))[len(PREFIX) :] + "==")
    assert cbor2.loads(raw[:-4]) == [1, "p2pforum", [TWO, ONE], [], []]


def test_mail_programs_may_wrap_it() -> None:
    made = encode_invite(Invite("p2pforum", peers=(ONE, TWO)))
    wrapped = " \r\n".join(made[i : i + 60] for i in range(0, len(made), 60)) + "\n"
    assert decode_invite(wrapped).peers == (TWO, ONE)


@given(
    st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: PREFIX + base64.b64encode(raw).decode())
)
def test_any_text_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(InvalidInvite):
        decode_invite(text)


def test_what_could_not_be_read_back_is_not_made() -> None:
    good = Invite("p2pforum", peers=(ONE,))
    for bad in (
        replace(good, peers=("/ip4/192.0.2.1/tcp/4001",)),
        replace(good, boards=("A",)),
        replace(good, lists=(b"short",)),
        replace(good, boards=tuple(f"b{n}" for n in range(limits.MAX_INVITED + 1))),
        replace(good, network="n" * 33),
    ):
        with pytest.raises(InvalidInvite):
            encode_invite(bad)


def test_a_file_of_another_kind_is_not_read_whole() -> None:
    with pytest.raises(InvalidInvite, match="too long"):
        decode_invite(PREFIX + "A" * limits.MAX_INVITE)
