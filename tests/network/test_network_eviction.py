"""Who makes room for whom: invariants, and five hundred connections of one attacker."""

from collections.abc import Callable, Sequence
from random import Random

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core import limits
from p2pforum.network.eviction import Candidate, to_evict
from p2pforum.network.inbound_slots import InboundConnection, InboundSlots, PendingConnections
from p2pforum.network.interface import Connection, Direction, PeerID

SECRET = b"of this node"
PROTECTED = limits.EVICTION_GROUPS + limits.EVICTION_WORTHY


@st.composite
def inbound(draw: st.DrawFn) -> list[Candidate]:
    size = draw(st.integers(0, 60))
    groups = st.sampled_from(["", "", *(f"8.{n}.0.0/16" for n in range(12))])
    times = st.floats(0, 1000, allow_nan=False)
    worth = st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0, 7.5])
    return [Candidate(n, draw(times), draw(groups), draw(worth)) for n in range(size)]


# -- invariants --------------------------------------------------------------------------------------


@given(inbound(), st.randoms(use_true_random=False))
def test_the_answer_is_one_of_them_whatever_their_order(candidates: list[Candidate], rng: Random) -> None:
    victim = to_evict(candidates, SECRET)
    assert victim is None or victim in candidates
    shuffled = candidates[:]
    rng.shuffle(shuffled)
    assert to_evict(shuffled, SECRET) == victim


@given(inbound())
def test_there_is_none_only_among_few(candidates: list[Candidate]) -> None:
    if len(candidates) > PROTECTED:
        assert to_evict(candidates, SECRET) is not None


@given(inbound())
def test_who_has_been_here_for_long_stays(candidates: list[Candidate]) -> None:
    """A quarter whatever their groups; half of those without a group."""
    victim = to_evict(candidates, SECRET)
    if victim is not None:
        before = sum((c.since, c.number) < (victim.since, victim.number) for c in candidates)
        assert before >= (len(candidates) - PROTECTED) // 4


@given(inbound())
def test_who_brings_most_stays(candidates: list[Candidate]) -> None:
    victim = to_evict(candidates, SECRET)
    if victim is not None and victim.worth > 0:
        better = [c for c in candidates if c.worth >= victim.worth and c != victim]
        assert len(better) >= limits.EVICTION_WORTHY


@given(inbound(), st.binary(min_size=1, max_size=32))
def test_the_longest_connected_of_some_groups_stay_and_which_is_secret(
    candidates: list[Candidate], secret: bytes
) -> None:
    groups = {c.group for c in candidates if c.group}
    victim = to_evict(candidates, secret)
    if victim is not None and len(groups) <= limits.EVICTION_GROUPS and victim.group:
        alike = [c for c in candidates if c.group == victim.group]
        assert victim != min(alike, key=lambda c: (c.since, c.number))


def test_the_secret_decides_which_groups_are_kept() -> None:
    """One peer in each of forty groups: those kept by their group alone differ from node to node."""
    young = [Candidate(n, 100.0 + n, f"8.{n}.0.0/16") for n in range(40)]
    assert len({to_evict(young, bytes([n])) for n in range(20)}) > 1


def test_of_the_largest_group_the_youngest_goes() -> None:
    crowd = [Candidate(n, 500.0 + n, "9.9.0.0/16") for n in range(30)]
    newest = [Candidate(100 + n, 900.0, f"8.{n}.0.0/16") for n in range(4)]
    assert to_evict([*crowd, *newest], SECRET) == crowd[-1]


def test_those_behind_an_onion_service_keep_places_though_all_look_alike() -> None:
    """Half of the places that time gives, even if as many others were here before them."""
    others = [Candidate(n, float(n), f"8.{n}.0.0/16") for n in range(50)]
    local = [Candidate(100 + n, 1000.0 + n) for n in range(50)]
    here = [*others, *local]
    gone = []
    for n in range(200):
        victim = to_evict(here, SECRET)
        assert victim is not None
        gone.append(victim)
        here = [*(c for c in here if c != victim), Candidate(1000 + n, 2000.0 + n, f"9.{n}.0.0/16")]
    assert sum(not c.group for c in here) >= 20


# -- an attack ---------------------------------------------------------------------------------------

Choice = Callable[[Sequence[Candidate]], Candidate | None]
PLACES = limits.MAX_CONNECTIONS - limits.OUTBOUND_RESERVE
ATTACKERS = 500


def honest() -> list[Candidate]:
    """Eighty peers of many groups that were there first, of which a few bring posts now and then."""
    return [Candidate(n, float(n), f"8.{n % 60}.0.0/16", worth=float(n % 20 == 0)) for n in range(80)]


def survivors(choose: Choice, group: Callable[[int], str], worth: float = 0.0) -> int:
    """How many of them are there after all the attacker's connections."""
    here = honest()
    for n in range(ATTACKERS):
        if len(here) >= PLACES:
            victim = choose(here)
            if victim is None:
                continue
            here.remove(victim)
        here.append(Candidate(1000 + n, 1000.0 + n, group(n), worth))
    return sum(candidate.number < 1000 for candidate in here)


STRATEGIES = {
    "one group": lambda n: "203.0.0.0/16",
    "a group for each": lambda n: f"{11 + n // 250}.{n % 250}.0.0/16",
    "through the onion service": lambda n: "",
    "in the groups of honest peers": lambda n: f"8.{n % 60}.0.0/16",
    "mixed": lambda n: ["", "203.0.0.0/16", f"11.{n % 250}.0.0/16"][n % 3],
}


@pytest.mark.parametrize("group", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("worth", [0.0, 5.0])
def test_five_hundred_connections_push_out_no_peer_that_was_there_before(
    group: Callable[[int], str], worth: float
) -> None:
    """Nor if each of them brings posts, for which it must pay with stamps."""
    assert survivors(lambda here: to_evict(here, SECRET), group, worth) == 80


@pytest.mark.parametrize("group", STRATEGIES.values(), ids=STRATEGIES)
def test_control_other_ways_to_choose_lose_them(group: Callable[[int], str]) -> None:
    rng = Random(1)
    assert survivors(lambda here: min(here, key=lambda c: c.since), group) == 0
    assert survivors(rng.choice, group) < 20


def test_control_without_the_half_for_age_peers_of_large_groups_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from p2pforum.network import eviction

    monkeypatch.setattr(eviction, "_longest", lambda _rest: set())
    assert survivors(lambda here: to_evict(here, SECRET), STRATEGIES["a group for each"]) < 80


# -- places and waiting ------------------------------------------------------------------------------


class Visitors:
    """Guests of a node, who leave when they are told to."""

    def __init__(self) -> None:
        self.here: list[InboundConnection] = []

    def come(self, name: str, address: str, since: float = 0.0) -> None:
        connection = Connection(PeerID(name), Direction.INBOUND, address)
        one = InboundConnection(connection, since, lambda: self.here.remove(one))
        self.here.append(one)


def test_one_public_address_has_its_share_and_no_more() -> None:
    places, visitors = InboundSlots(), Visitors()
    for n in range(limits.MAX_INBOUND_PER_ADDRESS):
        assert not places.has_its_share(f"/ip4/8.8.8.8/tcp/{n}", visitors.here)
        visitors.come(f"four{n}", f"/ip4/8.8.8.8/tcp/{n}")
        visitors.come(f"six{n}", f"/ip6/2606:4700:0:1::{n}/tcp/1")
    assert places.has_its_share("/ip4/8.8.8.8/tcp/999", visitors.here)
    assert places.has_its_share("/ip6/2606:4700:0:1:ffff::1/tcp/1", visitors.here), "a /64 is one"
    assert not places.has_its_share("/ip4/8.8.8.9/tcp/1", visitors.here)
    assert not places.has_its_share("/ip6/2606:4700:0:2::1/tcp/1", visitors.here)


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1/tcp/5", "/ip6/::1/tcp/5", "/ip4/192.168.1.7/tcp/5"])
def test_this_machine_and_private_networks_have_no_share(address: str) -> None:
    """All that an onion service forwards, or a router, comes from one address."""
    places, visitors = InboundSlots(), Visitors()
    for n in range(100):
        visitors.come(f"p{n}", address)
    assert not places.has_its_share(address, visitors.here)


async def test_who_brings_posts_is_asked_of_the_node() -> None:
    places, visitors = InboundSlots(), Visitors()
    for n in range(40):
        visitors.come(f"p{n}", "/ip4/127.0.0.1/tcp/5", since=float(n))
    places.set_worth(lambda: {PeerID("p39"): 3.0})
    assert places.could_make_one(visitors.here)
    assert places.make_one(visitors.here)
    names = {one.peer for one in visitors.here}
    assert "p39" in names
    assert "p38" not in names


async def test_where_there_is_nobody_no_place_can_be_made() -> None:
    places = InboundSlots()
    assert not places.could_make_one([])
    assert not places.make_one([])


@pytest.mark.slow
async def test_more_than_fit_do_not_push_each_other_out_all_the_time(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred a second want in, for ten seconds, at a full node."""

    async def partings() -> int:
        places, visitors, made = InboundSlots(), Visitors(), 0
        for n in range(PLACES):
            visitors.come(f"p{n}", f"/ip4/8.{n}.1.1/tcp/5", since=-1.0)
        for n in range(1_000):
            if places.could_make_one(visitors.here) and places.make_one(visitors.here):
                made += 1
                visitors.come(f"q{n}", f"/ip4/9.{n % 250}.1.1/tcp/5", since=trio.current_time())
            await trio.sleep(0.01)
        assert len(visitors.here) == PLACES
        return made

    assert 9 <= await partings() <= 11
    monkeypatch.setattr(limits, "EVICTION_SECONDS", 0.0)
    monkeypatch.setattr(InboundSlots, "could_make_one", lambda *_: True)
    assert await partings() == 1_000, "the control"


async def test_the_silent_of_one_address_push_out_each_other_only() -> None:
    pending = PendingConnections()
    ended: list[str] = []

    async def wait(name: str, address: str) -> None:
        with pending.wait(address):
            await trio.sleep_forever()
        ended.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "other", "/ip4/9.9.9.9/tcp/1")
        await trio.testing.wait_all_tasks_blocked()
        for n in range(limits.MAX_PENDING_PER_ADDRESS + 3):
            nursery.start_soon(wait, f"silent{n}", f"/ip4/8.8.8.8/tcp/{n}")
            await trio.testing.wait_all_tasks_blocked()
        assert ended == ["silent0", "silent1", "silent2"]
        assert len(pending) == limits.MAX_PENDING_PER_ADDRESS + 1
        for n in range(limits.MAX_PENDING_INBOUND):
            nursery.start_soon(wait, f"local{n}", "/ip4/127.0.0.1/tcp/1")
            await trio.testing.wait_all_tasks_blocked()
        assert len(pending) == limits.MAX_PENDING_INBOUND
        assert "other" in ended, "the oldest of all, when there are too many of all"
        nursery.cancel_scope.cancel()
