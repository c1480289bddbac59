"""What a peer may send in a minute, over all its connections: to come back must not renew it.

Nor must a new peer ID, which costs nothing: what newcomers of one group may send at once they share. Peers
that are here already lose nothing by that, whoever comes: no crowd can have a guard drop another's posts.
"""

from collections import OrderedDict


class Allowance:
    """So many frames a minute, and so many at once; at the beginning `first`, if not all."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, per_minute: float, burst: float, now: float, first: float | None = None) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._tokens = burst if first is None else first
        self._at = now

    def spend(self, now: float) -> float:
        """0.0 if one more may go now (and it counts); else the seconds until it may."""
        self._refill(now)
        if self._tokens < 1.0:
            return max((1.0 - self._tokens) / self._rate, 0.001)
        self._tokens -= 1.0
        return 0.0

    def take(self, most: float, now: float) -> float:
        """As many as there are, up to so many."""
        self._refill(now)
        taken = min(most, self._tokens)
        self._tokens -= taken
        return taken

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now


class Allowances:
    """Those of many, by name. When there are too many, those asked for longest ago are forgotten: most of
    them are full again, and are missed by nobody.
    """

    def __init__(self, per_minute: float, burst: float, remembered: int) -> None:
        self._per_minute = per_minute
        self._burst = burst
        self._remembered = remembered
        self._held: OrderedDict[str, Allowance] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def of(self, name: str, now: float, first: float | None = None) -> Allowance:
        """`first` is for a name that is new here."""
        held = self._held.get(name)
        if held is None:
            held = self._held[name] = Allowance(self._per_minute, self._burst, now, first)
            if len(self._held) > self._remembered:
                self._held.popitem(last=False)
        self._held.move_to_end(name)
        return held
