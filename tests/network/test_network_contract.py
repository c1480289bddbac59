"""What every network promises, whichever kind it is (interface.py)."""

import logging
from contextlib import suppress
from random import Random

import pytest
import trio
import trio.testing
from network_tools import Start, echo, our_node, receive_all, until

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError, ProtocolRefused, RemoteProtocolError
from p2pforum.core.limits import MAX_STREAMS_PER_PEER
from p2pforum.network.interface import Connected, Direction, Ended, Network
from p2pforum.network.memory_network import MemoryHub

ECHO = "/echo/1"


async def connect(start: Start) -> tuple[Network, Network]:
    here, there = await start(), await start()
    for node in (here, there):
        node.set_handler(ECHO, echo)
    await here.dial(there.addresses[0])
    await until(lambda: here.connections() and there.connections())
    return here, there


# -- connections -----------------------------------------------------------------------------------


async def test_a_dial_connects_both_sides(start: Start) -> None:
    here, there = await connect(start)
    [seen] = here.connections()
    assert (seen.peer, seen.direction, seen.address) == (
        there.peer_id,
        Direction.OUTBOUND,
        there.addresses[0],
    )
    [seen] = there.connections()
    assert (seen.peer, seen.direction) == (here.peer_id, Direction.INBOUND)


async def test_an_address_ends_in_the_peer_id(start: Start) -> None:
    node, leaf = await start(), await start(listening=False)
    assert all(address.endswith(f"/p2p/{node.peer_id}") for address in node.addresses)
    assert node.addresses
    assert not leaf.addresses


async def test_dialling_a_connected_peer_returns_at_once(start: Start) -> None:
    here, there = await connect(start)
    with trio.fail_after(30):
        assert await here.dial(there.addresses[0], timeout=0.5) == there.peer_id
    assert len(here.connections()) == 1


async def test_many_dials_to_one_peer_make_one_connection(start: Start) -> None:
    here, there = await start(), await start()
    events = there.watch()
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(here.dial, there.addresses[0])
    await here.disconnect(there.peer_id)
    await until(lambda: not there.connections())
    assert [type(events.receive_nowait()) for _ in range(2)] == [Connected, Ended]
    with pytest.raises(trio.WouldBlock):
        events.receive_nowait()


async def test_both_may_dial_at_once(start: Start) -> None:
    here, there = await start(), await start()
    for node in (here, there):
        node.set_handler(ECHO, echo)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.dial, there.addresses[0])
        nursery.start_soon(there.dial, here.addresses[0])
    await until(lambda: here.connections() and there.connections())
    for node, other in ((here, there), (there, here)):
        assert [connection.peer for connection in node.connections()] == [other.peer_id]
        stream = await node.open_stream(other.peer_id, ECHO)
        await stream.send_all(b"x")
        assert await stream.receive_some(1) == b"x"


@pytest.mark.parametrize("address", ["", "/", "nonsense", "/ip4/127.0.0.1", "http://example.org/"])
async def test_what_is_no_address_is_said_so(start: Start, address: str) -> None:
    node = await start()
    with pytest.raises(NetworkError, match="not an address"):
        await node.dial(address)


async def test_the_own_address_is_not_dialled(start: Start) -> None:
    node = await start()
    with pytest.raises(NetworkError, match="own address"):
        await node.dial(node.addresses[0])


async def test_another_peer_than_expected_is_no_connection(start: Start) -> None:
    here, there, third = await start(), await start(), await start()
    address = there.addresses[0].replace(f"/p2p/{there.peer_id}", f"/p2p/{third.peer_id}")
    with pytest.raises(NetworkError, match="another peer answers at"):
        await here.dial(address)
    assert not here.connections()
    await until(lambda: not there.connections())


async def test_disconnect_ends_it_for_both(start: Start) -> None:
    here, there = await connect(start)
    mine, theirs = here.watch(), there.watch()
    stream = await here.open_stream(there.peer_id, ECHO)
    await here.disconnect(there.peer_id)
    assert not here.connections()
    await until(lambda: not there.connections())
    with pytest.raises(trio.BrokenResourceError):
        await stream.send_all(b"x")
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()
    with pytest.raises(NetworkError, match="no connection"):
        await here.open_stream(there.peer_id, ECHO)
    for events in (mine, theirs):
        assert [type(await events.receive()) for _ in range(2)] == [Connected, Ended]
    await here.disconnect(there.peer_id)  # again: nothing to do, and no error
    await here.dial(there.addresses[0])
    assert len(here.connections()) == 1


async def test_who_is_banned_is_cut_and_gets_no_connection_either_way(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = await connect(start)
    await there.ban(here.peer_id)
    await until(lambda: not here.connections() and not there.connections())
    with pytest.raises(NetworkError, match="broke the rules"):
        await there.dial(here.addresses[0])
    with suppress(NetworkError):  # a real one hears of it when the connection ends
        await here.dial(there.addresses[0])
    await until(lambda: not here.connections())
    assert not there.connections()
    monkeypatch.setattr(limits, "BAN_SECONDS", -1.0)
    await there.ban(here.peer_id)
    await here.dial(there.addresses[0])
    await until(lambda: there.connections())


async def test_events_come_in_pairs_and_tell_a_late_watcher_what_is(start: Start) -> None:
    here, there = await start(), await start()
    early = here.watch()
    for _ in range(3):
        await here.dial(there.addresses[0])
        late = here.watch()
        assert late.receive_nowait().connection is here.connections()[0]
        late.close()  # a watcher that leaves is no trouble to the others
        await here.disconnect(there.peer_id)
        await until(lambda: not there.connections())
    events = [await early.receive() for _ in range(6)]
    assert [type(event) for event in events] == [Connected, Ended] * 3
    assert all(
        made.connection is ended.connection for made, ended in zip(events[::2], events[1::2], strict=True)
    )
    assert {event.connection.peer for event in events} == {there.peer_id}


# -- streams ---------------------------------------------------------------------------------------


async def test_a_stream_goes_both_ways_and_can_be_half_closed(start: Start) -> None:
    here, there = await connect(start)
    for opener, other in ((here, there), (there, here)):  # whoever dialled
        stream = await opener.open_stream(other.peer_id, ECHO)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, b"hello")
            assert await stream.receive_some(3) == b"hel"
            assert await stream.receive_some(3) == b"lo"
        await stream.send_eof()
        assert await stream.receive_some() == b""
        await stream.aclose()


async def test_the_handler_learns_who_asks_and_which_protocol(start: Start) -> None:
    here, there = await connect(start)
    asked = []
    for number in range(3):

        async def handler(peer: str, stream: trio.abc.Stream, number: int = number) -> None:
            asked.append((peer, number))

        there.set_handler(f"/number/{number}", handler)
    for number in (2, 0, 1):
        stream = await here.open_stream(there.peer_id, f"/number/{number}")
        assert await stream.receive_some() == b""  # the handler has returned
    assert asked == [(here.peer_id, 2), (here.peer_id, 0), (here.peer_id, 1)]


async def spoken(here: Network, there: Network) -> str:
    """What they speak, by the rule of PROTOCOL: asked for newest first, and older on a clear refusal only."""
    for version in (2, 1):
        with suppress(ProtocolRefused):
            stream = await here.open_stream(there.peer_id, f"/talk/{version}")
            return (await stream.receive_some()).decode()
    return ""


@pytest.mark.parametrize(("answers", "version"), [((1, 2), "2"), ((1,), "1"), ((2,), "2"), ((), "")])
async def test_of_two_versions_the_newest_that_both_speak_is_spoken(
    start: Start, answers: tuple[int, ...], version: str
) -> None:
    here, there = await connect(start)
    for number in answers:

        async def talk(_peer: str, stream: trio.abc.Stream, number: int = number) -> None:
            await stream.send_all(b"%d" % number)

        there.set_handler(f"/talk/{number}", talk)
    assert await spoken(here, there) == version
    stream = await here.open_stream(there.peer_id, ECHO)
    await stream.send_all(b"x")
    assert await stream.receive_some(1) == b"x", "and it cost nothing"


async def test_silence_is_no_refusal(start: Start) -> None:
    """Or whoever can delay a peer could make two nodes speak the old version."""
    here, there = await connect(start)
    await there.disconnect(here.peer_id)
    await until(lambda: not here.connections())
    with pytest.raises(NetworkError) as caught:
        await spoken(here, there)
    assert not isinstance(caught.value, ProtocolRefused)


async def test_an_unknown_protocol_is_refused_and_costs_nothing(start: Start) -> None:
    here, there = await connect(start)
    for _ in range(MAX_STREAMS_PER_PEER + 8):  # refused streams do not stay open
        with pytest.raises(ProtocolRefused, match="/nobody/1"):
            await here.open_stream(there.peer_id, "/nobody/1")
    await here.open_stream(there.peer_id, ECHO)


async def test_much_flows_both_ways_at_once(start: Start) -> None:
    here, there = await connect(start)
    data = bytes(range(256)) * 8_000  # 2 MB: many windows
    stream = await here.open_stream(there.peer_id, ECHO)
    got = bytearray()

    async def send() -> None:
        for begin in range(0, len(data), 50_001):
            await stream.send_all(memoryview(data)[begin : begin + 50_001])
        await stream.send_eof()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        async for part in stream:
            got += part
    assert got == data


async def test_streams_do_not_wait_for_each_other(start: Start) -> None:
    here, there = await connect(start)

    async def deaf(peer: str, stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    there.set_handler("/deaf/1", deaf)
    clogged = await here.open_stream(there.peer_id, "/deaf/1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clogged.send_all, bytes(3_000_000))
        await trio.testing.wait_all_tasks_blocked(0.05)
        stream = await here.open_stream(there.peer_id, ECHO)
        with trio.fail_after(30):
            async with trio.open_nursery() as inner:
                inner.start_soon(stream.send_all, b"x" * 1000)
                assert await receive_all(stream, 1000) == b"x" * 1000
        nursery.cancel_scope.cancel()


async def test_what_was_sent_before_a_close_arrives(start: Start) -> None:
    here, there = await connect(start)
    got = trio.open_memory_channel[bytes](1)

    async def late_reader(peer: str, stream: trio.abc.Stream) -> None:
        await closed.wait()
        await got[0].send(await receive_all(stream))

    closed = trio.Event()
    there.set_handler("/late/1", late_reader)
    stream = await here.open_stream(there.peer_id, "/late/1")

    async def send_and_close() -> None:
        await stream.send_all(b"all of it" * 1000)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_and_close)
        await trio.testing.wait_all_tasks_blocked(0.01)
        closed.set()
        assert await got[1].receive() == b"all of it" * 1000


async def test_a_reset_breaks_the_peers_end(start: Start) -> None:
    here, there = await connect(start)
    result = trio.open_memory_channel[type](1)

    async def reader(peer: str, stream: trio.abc.Stream) -> None:
        try:
            await receive_all(stream)
        except trio.BrokenResourceError as error:
            await result[0].send(type(error))

    there.set_handler("/read/1", reader)
    stream = await here.open_stream(there.peer_id, "/read/1")
    await trio.aclose_forcefully(stream)
    with trio.fail_after(30):
        assert await result[1].receive() is trio.BrokenResourceError
    with pytest.raises(trio.ClosedResourceError):
        await stream.receive_some()


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), RemoteProtocolError("nonsense"), ExceptionGroup("", [OSError()])]
)
async def test_a_handler_that_raises_hurts_only_its_stream(
    start: Start, error: Exception, caplog: pytest.LogCaptureFixture, wanted_faults: list[str]
) -> None:
    here, there = await connect(start)

    async def fail(peer: str, stream: trio.abc.Stream) -> None:
        raise error

    there.set_handler("/fail/1", fail)
    healthy = await here.open_stream(there.peer_id, ECHO)
    for _ in range(MAX_STREAMS_PER_PEER + 8):  # failed ones are not counted
        stream = await here.open_stream(there.peer_id, "/fail/1")
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        await stream.aclose()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(healthy.send_all, b"x")
        assert await healthy.receive_some() == b"x"
    # a bug is logged with its traceback; a peer's nonsense is not
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert bool(logged) is not isinstance(error, RemoteProtocolError)
    assert not any(here.peer_id in record.getMessage() for record in logged)
    wanted_faults += {record.getMessage() for record in logged}


async def test_a_peer_has_a_bounded_number_of_streams(start: Start) -> None:
    here, there = await connect(start)
    held = [await here.open_stream(there.peer_id, ECHO) for _ in range(MAX_STREAMS_PER_PEER)]
    with pytest.raises(NetworkError):
        await here.open_stream(there.peer_id, ECHO)
    for stream in held[:5]:
        await trio.aclose_forcefully(stream)
    await trio.testing.wait_all_tasks_blocked(0.05)
    await here.open_stream(there.peer_id, ECHO)


async def test_cancelled_reads_lose_nothing(start: Start) -> None:
    here, there = await connect(start)

    async def slow_writer(peer: str, stream: trio.abc.Stream) -> None:
        for number in range(256):
            await stream.send_all(bytes([number]) * 3)
            await trio.lowlevel.checkpoint()

    there.set_handler("/slow/1", slow_writer)
    stream = await here.open_stream(there.peer_id, "/slow/1")
    got = bytearray()
    ended = False
    while not ended:
        with trio.move_on_after(0.0002):
            while part := await stream.receive_some(7):
                got += part
            ended = True
    assert got == b"".join(bytes([number]) * 3 for number in range(256))


async def test_a_cancelled_open_leaves_nothing_behind(start: Start) -> None:
    here, there = await connect(start)
    for deadline in (0, 0.0001, 0.001):
        for _ in range(MAX_STREAMS_PER_PEER + 8):
            with trio.move_on_after(deadline):
                stream = await here.open_stream(there.peer_id, ECHO)
                await trio.aclose_forcefully(stream)
    await trio.testing.wait_all_tasks_blocked(0.05)
    stream = await here.open_stream(there.peer_id, ECHO)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, b"x")
        assert await stream.receive_some() == b"x"


async def test_a_cancelled_send_hurts_no_other_stream(start: Start) -> None:
    here, there = await connect(start)
    for deadline in (0.0001, 0.001, 0.003):
        doomed = await here.open_stream(there.peer_id, ECHO)
        with trio.move_on_after(deadline):
            await doomed.send_all(bytes(5_000_000))
        await trio.aclose_forcefully(doomed)
    stream = await here.open_stream(there.peer_id, ECHO)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, b"still here")
        assert await receive_all(stream, 10) == b"still here"


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    # not in an ExceptionGroup, though there is a nursery inside
    with pytest.raises(NetworkError, match="not an address"):
        async with MemoryHub(Random(1)).network("a") as node:
            await node.dial("nonsense")


@pytest.mark.e2e
async def test_nor_with_libp2p() -> None:
    with pytest.raises(NetworkError, match="not an address"):
        async with our_node() as node:
            await node.dial("nonsense")
