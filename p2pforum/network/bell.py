"""Wakes the one task that waits for work. For many waiting tasks there is trio.lowlevel.ParkingLot."""

import trio


class Bell:
    """Wakes the one task that waits in `heard`. A ring that came before is not lost: the next wait ends at
    once."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self) -> None:
        await self._rung.wait()
        self._rung = trio.Event()
