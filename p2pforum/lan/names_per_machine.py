"""How many names each machine of the local network may tell: who makes up names costs no other machine."""

from collections.abc import Collection

from p2pforum.core import limits


class NamesPerMachine:
    """All of them together take no more than an hour's work of an hour. Time is an argument, in seconds."""

    def __init__(self, names: int = limits.LAN_NAMES, machines: int = limits.LAN_MACHINES) -> None:
        self._names = names
        self._machines = machines
        self._told: dict[str, dict[str, float]] = {}  # address -> name -> when it was new

    def takes(self, address: str, names: Collection[str], now: float) -> bool:
        """Whether what this machine says of these names is read: all are known, or there is room for them."""
        if set(names) <= self._told.get(address, {}).keys():
            return True
        self._lapse(now)
        told = self._told.get(address, {})
        new = set(names) - told.keys()
        if len(told) + len(new) > self._names or (not told and len(self._told) >= self._machines):
            return False
        self._told[address] = told | dict.fromkeys(new, now)
        return True

    def _lapse(self, now: float) -> None:
        for address, told in list(self._told.items()):
            kept = {name: at for name, at in told.items() if now - at < limits.LAN_NAMES_SECONDS}
            if kept:
                self._told[address] = kept
            else:
                del self._told[address]
