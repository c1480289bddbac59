"""What a peer may send in its stem, however often and under however many names it comes."""

from random import Random

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from stem_nodes import Stranger, a_stem_node

from p2pforum.core.bounded import TokenBucket
from p2pforum.network.memory_network import MemoryHub
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import RelayPost, StemRouter
from p2pforum.stem.token_buckets import TokenBuckets
from p2pforum.stem.wire import encode_cover

P = StemParams()
CROWD = "8.8.0.0/16"
MOST = int(P.frames_newcomers * P.frames_burst)


def a_router(params: StemParams | None = None) -> StemRouter:
    return StemRouter(Random(1), Guards(), 0.0, params or StemParams(diffuser=0.0))


def frames(router: StemRouter, peer: str, now: float, group: str = "", tries: int = 100) -> int:
    """Of so many at once, those that are taken; on a connection of its own."""
    router.add_peer(peer, now, outbound=False, group=group)
    taken = sum(router.may_send(peer, now) for _ in range(tries))
    router.remove_peer(peer)
    return taken


def test_coming_back_renews_nothing() -> None:
    router = a_router()
    assert [frames(router, "a", 0.0) for _ in range(5)] == [20, 0, 0, 0, 0]
    assert frames(router, "a", 60.0) == 10, "time does"
    assert frames(router, "a", 3_600.0) == 20
    assert frames(router, "b", 3_600.0) == 20


def test_a_thousand_new_names_of_one_group_get_what_sixteen_get() -> None:
    """Whatever the part of the internet; "" is the one that all come from who use an onion service."""
    for group in (CROWD, ""):
        router = a_router()
        assert sum(frames(router, f"p{n}", 0.0, group) for n in range(1_000)) == MOST
        later = sum(frames(router, f"q{n}", 60.0, group) for n in range(1_000))
        assert later == MOST // 2, "which refills"
        assert frames(router, "other", 60.0, "9.9.0.0/16") == 20, "and others have their own"


def test_control_a_bucket_of_the_connection_alone_bounds_nobody() -> None:
    """What it was before: a new one for each connection."""
    taken = 0
    for _ in range(1_000):
        bucket = TokenBucket(P.frames_per_minute / 60, P.frames_burst, 0.0)
        taken += sum(bucket.take_one(0.0) == 0.0 for _ in range(100))
    assert taken == 20_000


def test_a_crowd_of_newcomers_takes_nothing_from_a_peer_that_is_here() -> None:
    """Else whoever shares an address with us could have our guard drop our posts: we would fluff them."""
    router = a_router()
    router.add_peer("here", 0.0, outbound=False, group=CROWD)
    for n in range(1_000):
        frames(router, f"p{n}", 1.0, CROWD)
    assert sum(router.may_send("here", 1.0) for _ in range(100)) == 20
    router.remove_peer("here")
    for n in range(1_000):
        frames(router, f"q{n}", 200.0, CROWD)
    assert frames(router, "here", 200.0, CROWD) == 20, "nor when it comes back"


def test_a_newcomer_of_a_crowd_waits_for_its_first_frame_and_has_its_rate() -> None:
    router = a_router()
    for n in range(1_000):
        frames(router, f"p{n}", 0.0, CROWD)
    router.add_peer("late", 0.0, outbound=False, group=CROWD)
    assert not router.may_send("late", 0.0)
    assert [router.may_send("late", 6.1 * n) for n in range(1, 5)] == [True] * 4


def test_peers_that_we_dialled_share_with_nobody() -> None:
    router = a_router()
    for n in range(1_000):
        frames(router, f"p{n}", 0.0, CROWD)
    router.add_peer("ours", 0.0, outbound=True, group=CROWD)
    assert sum(router.may_send("ours", 0.0) for _ in range(100)) == 20


def test_our_own_sending_keeps_to_what_a_peer_takes_over_connections_too() -> None:
    """It remembers; did we not, what we send after a reconnection would be dropped without a word."""
    router = a_router()
    router.add_peer("from", 0.0, outbound=False)
    sent = 0
    for n in range(3):
        router.add_peer("relay", float(n), outbound=True)
        router.on_answer("relay")
        for post in range(30):
            router.on_post("from", bytes([n, post]) * 16, b"raw", float(n))
        sent += sum(isinstance(effect, RelayPost) for effect in router.tick(n + 0.999))
        router.remove_peer("relay")
    assert 0 < sent <= P.frames_burst * P.own_share + 1


async def test_a_peer_that_reconnects_finds_its_allowance_as_it_left_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(1))
    async with a_stem_node(hub, "relay") as relay, hub.network("flood") as network:
        stranger = Stranger(network)
        for _ in range(4):
            peer = await network.dial(relay.network.addresses[0])
            for _ in range(25):
                await stranger.say("relay", encode_cover())
            await network.disconnect(peer)
            await trio.sleep(1)
        counts = relay.stem.view().counts
    assert counts.cover + counts.excess == 100
    assert counts.cover < 25, "twenty, and what came in some seconds"


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 100))), st.integers(1, 10))
def test_memory_is_bounded_and_who_was_here_last_is_remembered(
    visits: list[tuple[int, float]], remembered: int
) -> None:
    held = TokenBuckets(10, 20, remembered)
    now, last = 0.0, ""
    for number, wait in visits:
        now, last = now + wait, f"p{number}"
        held.of(last, now)
        assert last in held
    assert len(held) <= remembered
