"""Addresses, protocol negotiation, Yamux frames, the roster of peers, the Noise channel."""

from contextlib import suppress

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from network_tools import receive_all
from strategies import cut_up

from p2pforum.core.address import parse_address, socket_address
from p2pforum.core.errors import NetworkError, ProtocolRefused, RemoteProtocolError
from p2pforum.core.limits import MAX_PROTOCOL_NAME, MAX_PROTOCOL_TRIES
from p2pforum.network import multistream
from p2pforum.network.interface import Connected, Connection, Direction, Ended, PeerID
from p2pforum.network.memory_stream import MemoryStream, memory_stream_pair
from p2pforum.network.roster import Roster
from p2pforum.network.yamux_frames import DATA, GO_AWAY, Frame, YamuxFrameReader, header

PEER = "12D3KooWDPMZCZoi6sdwFs4T8WcarETWjtpNDdm6NN8yZ5CGV6pU"
ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd"

# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"/ip4/127.0.0.1/tcp/4001/p2p/{PEER}",
        f"/ip6/::1/tcp/1/p2p/{PEER}",
        "/ip6/2001:db8::1/tcp/65535",
        f"/dns/node.example.org/tcp/1/p2p/{PEER}",
        "/dns4/localhost/tcp/4001",
        f"/onion3/{ONION}:4001",
        f"/onion3/{ONION}:1/p2p/{PEER}",
    ],
)
def test_an_address_is_its_text(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "ip4/127.0.0.1/tcp/1",
        "/ip4/127.0.0.1/tcp/1/",
        "/ip4/127.0.0.1/udp/1",
        "/ip4/127.0.0.1/tcp/1/quic/x",
        "/ip4/127.0.0.1/tcp/65536",
        "/ip4/127.0.0.1/tcp/-1",
        "/ip4/127.0.0.1/tcp/1e3",
        "/ip4/127.0.0.1/tcp/٣",
        "/ip4/256.0.0.1/tcp/1",
        "/ip4/::1/tcp/1",
        "/ip6/fe80::1%eth0/tcp/1",
        "/ip4/localhost/tcp/1",
        "/dns/-/../tcp/1",
        "/dns/ex ample/tcp/1",
        f"/dns/{'a.' * 150}org/tcp/1",
        "/ip4/127.0.0.1/tcp/1/p2p/",
        "/ip4/127.0.0.1/tcp/1/p2p/short",
        f"/ip4/127.0.0.1/tcp/1/p2p/{PEER[:-1]}0",
        f"/ip4/127.0.0.1/tcp/1/p2p/{PEER}/p2p-circuit",
        "/onion3/x:1",
        f"/onion3/{ONION}/tcp/4001",
        f"/onion3/{ONION}",
        f"/onion3/{ONION}:",
        f"/onion3/{ONION}:99999",
        f"/onion3/{ONION}.onion:4001",
        f"/onion3/{ONION.upper()}:4001",
        f"/onion3/{ONION[:10]}a{ONION[11:]}:4001",  # the checksum tells
        f"/onion3/{ONION}:4001/tcp/4001",
        f"/onion/{ONION}:4001",
        "/unix/x",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(NetworkError, match="not an address: "):
        parse_address(text)


@given(st.text())
def test_no_text_makes_the_parser_fall(text: str) -> None:
    with suppress(NetworkError):
        assert str(parse_address(text)) == text


def test_a_socket_name_becomes_an_address() -> None:
    assert str(socket_address("127.0.0.1", 5)) == "/ip4/127.0.0.1/tcp/5"
    assert str(socket_address("fe80::1%eth0", 5, PEER)) == f"/ip6/fe80::1/tcp/5/p2p/{PEER}"


# -- negotiation -----------------------------------------------------------------------------------


def test_a_name_on_the_wire() -> None:
    assert multistream.encode(b"/multistream/1.0.0") == b"\x13/multistream/1.0.0\n"
    assert multistream.encode(b"a" * 199) == b"\xc8\x01" + b"a" * 199 + b"\n"


async def negotiate(protocol: str, known: set[bytes]) -> tuple[object, object]:
    """What each side gets: a protocol, or an exception."""
    here, there = memory_stream_pair(1000)
    results: dict[str, object] = {}

    async def side(name: str, negotiation: object) -> None:
        try:
            results[name] = await negotiation
        except (NetworkError, RemoteProtocolError) as error:
            results[name] = error
        await (here if name == "here" else there).aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(side, "here", multistream.request(here, protocol))
        nursery.start_soon(side, "there", multistream.answer(there, known))
    return results["here"], results["there"]


async def test_two_sides_agree_and_the_stream_goes_on() -> None:
    here, there = memory_stream_pair(1000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(multistream.request, here, "/b/1")
        assert await multistream.answer(there, {b"/a/1", b"/b/1"}) == "/b/1"
        await there.send_all(b"next")
    assert await here.receive_some() == b"next"  # not a byte too much was read


async def test_an_unknown_protocol_is_refused() -> None:
    here, there = await negotiate("/b/1", {b"/a/1"})
    assert isinstance(here, ProtocolRefused)
    assert isinstance(there, RemoteProtocolError)  # the stream ended; nobody was at fault


async def test_the_second_name_may_be_the_right_one() -> None:
    here, there = memory_stream_pair(1000)
    for name in (multistream.HEADER, b"/x/1", b"\xff\xfe not utf-8", b"ls", b"/a/1"):
        await here.send_all(multistream.encode(name))
    assert await multistream.answer(there, {b"/a/1"}) == "/a/1"
    await there.aclose()
    na = multistream.encode(b"na")
    assert await receive_all(here) == (
        multistream.encode(multistream.HEADER) + na * 3 + multistream.encode(b"/a/1")
    )


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" + bytes(300),
        b"\xff" * 100,
        b"\x13/multistream/1.0.0",
        b"\x13/multistream/1.0.0x",
        multistream.encode(b"/multistream/2.0.0"),
        multistream.encode(multistream.HEADER) + bytes([MAX_PROTOCOL_NAME & 0x7F | 0x80, 0x7F]),
        multistream.encode(multistream.HEADER) + multistream.encode(b"/x/1") * MAX_PROTOCOL_TRIES,
    ],
)
async def test_nonsense_ends_the_negotiation(said: bytes) -> None:
    stranger, ours = memory_stream_pair(10_000)
    await stranger.send_all(said)
    await stranger.send_eof()
    with pytest.raises(RemoteProtocolError):
        await multistream.answer(ours, {b"/a/1"})


@given(st.binary(max_size=100))
def test_no_bytes_make_the_negotiation_fall(said: bytes) -> None:
    async def run(stranger: MemoryStream, ours: MemoryStream) -> None:
        await stranger.send_all(multistream.encode(multistream.HEADER) + said)
        await stranger.send_eof()
        with suppress(RemoteProtocolError):
            await multistream.answer(ours, {b"/a/1"})

    async def main() -> None:
        await run(*memory_stream_pair(1000))

    trio.run(main)


# -- Yamux frames ----------------------------------------------------------------------------------------

frames = st.builds(
    lambda kind, flags, stream, length, body: Frame(
        kind, flags, stream, len(body) if kind == DATA else length, body if kind == DATA else b""
    ),
    st.integers(DATA, GO_AWAY),
    st.integers(0, 15),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=50),
)


@given(st.lists(frames), st.lists(st.integers(1, 20)))
def test_frames_are_the_same_however_they_arrive(sent: list[Frame], cuts: list[int]) -> None:
    wire = b"".join(header(f.kind, f.flags, f.stream, f.length) + f.body for f in sent)
    reader = YamuxFrameReader(1000)
    assert [frame for piece in cut_up(wire, cuts) for frame in reader.feed(piece)] == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_the_peers_fault(data: bytes) -> None:
    with suppress(RemoteProtocolError):
        list(YamuxFrameReader(1000).feed(data))


@pytest.mark.parametrize(
    "bad", [b"\x01" + bytes(11), b"\x00\x04" + bytes(10), header(DATA, 0, 1, 1001), b"GET / HTTP/1.1\r\n"]
)
def test_bad_frames_are_the_peers_fault(bad: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        list(YamuxFrameReader(1000).feed(bad))


# -- roster ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from(Direction)), max_size=40))
def test_events_come_in_pairs_whatever_happens(toggles: list[tuple[int, int, Direction]]) -> None:
    roster = Roster()
    events = roster.watch()
    up: dict[tuple[int, int, Direction], Connection] = {}
    for toggle in toggles:
        _, name, direction = toggle
        if toggle in up:
            connection = up.pop(toggle)
            roster.remove(connection)
            roster.remove(connection)  # twice does no harm
        else:
            up[toggle] = Connection(PeerID(str(name)), direction, "")
            roster.add(up[toggle])
        assert len(roster) == len(up)
        for shown in roster.connections():
            held = [c for c in up.values() if c.peer == shown.peer]
            ours = [c for c in held if c.direction is Direction.OUTBOUND]
            assert shown is (ours or held)[-1]
        assert {c.peer for c in roster.connections()} == {c.peer for c in up.values()}
    late = roster.watch()
    assert {id(late.receive_nowait().connection) for _ in up} == {id(c) for c in up.values()}
    roster.close()
    seen: set[Connection] = set()
    while True:
        try:
            event = events.receive_nowait()
        except trio.EndOfChannel:
            break
        if isinstance(event, Connected):
            assert event.connection not in seen
            seen.add(event.connection)
        else:
            assert isinstance(event, Ended)
            seen.remove(event.connection)
    assert not seen


# -- the Noise channel -----------------------------------------------------------------------------


async def channels() -> tuple[trio.abc.Stream, trio.abc.Stream, MemoryStream]:
    """Two ends, and the wire between that the second reads from."""
    from p2pforum.network.libp2p_noise import Identity, secure

    here, there = memory_stream_pair(10**6)
    alice, bob = Identity.create(), Identity.create()
    ends: list[trio.abc.Stream] = []

    async def respond() -> None:
        channel, peer = await secure(there, bob, None)
        assert peer == alice.peer_id
        ends.append(channel)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(respond)
        channel, peer = await secure(here, alice, bob.peer_id)
        assert peer == bob.peer_id
    return channel, ends[0], here


async def test_noise_carries_any_size() -> None:
    here, there, _ = await channels()
    data = bytes(range(256)) * 1000
    await here.send_all(b"")
    await here.send_all(data)
    await here.send_all(b"x")
    await here.aclose()
    assert await there.receive_some(1) == data[:1]
    assert await receive_all(there) == data[1:] + b"x"


async def test_a_forged_message_breaks_the_channel() -> None:
    _, there, wire = await channels()
    await wire.send_all(b"\x00\x20" + bytes(32))
    with pytest.raises(trio.BrokenResourceError):
        await there.receive_some()


async def test_an_identity_is_new_unless_it_is_kept() -> None:
    from p2pforum.network.libp2p_noise import Identity

    assert Identity.create().peer_id != Identity.create().peer_id
    kept, again = Identity.create(bytes(32)), Identity.create(bytes(32))
    assert kept.peer_id == again.peer_id == PeerID("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")


@pytest.mark.parametrize("said", [b"", b"\x00\x00", b"\x00\x20" + bytes(32), b"\xff\xff" + bytes(70_000)])
async def test_a_handshake_of_nonsense_fails_in_one_way(said: bytes) -> None:
    from p2pforum.network.libp2p_noise import Identity, secure

    stranger, ours = memory_stream_pair(10**6)
    await stranger.send_all(said)
    await stranger.send_eof()
    with pytest.raises(NetworkError):
        await secure(ours, Identity.create(), None)
