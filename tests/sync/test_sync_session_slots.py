"""Who gets a slot for a session, and whose session ends for another's."""

import math
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio
import trio.testing
from memory_posts import MemoryPosts
from strategies import HOUR, TEST_NETWORK
from sync_nodes import CountingDoor, SyncNode, sync_node
from sync_pair import pool
from trickling import answer_trickling, hold_sessions

from p2pforum.core import limits
from p2pforum.network.interface import Network
from p2pforum.network.memory_network import MemoryHub
from p2pforum.sync import params, session_slots
from p2pforum.sync.clocks import Clocks
from p2pforum.sync.service import SyncService
from p2pforum.sync.session_slots import SessionSlots, SlotRequest, to_admit, to_end
from p2pforum.sync.terms import Settings
from p2pforum.sync.wire.frames import Frame, SyncFrameReader
from p2pforum.sync.wire.payloads import Code, End, Hello

POSTS = pool(300)
Clock = trio.testing.MockClock


def a_guest(group: str = "", *, ours: bool = False, posts: int = 0, since: float = 0.0) -> SlotRequest:
    request = SlotRequest(group, ours, since=since)
    request.moved(posts, 100.0)
    return request


class TestWhoseSessionEnds:
    def test_one_that_moves_nothing_before_one_that_does(self) -> None:
        idle, busy = a_guest(), a_guest(posts=1)
        assert to_end([busy, idle], 100.0) is idle

    def test_a_post_counts_for_some_seconds(self) -> None:
        request = a_guest(posts=1)
        assert request.worth(100.0 + params.WORTH_SECONDS) == params.LEAST_WORTH
        request.moved(3, 100.0 + params.WORTH_SECONDS)
        assert request.worth(100.0 + params.WORTH_SECONDS) == 2.5

    def test_the_slowest_of_those_that_move(self) -> None:
        slow, fast = a_guest(posts=10), a_guest(posts=400)
        assert to_end([fast, slow], 100.0) is slow

    def test_of_the_largest_group(self) -> None:
        alone, many = a_guest("a", posts=1), [a_guest("b", posts=900), a_guest("b", posts=800)]
        assert to_end([alone, *many], 100.0) is many[1]

    def test_those_without_a_group_are_no_group(self) -> None:
        several, one = [a_guest(posts=9) for _ in range(5)], a_guest("a", posts=1)
        assert to_end([*several, one], 100.0) is one

    def test_of_equal_ones_the_oldest(self) -> None:
        young, old = a_guest(since=90.0), a_guest(since=10.0)
        assert to_end([young, old], 100.0) is old

    def test_one_with_a_peer_that_we_dialled_only_if_all_are_such(self) -> None:
        ours, fast = a_guest(ours=True), a_guest(posts=900)
        assert to_end([ours, fast], 100.0) is fast
        assert to_end([ours], 100.0) is ours

    def test_of_none_none(self) -> None:
        assert to_end([], 100.0) is None


class TestWhoIsNext:
    def test_a_peer_that_we_dialled(self) -> None:
        stranger, ours = SlotRequest(), SlotRequest(ours=True, turn=99.0)
        assert to_admit([stranger, ours], []) is ours

    def test_of_the_group_with_fewest_sessions(self) -> None:
        many, few = SlotRequest("a"), SlotRequest("b", turn=99.0)
        assert to_admit([many, few], [SlotRequest("a"), SlotRequest("a"), SlotRequest("b")]) is few

    def test_whose_last_session_was_the_longest_ago(self) -> None:
        again, new = SlotRequest(turn=50.0, arrived=1.0), SlotRequest(turn=-math.inf, arrived=2.0)
        assert to_admit([again, new], []) is new

    def test_then_who_has_waited_longest(self) -> None:
        late, early = SlotRequest(arrived=2.0), SlotRequest(arrived=1.0)
        assert to_admit([late, early], []) is early


class TestPlaces:
    async def test_a_young_session_is_safe_and_an_old_one_not(self, autojump_clock: Clock) -> None:
        slot = SessionSlots(1, safe=10.0)
        first, second = SlotRequest(), SlotRequest()
        async with slot.slot(first) as has_one, trio.open_nursery() as nursery:
            assert has_one
            nursery.start_soon(self._take, slot, second)
            await trio.sleep(9.5)
            assert not first.unwanted.is_set()
            await trio.sleep(1.0)
            assert first.unwanted.is_set()
            assert second.admitted.is_set()

    async def test_nobody_is_pushed_out_while_nobody_waits(self, autojump_clock: Clock) -> None:
        request = SlotRequest()
        async with SessionSlots(1, safe=10.0).slot(request):
            await trio.sleep(10_000)
        assert not request.unwanted.is_set()

    async def test_who_waits_too_long_gets_none(self, autojump_clock: Clock) -> None:
        slot = SessionSlots(1, safe=math.inf, patience=30.0)
        async with slot.slot(SlotRequest()), slot.slot(SlotRequest()) as has_one:
            assert not has_one
            assert trio.current_time() == pytest.approx(30.0)
        async with slot.slot(SlotRequest()) as has_one:
            assert has_one

    async def test_who_is_dismissed_waits_no_longer_and_who_has_a_place_keeps_it(
        self, autojump_clock: Clock
    ) -> None:
        slot, first, second = SessionSlots(1, safe=math.inf), SlotRequest(), SlotRequest()
        async with slot.slot(first), trio.open_nursery() as nursery:
            nursery.start_soon(self._take, slot, second)
            await trio.testing.wait_all_tasks_blocked()
            for request in (first, second):
                slot.dismiss(request)
        assert not first.gone.is_set()
        assert second.gone.is_set()
        assert not second.admitted.is_set()

    async def test_a_place_is_free_again_however_it_was_left(self, autojump_clock: Clock) -> None:
        slot = SessionSlots(1, safe=math.inf, patience=1.0)
        with trio.move_on_after(5):
            async with slot.slot(SlotRequest()):
                await trio.sleep_forever()
        with trio.move_on_after(0.5):
            async with slot.slot(SlotRequest()), slot.slot(SlotRequest()):
                raise AssertionError("two have the one slot")
        async with slot.slot(SlotRequest()) as has_one:
            assert has_one

    async def test_a_thousand_who_come_and_go_never_have_more_places_than_there_are(
        self, autojump_clock: Clock
    ) -> None:
        slot, rng, most = SessionSlots(4, safe=2.0, patience=8.0), random.Random(1), 0

        async def come() -> None:
            nonlocal most
            await trio.sleep(rng.uniform(0, 200))
            request = SlotRequest(rng.choice(["", "a", "b"]))
            async with slot.slot(request) as has_one:
                if has_one:
                    most = max(most, len(slot._held))
                    with trio.move_on_after(rng.uniform(0, 20)):
                        await request.unwanted.wait()

        async with trio.open_nursery() as nursery:
            for _ in range(1_000):
                nursery.start_soon(come)
        assert most == 4
        assert not slot._held
        assert not slot._waiting

    @staticmethod
    async def _take(slot: SessionSlots, request: SlotRequest) -> None:
        async with slot.slot(request):
            pass


# -- sixteen strangers, and more ---------------------------------------------------------------------------


@pytest.fixture
def patient_clock() -> Clock:
    """Less patient than that of other tests: a jump while a thread works only makes time go faster."""
    return Clock(autojump_threshold=0.05)


def where(number: int, groups: int) -> str:
    return f"/ip4/{11 + number % groups}.1.{number // 250}.{number % 250 + 1}/tcp/4001"


@asynccontextmanager
async def besieged(count: int, groups: int, *, fetch: bool = False) -> AsyncIterator[SyncNode]:
    """A node with all its slots taken, for a while now, by peers of so many groups."""
    hub = MemoryHub(random.Random(1))
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(hub.network("node", at=where(0, 1), keyed=True))
        store, rng = MemoryPosts(POSTS), random.Random(2)
        door = CountingDoor(store, TEST_NETWORK, lambda: HOUR)
        service = SyncService(network, store.snapshot, door, rng, Clocks(lambda: HOUR))
        nursery = await stack.enter_async_context(trio.open_nursery())
        for number in range(count):
            at = where(number + 1, groups)
            stranger = await stack.enter_async_context(hub.network(f"stranger-{number}", at=at, keyed=True))
            peer = await stranger.dial(network.addresses[0])
            ids = list(store.posts) if fetch else None
            nursery.start_soon(hold_sessions, stranger, peer, TEST_NETWORK.sync_protocol, ids)
        await trio.sleep(2 * params.SAFE_SECONDS)
        yield SyncNode("node", network, store, door, service)
        nursery.cancel_scope.cancel()


async def newcomer_gets(node: SyncNode, number: int = 900) -> tuple[int, Code, float]:
    """Posts, how the session ended, and the seconds that it took."""
    hub = node.network._hub
    async with hub.network("newcomer", at=where(number, 200), keyed=True) as network:
        store = MemoryPosts()
        door = CountingDoor(store, TEST_NETWORK, lambda: HOUR)
        rng = random.Random(3)
        service = SyncService(network, store.snapshot, door, rng, Clocks(lambda: HOUR))
        began = trio.current_time()
        report = await service.sync(await network.dial(node.network.addresses[0]))
        return len(store.posts), report.code, trio.current_time() - began


@pytest.mark.slow
@pytest.mark.parametrize("count", [16, 40])
@pytest.mark.parametrize("groups", [1, 40], ids=["one group", "many groups"])
@pytest.mark.parametrize("fetch", [False, True], ids=["trickling", "slow"])
async def test_a_newcomer_has_all_posts_in_seconds_whoever_holds_sessions(
    patient_clock: Clock, count: int, groups: int, fetch: bool
) -> None:
    async with besieged(count, groups, fetch=fetch) as node:
        posts, code, seconds = await newcomer_gets(node)
        assert (posts, code) == (300, Code.DONE)
        rounds = -(-(count - limits.MAX_SYNC_INBOUND + 1) // limits.MAX_SYNC_INBOUND)
        assert seconds < rounds * params.SAFE_SECONDS + 2, "at worst it waits behind those who waited before"


async def test_control_if_no_session_is_spared_it_has_none(
    patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_slots, "to_end", lambda _held, _now: None)
    async with besieged(16, 40) as node:
        assert (await newcomer_gets(node))[:2] == (0, Code.BUSY)


@pytest.mark.slow
async def test_ten_newcomers_at_once_have_all_posts(patient_clock: Clock) -> None:
    found: list[int] = []

    async def come(node: SyncNode, number: int) -> None:
        hub = node.network._hub
        async with sync_node(hub, f"newcomer-{number}") as late:
            peer = await late.network.dial(node.network.addresses[0])
            await late.sync.sync(peer)
            found.append(len(late.ids))

    async with besieged(40, 40) as node, trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(come, node, number)
        with trio.fail_after(3 * params.SAFE_SECONDS):
            while len(found) < 10:
                await trio.sleep(0.5)
    assert found == [300] * 10


async def test_who_waits_for_a_place_and_goes_leaves_nothing_behind(
    patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else strangers who come, send and go would fill the memory: their connections count no longer."""
    monkeypatch.setattr(session_slots, "to_end", lambda _held, _now: None)  # no slot becomes free
    async with besieged(16, 40) as node, trio.open_nursery() as nursery:
        nursery.start_soon(node.sync.run)
        for number in range(20):
            at = where(900 + number, 200)
            async with node.network._hub.network(f"passing-{number}", at=at, keyed=True) as network:
                peer = await network.dial(node.network.addresses[0])
                await network.open_stream(peer, TEST_NETWORK.sync_protocol)
                await trio.sleep(0.1)
                assert network.peer_id in node.sync._inbound, "it waits"
        await trio.sleep(2 * params.LOOK_SECONDS)
        assert len(node.sync._inbound) == 16
        nursery.cancel_scope.cancel()


async def come_twice(node: SyncNode, network: Network) -> list[list[Frame]]:
    """What a peer hears on its older and on its newer stream, if slots become free a few seconds later."""
    peer = await network.dial(node.network.addresses[0])
    heard: list[list[Frame]] = [[], []]

    async def listen(stream: trio.abc.Stream, frames: list[Frame]) -> None:
        reader = SyncFrameReader()
        while received := await stream.receive_some():
            frames += [frame for frame, _ in reader.feed(bytes(received))]

    async with trio.open_nursery() as nursery:
        for frames in heard:
            stream = await network.open_stream(peer, TEST_NETWORK.sync_protocol)
            nursery.start_soon(listen, stream, frames)
            await trio.sleep(limits.SYNC_END_SECONDS + 1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session_slots, "to_end", to_end)
            await trio.sleep(2 * params.LOOK_SECONDS)
        nursery.cancel_scope.cancel()
    return heard


async def test_who_comes_again_while_it_waits_gets_the_place_on_its_newest_stream(
    patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its old connection may be dead, and a slot for that would be a slot for nobody."""
    monkeypatch.setattr(session_slots, "to_end", lambda _held, _now: None)
    async with besieged(16, 40) as node:
        async with node.network._hub.network("newcomer", at=where(900, 200), keyed=True) as network:
            older, newer = await come_twice(node, network)
        assert older == [End(Code.BUSY)]
        assert [type(frame) for frame in newer] == [Hello]


async def test_control_if_the_older_goes_on_waiting_the_newer_is_sent_away(
    patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_slots, "to_end", lambda _held, _now: None)
    monkeypatch.setattr(SessionSlots, "dismiss", lambda _self, _request: None)
    async with besieged(16, 40) as node:
        async with node.network._hub.network("newcomer", at=where(900, 200), keyed=True) as network:
            older, newer = await come_twice(node, network)
        assert [type(frame) for frame in older] == [Hello]
        assert newer == [End(Code.BUSY)]


# -- attackers whom we dial --------------------------------------------------------------------------------


@asynccontextmanager
async def among_tricklers(count: int) -> AsyncIterator[SyncNode]:
    """A node that has dialled so many of them, and then one honest peer with all posts."""
    hub = MemoryHub(random.Random(1))
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(sync_node(hub, "node"))
        node.sync.settings = Settings(every=30.0)
        honest = await stack.enter_async_context(sync_node(hub, "honest", POSTS))
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(node.sync.run)
        for number in range(count):
            network = await stack.enter_async_context(hub.network(f"trickler-{number}"))
            network.set_handler(TEST_NETWORK.sync_protocol, answer_trickling)
            await node.network.dial(f"/memory/{network.name}/p2p/{network.name}")
        await trio.sleep(5)
        await node.dial(honest)
        yield node
        nursery.cancel_scope.cancel()


async def has_all(node: SyncNode, seconds: float) -> None:
    with trio.fail_after(seconds):
        while len(node.ids) < 300:
            await trio.sleep(0.1)


@pytest.mark.slow
async def test_three_dialled_peers_that_trickle_hold_up_a_fourth_for_seconds(patient_clock: Clock) -> None:
    async with among_tricklers(3) as node:
        await has_all(node, params.OWN_SAFE_SECONDS + 2)


@pytest.mark.slow
async def test_control_if_none_is_spared_they_hold_it_up_for_half_an_hour(
    patient_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_slots, "to_end", lambda _held, _now: None)
    async with among_tricklers(3) as node:
        await trio.sleep(limits.SYNC_SECONDS / 2)
        assert not node.ids


@pytest.mark.slow
async def test_eight_that_trickle_get_their_turns_and_no_more(patient_clock: Clock) -> None:
    """Of nine peers, three at a time: the ninth has the third turn."""
    async with among_tricklers(8) as node:
        await has_all(node, 3 * params.OWN_SAFE_SECONDS)
