"""How much a peer may send in a minute, over all its connections: a reconnect must not renew it.

A new peer ID must not renew it either, because peer IDs cost nothing. So newcomers of one network group share
one allowance for their first burst. Peers that are here already lose nothing to newcomers. So an attacker's
crowd can't make a guard drop another peer's posts.
"""

from p2pforum.core.bounded import BoundedDict, TokenBucket


class TokenBuckets:
    """Token buckets by name. When there are too many, those unused longest are dropped; most of them are full
    again, so dropping them changes nothing."""

    def __init__(self, per_minute: float, burst: float, remembered: int) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._held = BoundedDict[str, TokenBucket](remembered)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def of(self, name: str, now: float, first: float | None = None) -> TokenBucket:
        """The bucket of this name. `first`: how full a new one is."""
        bucket = self._held.get(name) or TokenBucket(self._rate, self._burst, now, first)
        self._held[name] = bucket
        return bucket
