"""Frames on their way to a peer: many tasks put them in, one task writes them."""

import collections
from collections.abc import Iterable

import trio

BATCH = 65_519  # bytes written at once: one full Noise message


class SendQueue:
    """`size` counts bytes until they are sent. Tasks that wait for it to shrink, or for the end, park in
    `changed`."""

    def __init__(self) -> None:
        self.size = 0  #: bytes
        self.changed = trio.lowlevel.ParkingLot()
        self._parts: collections.deque[bytes] = collections.deque()

    def put(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self._parts.append(part)
            self.size += len(part)
        self.changed.unpark_all()

    async def next_batch(self) -> bytes:
        """Wait for frames; then as many whole ones as fit into `BATCH` bytes, at least one."""
        while not self._parts:
            await self.changed.park()
        batch = [self._parts.popleft()]
        size = len(batch[0])
        while self._parts and size + len(self._parts[0]) <= BATCH:
            size += len(self._parts[0])
            batch.append(self._parts.popleft())
        return b"".join(batch)

    def sent(self, size: int) -> None:
        self.size -= size
        self.changed.unpark_all()

    def clear(self) -> None:
        self._parts.clear()
        self.size = 0
        self.changed.unpark_all()
