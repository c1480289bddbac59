"""What is no post and no offence by itself, and still costs us work: who sends much of it pays with score."""

import pytest
from gossip_bed import Bed, T, disconnected
from gossip_nodes import Node, Probe, as_message, until
from strategies import HOUR, a_post
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.verdict import Outcome
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire import decode_rpc

JUNK = b"\x78\x00"  # a field that nobody knows


def rpc_of(count: int) -> bytes:
    return b"\x0a\x05\x08\x01\x12\x01t" + JUNK * count  # with a subscription, so that it is not empty


def test_who_makes_us_read_junk_all_the_time_is_dropped() -> None:
    bed = Bed()
    bed.add("bad", "later version")
    most = limits.MAX_RPC_FIELDS - 3
    sent = 0
    while not disconnected(bed._note(bed.router.on_rpc("bad", decode_rpc(rpc_of(most)), bed.now))):
        sent += 1
        assert sent < 50  # 0.3 s of reading
    before = bed.score("later version")
    for _ in range(60):  # a field that we don't know in each of many RPCs
        for _ in range(GossipParams().control_per_beat):
            bed.router.on_rpc("later version", decode_rpc(rpc_of(2)), bed.now)
        bed.beat()
    assert bed.score("later version") >= before
    assert bed.message("later version", b"a post", T)  # still heard


@pytest.mark.parametrize("outcome", [Outcome.TOO_EARLY, Outcome.REFUSED])
def test_a_flood_of_posts_of_wrong_hours_ends(outcome: Outcome) -> None:
    """Their signatures are not looked at, so that a random one does."""
    bed = Bed()
    bed.add("bad", "good")
    sent = 0
    while sent < 3_000:
        sent += 1
        bed.message("bad", b"%d" % sent)
        if disconnected(bed.verdict(b"%d" % sent, outcome)):
            break
        if sent % 100 == 0:
            bed.beat()
    assert 1_000 < sent < 2_000
    assert bed.score("good") >= 0


def test_dates_days_ahead_are_no_clock_that_is_off() -> None:
    bed = Bed()
    bed.add("bad")
    for n in range(40):
        bed.message("bad", b"%d" % n)
        bed._note(bed.router.on_verdict(_name(n), Outcome.TOO_EARLY, bed.now, far=True))
    assert disconnected(bed.effects) == ["bad"]


def _name(n: int) -> bytes:
    return message_id(b"%d" % n)


def test_nobody_is_dropped_for_a_clock_that_is_off_by_an_hour() -> None:
    """Ours is slow, and for ten minutes of each hour all that comes is too early: a post a second."""
    bed = Bed()
    bed.add("a")
    for second in range(4 * 3_600):
        data = b"%d" % second
        if second % 3_600 < 600:
            bed.message("a", data)
            bed.verdict(data, Outcome.TOO_EARLY)
        elif second % 6 == 0:
            bed.deliver("a", data)
        bed.beat()
    assert disconnected(bed.effects) == []
    assert bed.score("a") > -10, "and it is still trusted with IHAVE"


async def test_the_door_says_what_is_far_ahead(node: Node, probe: Probe, autojump_clock: MockClock) -> None:
    await probe.join(node)
    near = [a_post(f"Near {n}.", hour=HOUR + 24) for n in range(40)]
    await probe.say(publish=tuple(map(as_message, near)))
    await until(lambda: node.service.statistics().ignored == 40)
    assert probe.is_connected
    far = [a_post(f"Far {n}.", hour=HOUR + 25) for n in range(40)]
    await probe.say(publish=tuple(map(as_message, far)))
    await until(lambda: not probe.is_connected)
    assert node.held == set()
