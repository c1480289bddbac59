"""Guards are dialled when they are used, and let go later; others are drawn afresh from the book."""

from collections import Counter
from random import Random

import pytest
import trio
from peers_tools import HOUR, a_book, a_peer, an_address, tried
from peers_world import Needs, a_world, peers_of, told

from p2pforum.core import limits
from p2pforum.network.interface import PeerID
from p2pforum.network.memory_network import MemoryNetwork
from p2pforum.peers import slots
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.service import PeerService
from p2pforum.peers.slots import CurrentPeers, Slots

PLACES = {number: (a_peer(number), an_address(number)) for number in range(40)}


def there(peers: PeerService) -> set[str]:
    return set(peers._current().connected)


async def test_a_guard_in_use_is_dialled_beside_the_eight_and_let_go_when_it_is_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(*range(9), 30)
        world.guards = Needs()
        book = told(a_book(), *range(9))

        async def look(peers: PeerService) -> None:
            assert world.guards is not None
            assert a_peer(30) not in there(peers)
            world.guards.slots = [[PLACES[30]]]
            await trio.sleep(10)
            assert a_peer(30) in there(peers)
            assert peers.outbound() == limits.OUTBOUND_WANTED
            assert len(there(peers)) == limits.OUTBOUND_WANTED + 1
            await trio.sleep(1_000)
            assert a_peer(30) in there(peers), "while it is in use"
            world.guards.slots = []
            await trio.sleep(10)
            assert a_peer(30) not in there(peers)
            assert peers.outbound() == limits.OUTBOUND_WANTED, "no other is parted with"

        await world.live(book, 300, watch=look)
        assert book.get(an_address(30)) is None, "and the book knows nothing of it"
        assert not any(row[0] == an_address(30) for row in world.kept.values())


@pytest.mark.parametrize("as_guard", [True, False])
async def test_a_guard_that_the_book_knows_leaves_no_day_in_it(
    autojump_clock: trio.testing.MockClock, as_guard: bool
) -> None:
    """Else the disk said on which day a key of its slot last wrote. One of the eight does: the control."""
    async with a_world() as world:
        await world.start(*range(9))
        world.hub.partition([peers_of(0)])
        book = told(a_book(), *(range(1, 9) if as_guard else ()))
        tried(book, 0, hour=HOUR - 240)
        world.guards = Needs()

        async def look(_peers: PeerService) -> None:
            assert world.guards is not None
            world.hub.heal()
            world.guards.slots = [[PLACES[0]]] if as_guard else []
            await trio.sleep(700)

        await world.live(book, 60, watch=look)
        assert a_peer(0) in world.outbound
        entry = book.get(an_address(0))
        assert entry is not None
        assert (entry.day == (HOUR - 240) // 24) == as_guard


async def test_a_stand_in_is_dialled_when_the_first_does_not_answer_and_the_first_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(0, 1)
        world.hub.partition([peers_of(0)])
        world.guards = Needs(slots=[[PLACES[0], PLACES[1]]])

        async def look(peers: PeerService) -> None:
            assert there(peers) == {a_peer(1)}
            world.hub.heal()
            await trio.sleep(400)
            assert there(peers) == {a_peer(0), a_peer(1)}

        await world.live(a_book(), 60, watch=look)


async def test_while_the_first_is_there_no_stand_in_is_dialled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(0, 1)
        world.guards = Needs(slots=[[PLACES[0], PLACES[1]]])
        await world.live(a_book(), 600)
        assert world.outbound == peers_of(0)


async def test_for_a_first_that_takes_no_frame_a_stand_in_is_dialled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Else an attacker's guard that is there and takes nothing had posts leave from their author."""
    async with a_world() as world:
        await world.start(0, 1)
        world.guards = Needs(slots=[[PLACES[0], PLACES[1]]], failing=peers_of(0))
        world.hub.partition([peers_of(1)])

        async def look(peers: PeerService) -> None:
            assert world.guards is not None
            world.guards.failing.clear()
            await trio.sleep(100)
            assert there(peers) == peers_of(0)
            world.guards.failing = peers_of(0)
            world.hub.heal()
            await trio.sleep(400)
            assert there(peers) == peers_of(0, 1)

        await world.live(a_book(), 60, watch=look)


async def test_a_fault_in_dialling_a_guard_stops_nothing(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, wanted_faults: list[str]
) -> None:
    async with a_world() as world:
        await world.start(0, 1)
        dial = MemoryNetwork.dial

        async def broken(self: MemoryNetwork, address: str, *, timeout: float = 30.0) -> PeerID:
            if address.endswith(a_peer(0)):
                raise RuntimeError("a fault")
            return await dial(self, address, timeout=timeout)

        monkeypatch.setattr(MemoryNetwork, "dial", broken)
        world.guards = Needs(slots=[[PLACES[0], PLACES[1]]])
        await world.live(a_book(), 60)
        assert world.outbound == peers_of(1)
    wanted_faults += ["a fault in dialling"]


async def test_a_banned_guard_is_left_alone(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(0, 1)
        world.banned = {a_peer(0)}
        world.guards = Needs(slots=[[PLACES[0], PLACES[1]]])
        await world.live(a_book(), 60)
        assert world.outbound == peers_of(1)


@pytest.mark.slow
async def test_guards_are_drawn_as_rarely_as_feelers_and_at_once_for_a_post_that_waits(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(*range(30))
        for urgent in (False, True):
            world.guards = Needs(lacking=10, urgent=urgent)
            await world.live(told(a_book(), *range(30)), 3_600)
            assert len(world.guards.adopted) == 10
            assert len({group for _, _, group in world.guards.adopted}) == 10
            took = world.guards.when[-1] - world.guards.when[0]
            assert took < 60 if urgent else took > 300
            assert len(world.outbound) == limits.OUTBOUND_WANTED, "those that are not in use are let go"


async def test_who_takes_no_frame_is_not_drawn_again_soon(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(4))
        world.guards = Needs(lacking=3, urgent=True, refused=peers_of(2))
        await world.live(told(a_book(), *range(4)), 300)
        assert {peer for peer, _, _ in world.guards.adopted} == peers_of(0, 1, 3)


async def test_where_the_book_has_nobody_else_it_is_said(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(2))
        world.guards = Needs(lacking=5, urgent=True)
        await world.live(told(a_book(), *range(2)), 60)
        assert len(world.guards.adopted) == 2
        assert world.guards.barren > 0


async def test_a_small_network_gives_two_guards_of_one_group(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(2, 3, host="20.1.1.{}")
        world.guards = Needs(lacking=2, urgent=True)
        await world.live(told(a_book(), 2, 3, host="20.1.1.{}"), 60)
        assert {peer for peer, _, _ in world.guards.adopted} == peers_of(2, 3)


def test_an_applicant_is_drawn_from_all_and_not_from_those_that_are_connected() -> None:
    """Those that are connected have lasted: after a year most of them spy. The control draws from them."""
    book = a_book()
    tried(book, *range(40))
    spies = peers_of(*range(8))
    current = CurrentPeers(frozenset(spies), {a_peer(n): an_address(n) for n in range(8)})
    chooser = Slots(book, Random(1))
    drawn = Counter(
        entry.peer in spies
        for _ in range(400)
        if (entry := chooser.applicant(0.0, current, set(), set())) is not None
    )
    assert 20 < drawn[True] < 160, "some 80, as 8 of 40 are"
    control = Counter(Random(n).choice(sorted(current.outbound)) in spies for n in range(400))
    assert control[True] == 400


def test_who_dialled_us_or_is_in_the_local_network_is_no_applicant() -> None:
    book = a_book(policy=AddressPolicy(lan=True))
    book.learn(an_address(1, "192.168.1.1"), "", HOUR, local=True)
    tried(book, 2)
    chooser = Slots(book, Random(1))
    assert chooser.applicant(0.0, CurrentPeers(peers_of_set(2)), set(), set()) is None
    found = chooser.applicant(0.0, CurrentPeers(), set(), set())
    assert found is not None
    assert found.peer == a_peer(2)


def peers_of_set(*numbers: int) -> frozenset[str]:
    return frozenset(peers_of(*numbers))


async def test_a_guard_binds_no_group_of_the_eight(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(1, 2, host="20.1.1.{}")
        world.guards = Needs(slots=[[(a_peer(1), an_address(1, "20.1.1.1"))]])
        await world.live(told(a_book(), 2, host="20.1.1.{}"), 100)
        assert world.outbound == peers_of(1, 2)


@pytest.mark.parametrize("others", [0, 8])
async def test_a_guard_that_is_one_of_the_eight_stays_when_it_is_no_longer_in_use(
    autojump_clock: trio.testing.MockClock, others: int
) -> None:
    async with a_world() as world:
        await world.start(*range(others + 1))
        book = told(a_book(), *range(others + 1))
        world.guards = Needs()

        async def look(peers: PeerService) -> None:
            assert world.guards is not None
            held = sorted(peers._current().outbound)
            world.guards.slots = [[(held[0], "")]]
            await trio.sleep(20)
            world.guards.slots = []
            await trio.sleep(20)
            assert held[0] in there(peers)

        await world.live(book, 300, watch=look)


def test_the_eight_are_counted_without_guards() -> None:
    current = CurrentPeers(
        peers_of_set(1, 2), {a_peer(n): an_address(n) for n in (1, 2)}, guards=peers_of_set(1)
    )
    assert Slots(a_book(), Random(1)).used(current) == 1
    assert slots.Slots(a_book(), Random(1))._groups(current) == {"20.2.0.0/16"}
