"""How many names each machine of the local network may announce. So a machine that invents names uses up only
its own share."""

from collections.abc import Collection

from p2pforum.core import limits


class NamesPerMachine:
    """Limits names for each machine, and machines, so that all names of an hour take at most an hour to
    resolve. Time is an argument, in seconds."""

    def __init__(self, names: int = limits.LAN_NAMES, machines: int = limits.LAN_MACHINES) -> None:
        self._names = names
        self._machines = machines
        self._told: dict[str, dict[str, float]] = {}  # address -> name -> when it was new

    def takes(self, address: str, names: Collection[str], now: float) -> bool:
        """Whether the node reads what this machine announces: it knows all of these names, or there is room
        for them."""
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
