"""Strangers that want a node's memory: each opens all the streams it may, asks for echoes on each, takes no
answer, and fills every window. Cut off, it comes back under a new name.

A process of its own: python e2e_hoarders.py ADDRESS COUNT PAUSE. It says when a quarter has been cut.
"""

import sys
from contextlib import suppress
from pathlib import Path

import trio

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from p2pforum.core import limits
from p2pforum.core.address import parse_peer
from p2pforum.core.errors import NetworkError
from p2pforum.network import multistream
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_identify import PING
from p2pforum.network.libp2p_noise import Identity
from p2pforum.network.libp2p_upgrade import connect
from p2pforum.network.yamux_frames import DATA, SYN, WINDOW_UPDATE, header

_PART = 8_000  # bytes of a frame
_AWAY = 5.0  # seconds until it comes back


class Hoarders:
    """`pause` in seconds between two rounds of 256 kB each."""

    def __init__(self, address: str, count: int, pause: float) -> None:
        self._target = parse_peer(address)
        self._count = count
        self._pause = pause
        self._cut = 0

    async def attack(self) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(self._count):
                nursery.start_soon(self._hoard)

    async def _hoard(self) -> None:
        """One of them, for ever."""
        while True:
            with suppress(NetworkError):
                peer = PeerID(self._target.peer or "")
                async with await connect(self._target, Identity.create(), peer) as channel:
                    with suppress(trio.BrokenResourceError):
                        await _fill(channel, self._pause)
                        await _stay(channel)
                self._cut += 1
                if self._cut == self._count // 4:
                    print("cut", flush=True)
            await trio.sleep(_AWAY)


async def _fill(channel: trio.abc.Stream, pause: float) -> None:
    asked = multistream.encode(multistream.HEADER) + multistream.encode(PING.encode())
    numbers = range(1, 2 * limits.MAX_STREAMS_PER_PEER, 2)
    for number in numbers:
        opening = header(WINDOW_UPDATE, SYN, number, 0) + header(DATA, 0, number, len(asked)) + asked
        await channel.send_all(opening)
    left = limits.STREAM_WINDOW - len(asked)
    while left:
        part = min(left, _PART)
        left -= part
        for number in numbers:
            await channel.send_all(header(DATA, 0, number, part) + bytes(part))
        await trio.sleep(pause)


async def _stay(channel: trio.abc.Stream) -> None:
    """Half a frame more, and then nothing; until a write fails."""
    while True:
        await channel.send_all(header(WINDOW_UPDATE, 0, 1, 0))
        await trio.sleep(5)


if __name__ == "__main__":
    trio.run(Hoarders(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])).attack)
