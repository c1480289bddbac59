"""Whose fault it was: the peer's, nobody's or ours, and what that costs. Floods and full disks too."""

import logging

import pytest
import trio
from gossip_nodes import Node, Probe, as_message, until
from strategies import HOUR, TEST_NETWORK, a_post
from trio.testing import MockClock

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, StoreError
from p2pforum.gossip.validation_queue import MOST_JUDGED
from p2pforum.gossip.wire.rpc import Message, Rpc

POST = a_post("A post.")


# -- their faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xff\xff\xff",  # a length without end
        b"\x85\x00",  # a length in a long form
        b"\x05\xff\xff\xff\xff\xff",  # no protobuf
        b"\x02\x0b\x0c",  # a wire type nobody uses
        b"GET / HTTP/1.1\r\n\r\n" * 100,
        b"\x04\x12\x02\x12\x00",  # a message without a topic
    ],
)
async def test_broken_bytes_end_the_connection_and_are_remembered(
    node: Node, friend: Node, probe: Probe, junk: bytes, autojump_clock: MockClock
) -> None:
    await probe.join(node)
    await friend.dial(node)
    await probe.send(junk)
    await until(lambda: not probe.is_connected)
    assert node.service.statistics().expelled == 1
    with pytest.raises(NetworkError):  # banned for a while
        await probe.network.dial(node.network.addresses[0])
    await friend.publish(POST)
    await until(lambda: POST.id in node.held)  # and nobody else noticed


async def test_an_rpc_cut_short_by_the_end_of_its_stream_is_nobody_s_fault(
    node: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    await probe.join(node)
    await probe.send(b"\x7fhalf")
    await probe.stream.aclose()
    await trio.sleep(5)
    assert probe.is_connected
    await probe.join(node)  # a new stream, as after any reset
    await probe.say(publish=(as_message(POST),))
    await until(lambda: POST.id in node.held)


async def test_one_invalid_post_drops_the_peer(node: Node, probe: Probe, autojump_clock: MockClock) -> None:
    await probe.join(node)
    await probe.say(publish=(Message(TEST_NETWORK.topic, POST.raw[:-1] + b"\0"),))
    await until(lambda: not probe.is_connected)
    assert node.held == set()
    assert node.service.statistics().invalid == 1


async def test_early_and_old_posts_are_nobody_s_fault(
    node: Node, friend: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    await probe.join(node)
    odd = [a_post("Early.", hour=HOUR + 2), a_post("Old.", hour=HOUR - limits.GOSSIP_PAST_HOURS - 1)]
    await probe.say(publish=tuple(map(as_message, [*odd, POST])))
    await until(lambda: POST.id in node.held)
    assert node.held == {POST.id}
    assert probe.is_connected
    assert node.service.peers()["probe"].score >= 0


async def test_a_peer_that_takes_nothing_loses_messages_and_then_its_place(
    node: Node, friend: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    probe.reads = False
    await probe.join(node)
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 2)
    posts = [a_post(f"{n} " + "x" * 11_000) for n in range(150)]
    started = trio.current_time()
    for post in posts:
        await friend.publish(post)
        await trio.sleep(0.02)
    await until(lambda: node.held == {post.id for post in posts})
    assert node.service.statistics().dropped > 0
    await until(lambda: not probe.is_connected)
    assert trio.current_time() - started < limits.GOSSIP_SEND_SECONDS + 15
    probe.reads = True
    await probe.join(node)  # slow is not banned
    await trio.sleep(2)
    assert probe.is_connected


@pytest.mark.slow
async def test_a_flood_delays_the_others_little(
    node: Node, friend: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await probe.join(node)
    await until(lambda: node.service.statistics().mesh_peers == 2)
    gate = trio.Event()
    batches: list[list[bytes]] = []
    real = node.service._door.ingest

    async def slow(raws: list[bytes], origin: object) -> object:
        await gate.wait()
        batches.append(raws)
        return await real(raws, origin)

    node.service._door.ingest = slow
    flood = [a_post(f"Flood {n}. " + "x" * 500) for n in range(1_000)]
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _() -> None:
            for post in flood:
                await probe.say(publish=(as_message(post),))

        await trio.sleep(1)
        queue = node.service._states._validation
        assert queue.is_full("probe")  # and then it is not read from
        assert queue.cost("probe") <= MOST_JUDGED
        await friend.publish(POST)
        await trio.sleep(1)
        gate.set()
        await until(lambda: POST.id in node.held)
        assert POST.raw in [*batches[0], *batches[1]]  # its turn comes at once, not after the flood
    await until(lambda: len(node.held) == 1_001)


async def test_a_second_inbound_stream_takes_the_place_of_the_first(
    node: Node, probe: Probe, autojump_clock: MockClock
) -> None:
    await probe.join(node)
    first = probe.stream
    await probe.join(node)
    await trio.sleep(1)
    with pytest.raises(trio.BrokenResourceError):
        await first.send_all(b"\x00")
    await probe.say(publish=(as_message(POST),))
    await until(lambda: POST.id in node.held)


# -- our faults --------------------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_and_blames_nobody(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    friend.store.is_broken = True
    await node.publish(POST)
    await trio.sleep(2)
    assert friend.held == set()
    friend.store.is_broken = False
    await node.network.disconnect(friend.network.peer_id)
    await friend.dial(node)
    await until(lambda: friend.held == {POST.id})  # offered again to a peer that comes back
    assert friend.service.peers()["node"].score >= 0


async def test_a_release_that_fails_is_reported_and_nothing_goes_out(
    node: Node, friend: Node, autojump_clock: MockClock
) -> None:
    await friend.dial(node)
    await until(lambda: node.service.statistics().mesh_peers == 1)
    node.store.add([(POST, False)])
    node.store.is_broken = True
    with pytest.raises(StoreError):
        await node.service.originate([POST.raw])
    await trio.sleep(3)
    assert friend.service.statistics().received == 0
    node.store.is_broken = False
    await node.service.originate([POST.raw])
    await until(lambda: node.held == friend.held == {POST.id})


async def test_a_fault_of_ours_costs_one_connection_and_is_logged(
    node: Node,
    friend: Node,
    probe: Probe,
    caplog: pytest.LogCaptureFixture,
    wanted_faults: list[str],
    autojump_clock: MockClock,
) -> None:
    wanted_faults.append("a fault in gossip")
    await friend.dial(node)
    await probe.join(node)
    real = node.service._router.on_rpc

    def faulty(peer: str, rpc: Rpc, now: float) -> object:
        if rpc.iwant:
            raise ZeroDivisionError("a bug")
        return real(peer, rpc, now)

    node.service._router.on_rpc = faulty
    await probe.say(iwant=(bytes(32),))
    await until(lambda: not probe.is_connected)
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text
    await friend.publish(POST)
    await until(lambda: POST.id in node.held)
    await probe.join(node)  # it was our fault: no ban
    await trio.sleep(2)
    assert probe.is_connected


async def test_a_fault_of_the_door_is_logged_and_the_node_goes_on(
    node: Node,
    friend: Node,
    caplog: pytest.LogCaptureFixture,
    wanted_faults: list[str],
    autojump_clock: MockClock,
) -> None:
    wanted_faults.append("a fault in gossip")
    await friend.dial(node)
    await until(lambda: friend.service.statistics().mesh_peers == 1)
    door, real = node.service._door, node.service._door.ingest

    async def faulty(raws: object, origin: object) -> object:
        door.ingest = real
        raise ZeroDivisionError("a bug")

    door.ingest = faulty
    await friend.publish(POST)
    await trio.sleep(1)
    assert "ZeroDivisionError" in caplog.text
    other = a_post("Another.")
    await friend.publish(other)
    await until(lambda: other.id in node.held)


async def test_logs_join_no_peer_and_no_post(
    node: Node, friend: Node, probe: Probe, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    caplog.set_level(logging.DEBUG)
    await friend.dial(node)
    await probe.join(node)
    await until(lambda: node.service.statistics().mesh_peers == 2)
    await friend.publish(POST)
    await probe.say(publish=(Message(TEST_NETWORK.topic, b"junk"),))
    await until(lambda: not probe.is_connected and POST.id in node.held)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("p2pforum.gossip")]
    assert any("dropped a peer" in line for line in lines)
    assert not [line for line in lines if "probe" in line or "friend" in line or POST.id.hex() in line]
