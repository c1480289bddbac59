"""A bell for the one task that waits for work. For many at once there is trio.lowlevel.ParkingLot."""

import trio


class Bell:
    """Wakes the one task that listens; a ring that nobody listened to is heard later."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self) -> None:
        await self._rung.wait()
        self._rung = trio.Event()
