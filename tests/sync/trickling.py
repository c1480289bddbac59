"""Peers that hold sessions and move next to nothing, as cheaply as a session allows."""

from contextlib import suppress

import trio

from p2pforum.core.errors import NetworkError
from p2pforum.network.interface import Network, PeerID
from p2pforum.sync.wire import payloads
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
from p2pforum.sync.wire.payloads import Boards, Code, End, Hello, Want

HOUR = 498_000  # late 2026
EVERY = 40.0  # seconds: 520 IDs each time are the 16 KiB that a session must move in a minute
OPENING = getattr(payloads, "Look", Hello)  # what ends it: HELLO in a checkout from before there was LOOK


async def hold_sessions(
    network: Network, peer: PeerID, protocol: str, ids: list[bytes] | None = None
) -> None:
    """One session after another until cancelled, or until the peer is gone. `ids`: fetched one by one."""
    while True:
        try:
            stream = await network.open_stream(peer, protocol)
        except NetworkError:
            return
        async with stream:
            with suppress(trio.BrokenResourceError):
                await _hold(stream, ids or [])
        await trio.sleep(0.1)


async def answer_trickling(_peer: PeerID, stream: trio.abc.Stream) -> None:
    """The same by a peer that others dial."""
    with suppress(trio.BrokenResourceError):
        await _hold(stream, [])


async def _hold(stream: trio.abc.Stream, ids: list[bytes]) -> None:
    await stream.send_all(encode(Hello(bytes(16), HOUR, 0)))
    reader = SyncFrameReader()
    opened = [frame for frame in await _hear_until(OPENING, stream, reader) if isinstance(frame, OPENING)]
    for look in opened:  # that nothing is the same
        if not isinstance(look, Hello):
            await stream.send_all(encode(OPENING(tuple(bytes(len(seen)) for seen in look.seen))))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_over, stream, reader, nursery.cancel_scope)
        await trio.sleep(1.0)
        await stream.send_all(encode(Boards(True, ())))
        while opened:
            if ids:  # a post every two seconds: it does move something
                await stream.send_all(encode(Want((ids.pop(),))))
                await trio.sleep(2.0)
            else:
                await stream.send_all(
                    encode(Want(tuple(bytes([n % 256, n // 256]) * 16 for n in range(520))))
                )
                await trio.sleep(EVERY)


async def _hear_until(kind: type[Frame], stream: trio.abc.Stream, reader: SyncFrameReader) -> list[Frame]:
    """All that is heard up to a frame of this kind, or to the end of the session."""
    heard: list[Frame] = []
    while not any(isinstance(frame, kind) or _is_over(frame) for frame in heard):
        received = await stream.receive_some()
        if not received:
            break
        heard += [frame for frame, _ in reader.feed(bytes(received))]
    return heard


def _is_over(frame: Frame) -> bool:
    return isinstance(frame, End) and frame.code is not Code.DONE


async def _until_over(stream: trio.abc.Stream, reader: SyncFrameReader, scope: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError):
        while received := await stream.receive_some():
            if any(_is_over(frame) for frame, _ in reader.feed(bytes(received))):
                break
    scope.cancel()
