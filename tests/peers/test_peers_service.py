"""Named peers are dialled again and again; others by the rules of the book, never by a peer's word alone."""

from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from peers_tools import HOUR, a_book, a_peer, an_address, colliding, source, tried
from peers_world import ME, WithBans, World, a_service, a_world, peers_of, told

from p2pforum.core import limits
from p2pforum.core.errors import StoreError
from p2pforum.network.interface import Direction, Network
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.peers import service, slots, tables
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.backoff import FIRST, LONGEST, delay
from p2pforum.peers.book import Book
from p2pforum.peers.entry import Row
from p2pforum.peers.service import PeerService, Stage
from p2pforum.peers.tables import Changes


@given(st.integers(1, 10_000), st.integers(0, 100))
def test_the_wait_doubles_up_to_a_bound(failures: int, seed: int) -> None:
    wait = delay(failures, Random(seed))
    whole = min(LONGEST, FIRST * 2.0 ** (min(failures, 20) - 1))
    assert whole / 2 <= wait <= whole


async def until(condition: Callable[[], bool]) -> None:
    """Wait in virtual time; the test's timeout ends a wait for nothing."""
    while not condition():
        await trio.sleep(0.1)


def names(network: Network) -> set[str]:
    return {connection.peer for connection in network.connections()}


# -- named peers ---------------------------------------------------------------------------------------------


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(1))


@pytest.fixture
async def alice(hub: MemoryHub) -> AsyncIterator[Network]:
    async with hub.network("alice") as network:
        yield network


async def test_a_peer_that_comes_late_is_found(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = a_service(alice)
    peers.name(["/memory/bob/p2p/bob"])
    nursery.start_soon(peers.run)
    await trio.sleep(1000)
    assert peers.named()[0].stage is Stage.WAITING
    assert peers.named()[0].error
    async with hub.network("bob"):
        await until(lambda: names(alice) == {"bob"})
        await until(lambda: peers.named()[0].stage is Stage.CONNECTED)
        assert peers.named()[0].error == ""
    await until(lambda: not names(alice))
    async with hub.network("bob"):
        await until(lambda: names(alice) == {"bob"})


async def test_peers_are_named_and_forgotten_while_it_runs(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = a_service(alice)
    nursery.start_soon(peers.run)
    async with hub.network("bob") as bob, hub.network("carol"):
        await trio.sleep(10)
        assert names(alice) == set()
        peers.name(["/memory/bob/p2p/bob"])
        await until(lambda: names(alice) == {"bob"})
        peers.name(["/memory/carol/p2p/carol"])
        await until(lambda: names(alice) == {"bob", "carol"})
        await bob.disconnect(alice.peer_id)
        await until(lambda: names(alice) == {"carol"})
        await trio.sleep(1000)
        assert names(alice) == {"carol"}


async def test_who_dials_us_is_not_dialled_back(
    hub: MemoryHub, alice: Network, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    peers = a_service(alice)
    nursery.start_soon(peers.run)
    async with hub.network("mallory") as mallory:
        await mallory.dial("/memory/alice/p2p/alice")
        await until(lambda: names(alice) == {"mallory"})
        await mallory.disconnect(alice.peer_id)
        await trio.sleep(1000)
        assert names(alice) == set()


async def test_a_banned_peer_is_left_alone_while_it_is_banned(
    hub: MemoryHub, alice: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    banned = {"bob"}
    network: Any = WithBans(alice, banned)
    peers = a_service(network)
    peers.name(["/memory/bob/p2p/bob"])
    nursery.start_soon(peers.run)
    async with hub.network("bob") as bob:
        seen = bob.watch()
        await trio.sleep(3_000)
        with pytest.raises(trio.WouldBlock):
            seen.receive_nowait()
        assert "broke the rules" in peers.named()[0].error
        banned.clear()
        await until(lambda: names(alice) == {"bob"})


# -- many nodes with addresses -------------------------------------------------------------------------------


async def test_eight_are_held_and_those_that_go_are_replaced(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(20))

        async def kill_three(peers: PeerService) -> None:
            assert peers.outbound() == limits.OUTBOUND_WANTED
            for peer in sorted(peers._current().outbound)[:3]:
                world.hub.kill(peer)
            await trio.sleep(60)
            assert peers.outbound() == limits.OUTBOUND_WANTED

        await world.live(told(a_book(), *range(20)), 60, watch=kill_three)
        assert len(world.outbound) == limits.OUTBOUND_WANTED


async def test_named_peers_count_and_bind_no_group(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(20))
        await world.start(100, 101, 102, host="20.5.7.{}")  # the /16 of number 5
        named = [an_address(number, f"20.5.7.{number}") for number in (100, 101, 102)]
        await world.live(told(a_book(), 5, *range(10, 12)), 100, *named)
        assert world.outbound == peers_of(100, 101, 102, 5, 10, 11)
        await world.live(told(a_book(), *range(20)), 100, *named)
        assert len(world.outbound) == limits.OUTBOUND_WANTED
        assert peers_of(100, 101, 102) <= world.outbound


async def test_named_peers_that_are_slow_to_answer_count_before_they_have(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        world.hub = MemoryHub(Random(3), (5.0, 5.0))
        await world.start(*range(20))
        named = [an_address(number) for number in range(4)]
        await world.live(told(a_book(), *range(4, 20)), 60, *named)
        assert peers_of(*range(4)) <= world.outbound
        assert len(world.outbound) == limits.OUTBOUND_WANTED


async def test_an_invite_that_names_many_leaves_room_for_others(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(*range(40))
        invited = [an_address(number) for number in range(20, 40)]
        await world.live(told(a_book(), *range(20)), 100, *invited)
        assert peers_of(*range(20, 40)) <= world.outbound
        others = limits.OUTBOUND_WANTED - limits.NAMED_COUNTED
        assert len(world.outbound & peers_of(*range(20))) == others


async def test_control_if_all_of_them_count_there_are_no_others(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "NAMED_COUNTED", limits.OUTBOUND_WANTED)
    async with a_world() as world:
        await world.start(*range(40))
        invited = [an_address(number) for number in range(20, 40)]
        await world.live(told(a_book()), 20, *invited)
        await world.live(told(world.restored(), *range(20)), 100, *invited)
        assert world.outbound == peers_of(*range(20, 40))


async def test_what_was_named_once_is_found_without_the_argument(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        await world.start(1)
        await world.live(a_book(), 30, an_address(1))
        assert world.restored().counts() == (0, 1)
        await world.live(world.restored(), 30)
        assert world.outbound == peers_of(1)


async def test_a_private_address_stays_named_only(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(1, host="192.168.1.1")
        await world.live(a_book(), 30, an_address(1, "192.168.1.1"))
        assert world.outbound == peers_of(1)
        assert world.kept == {}
        await world.live(a_book(policy=AddressPolicy(private=True)), 30, an_address(1, "192.168.1.1"))
        await world.live(world.restored(policy=AddressPolicy(private=True)), 30)
        assert world.outbound == peers_of(1)


async def test_who_dials_in_enters_no_book(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        async with world.hub.network(a_peer(5), at="/ip4/20.5.1.1/tcp/4001") as stranger:

            async def dialled(peers: PeerService) -> None:
                await stranger.dial(an_address(ME, "19.1.1.1"))
                await trio.sleep(600)

            await world.live(a_book(), 1, watch=dialled)
        assert [c.direction for c in world.connections] == [Direction.INBOUND]
        assert world.kept == {}


async def test_who_dialled_us_has_not_answered_at_its_address(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with a_world() as world:
        async with world.hub.network(a_peer(5), at="/ip4/20.5.1.1/tcp/4001") as stranger:

            async def named(peers: PeerService) -> None:
                await stranger.dial(an_address(ME, "19.1.1.1"))
                peers.name([an_address(5, "30.30.30.30")])
                await until(lambda: peers.named()[0].stage is Stage.CONNECTED)
                await trio.sleep(200)

            await world.live(a_book(), 1, watch=named)
        assert world.kept == {}


async def test_who_dials_us_while_we_dial_it_takes_no_slot(autojump_clock: trio.testing.MockClock) -> None:
    hub, book = MemoryHub(Random(1), (0.1, 0.1)), told(a_book(), 5, host="30.30.30.30")
    async with (
        hub.network(a_peer(ME), at="/ip4/19.1.1.1/tcp/4001") as network,
        hub.network(a_peer(5), at="/ip4/20.5.1.1/tcp/4001") as stranger,
        trio.open_nursery() as nursery,
    ):
        peers = a_service(network, book)
        nursery.start_soon(stranger.dial, an_address(ME, "19.1.1.1"))
        await trio.sleep(0.1)
        nursery.start_soon(peers.run)
        await until(lambda: bool(peers.dialling()))
        await until(lambda: names(network) == peers_of(5))
        await trio.sleep(100)
        assert not peers._slots.held
        assert book.counts() == (1, 0)
        nursery.cancel_scope.cancel()


async def test_a_banned_peer_of_the_book_is_not_dialled(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(4))
        world.banned = peers_of(1, 2)
        await world.live(told(a_book(), *range(4)), 2_000)
        assert world.outbound == peers_of(0, 3)


async def test_a_dead_address_is_left_alone_longer_and_longer(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        dials: list[float] = []

        async def dial(self: MemoryNetwork, address: str, *, timeout: float = 30.0) -> str:
            dials.append(trio.current_time())
            return await original(self, address, timeout=timeout)

        original = MemoryNetwork.dial
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MemoryNetwork, "dial", dial)
            await world.live(told(a_book(), 1), 3_600)
        gaps = [b - a for a, b in pairwise(dials)]
        assert all(gap >= 16 for gap in gaps)
        assert 12 <= len(dials) <= 40


async def test_feelers_try_what_was_only_heard_of_and_go(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(40))
        book = told(a_book(), *range(40))

        async def look(peers: PeerService) -> None:
            before = book.counts()[1]
            held = set(peers._current().outbound)
            assert len(held) == limits.OUTBOUND_WANTED
            await trio.sleep(3_600)
            assert set(peers._current().outbound) == held, "feelers push nobody out"
            assert book.counts()[1] >= before + 15, "thirty an hour"

        await world.live(book, 60, watch=look)


async def test_feelers_find_out_which_addresses_are_none(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(8))
        book = told(a_book(), *range(8))

        async def look(peers: PeerService) -> None:
            told(book, *range(100, 110))  # nobody is there
            await trio.sleep(4 * 3_600)
            assert peers.outbound() == limits.OUTBOUND_WANTED
            assert {entry.peer for entry in book} == peers_of(*range(8))

        await world.live(book, 60, watch=look)


async def test_a_feeler_s_find_stays_where_there_is_room(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_LOOK_SECONDS", 1e6)  # so that only feelers find anybody
    async with a_world() as world:
        await world.start(1)
        book = a_book()

        async def look(_peers: PeerService) -> None:
            told(book, 1)
            await trio.sleep(1_000)

        await world.live(book, 10, watch=look)
        assert world.outbound == peers_of(1)


async def test_a_feeler_tests_who_holds_the_place_of_another(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        holder, other = colliding(300)  # with none of the eight
        await world.start(*range(8), other)
        book = told(a_book(), *range(8))

        async def look(_peers: PeerService) -> None:
            tried(book, holder, hour=HOUR - 48)  # and it is no longer there
            book.learn(an_address(other), source(1), HOUR)
            await trio.sleep(4 * 3_600)
            found = book.get(an_address(other))
            assert found is not None
            assert found.is_tried

        await world.live(book, 60, watch=look)


async def test_a_book_that_cannot_be_saved_is_saved_later(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(1)

        async def fail(_changes: Changes) -> None:
            await trio.lowlevel.checkpoint()
            raise StoreError("the disk is full")

        book = told(a_book(), 1)
        async with world.hub.network(a_peer(ME)) as network:
            peers = PeerService(network, Random(2), book, world.hour, save=fail)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(peers.run)
                await trio.sleep(200)
                nursery.cancel_scope.cancel()
        await world.live(book, 70)
        assert world.restored().counts() == (0, 1)


async def test_a_fault_of_our_own_costs_a_turn_and_not_the_node(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, wanted_faults: list[str]
) -> None:
    async def dial(self: MemoryNetwork, address: str, *, timeout: float = 30.0) -> str:
        if address == an_address(2):
            raise ZeroDivisionError
        return await original(self, address, timeout=timeout)

    def tidy(_self: Book, _hour: int) -> None:
        raise ZeroDivisionError

    original = MemoryNetwork.dial
    monkeypatch.setattr(MemoryNetwork, "dial", dial)
    monkeypatch.setattr(Book, "tidy", tidy)
    async with a_world() as world:
        await world.start(1, 2, 3)
        await world.live(told(a_book(), 1, 2), 100, an_address(3))
        assert world.outbound == peers_of(1, 3)
        book = world.restored()
        found = book.get(an_address(2))
        assert found is not None
        assert found.failures == 0
    wanted_faults += ["a fault in dialling", "a fault in finding peers"]


async def test_a_fault_of_the_book_costs_a_turn_and_not_the_node(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, wanted_faults: list[str]
) -> None:
    def attempted(self: Book, address: str, ok: bool, hour: int, *, named: bool = False) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Book, "attempted", attempted)
    async with a_world() as world:
        await world.start(1, 3)
        await world.live(told(a_book(), 1, 2), 100, an_address(3))
        assert world.outbound == peers_of(1, 3)
    wanted_faults += ["a fault in dialling", "a fault in finding peers"]


# -- anchors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "clean"), [(700, False), (60, True)])
async def test_anchors_are_written_when_they_have_lasted_and_at_a_clean_stop(
    seconds: float, clean: bool, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_world() as world:
        await world.start(*range(10))
        killed: dict[str, Row] = {}

        async def look(_peers: PeerService) -> None:
            await trio.lowlevel.checkpoint()
            killed.update(world.kept)  # what a kill -9 now would leave

        await world.live(told(a_book(), *range(10)), seconds, watch=look)
        kept = world.kept if clean else killed
        anchors = {row[0] for row in kept.values() if row[6]}
        assert len(anchors) == limits.ANCHORS
        assert {address.rpartition("/")[2] for address in anchors} <= world.outbound


async def test_what_has_not_lasted_replaces_no_anchor(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(*range(10))
        book = a_book()
        tried(book, 100, 101)
        book.anchors = [an_address(100), an_address(101)]

        async def look(_peers: PeerService) -> None:
            await trio.lowlevel.checkpoint()
            assert {row[0] for row in world.kept.values() if row[6]} == {an_address(100), an_address(101)}

        await world.live(told(book, *range(10)), 500, watch=look)


async def test_where_one_alone_has_lasted_an_old_anchor_stays(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        await world.start(1)
        book = a_book()
        tried(book, 1, 100, 101)
        book.anchors = [an_address(100), an_address(101)]
        await world.live(book, 700)
        assert book.anchors == sorted([an_address(1), an_address(100)])


# -- attacks -------------------------------------------------------------------------------------------------


async def sybils(world: World) -> int:
    """Two hundred peers in one /16 that answer, told by two hundred others: how many slots they get."""
    await world.start(*range(20))
    await world.start(*range(1_000, 1_200), host="66.66.1.{}")
    book = told(a_book(), *range(20))
    told(book, *range(1_000, 1_200), host="66.66.1.{}")
    await world.live(book, 4_000)
    return len(world.outbound & peers_of(*range(1_000, 1_200)))


async def test_two_hundred_sybils_in_one_network_get_one_slot(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        assert await sybils(world) <= 1
        assert len(world.outbound) == limits.OUTBOUND_WANTED


async def test_control_without_the_rule_of_groups_they_get_most(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor that of the book, which draws a group as one."""
    monkeypatch.setattr(slots.Slots, "_groups", lambda _self, _current: set())
    monkeypatch.setattr(tables, "_by_group", lambda entries: [[entry] for entry in entries])
    monkeypatch.setattr(tables.Tables, "met", set())
    async with a_world() as world:
        assert await sybils(world) >= 4


async def hostile_lan(world: World) -> int:
    """A machine in the local network says that it is a hundred nodes, before others are known: how many slots
    it gets and keeps.
    """
    await world.start(*range(20))
    await world.start(*range(1_000, 1_100), host="192.168.1.{}")
    book = a_book(policy=AddressPolicy(lan=True))
    for number in range(1_000, 1_100):
        book.learn(an_address(number, f"192.168.1.{number % 250}"), "", HOUR, local=True)

    async def others(_peers: PeerService) -> None:
        told(book, *range(20))
        await trio.sleep(600)

    await world.live(book, 600, watch=others)
    assert len(world.outbound) == limits.OUTBOUND_WANTED
    return len(world.outbound & peers_of(*range(1_000, 1_100)))


async def test_a_hostile_local_network_gets_three_slots(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        assert await hostile_lan(world) == limits.LOCAL_MOST


async def test_control_without_that_bound_it_gets_more(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "is_local", lambda _self, _entry: False)
    async with a_world() as world:
        assert await hostile_lan(world) > limits.LOCAL_MOST


async def eclipse(world: World, *, with_anchors: bool) -> int:
    """A node with eight honest peers is killed; meanwhile, and before, an attacker with 250 nodes in as many
    networks had its book full of them. How many honest peers it has after its restart.
    """
    await world.start(*range(8))
    left: dict[str, Row] = {}

    async def look(_peers: PeerService) -> None:
        await trio.lowlevel.checkpoint()
        left.update(world.kept)

    await world.live(told(a_book(), *range(8)), 1_000, watch=look)
    assert world.outbound == peers_of(*range(8))
    book = a_book(11)
    rows = left.values() if with_anchors else [(*row[:6], 0, row[7]) for row in left.values()]
    book.restore(list(rows))
    attackers = range(1_000, 1_250)
    await world.start(*attackers)
    told(book, *attackers)
    tried(book, *attackers)
    await world.live(book, 300)
    assert len(world.outbound) == limits.OUTBOUND_WANTED
    return len(world.outbound & peers_of(*range(8)))


async def test_an_eclipse_over_a_restart_leaves_the_anchors(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        assert await eclipse(world, with_anchors=True) >= limits.ANCHORS


async def test_control_without_anchors_the_eclipse_is_total(autojump_clock: trio.testing.MockClock) -> None:
    async with a_world() as world:
        assert await eclipse(world, with_anchors=False) == 0
