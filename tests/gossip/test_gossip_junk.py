"""What is no post and no offence by itself, and still costs us work: who sends much of it pays with score."""

from gossip_bed import Bed, T, disconnected

from p2pforum.core import limits
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.wire.rpc import decode_rpc

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
