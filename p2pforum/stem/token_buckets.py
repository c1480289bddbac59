"""What a peer may send in a minute, over all its connections: to come back must not renew it.

Nor must a new peer ID, which costs nothing: what newcomers of one group may send at once they share. Peers
that are here already lose nothing by that, whoever comes: no crowd can have a guard drop another's posts.
"""

from p2pforum.core.bounded import BoundedDict, TokenBucket


class TokenBuckets:
    """Those of many, by name. When there are too many, those asked for longest ago are forgotten: most of
    them are full again, and are missed by nobody.
    """

    def __init__(self, per_minute: float, burst: float, remembered: int) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._held = BoundedDict[str, TokenBucket](remembered)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def of(self, name: str, now: float, first: float | None = None) -> TokenBucket:
        """`first` is for a name that is new here."""
        bucket = self._held.get(name) or TokenBucket(self._rate, self._burst, now, first)
        self._held[name] = bucket
        return bucket
