"""How long to wait before dialling a peer again, without a clock."""

from random import Random

FIRST = 1.0  # seconds; a restarted peer is back within a few
LONGEST = 300.0  # seconds; a peer that was away for hours is found within five minutes


def delay(failures: int, rng: Random) -> float:
    """Seconds to wait after this many failures in a row (1 or more): doubling, with jitter.

    The jitter (half to whole) spreads the dials of nodes that lost the same peer at the same moment.
    """
    longest: float = min(LONGEST, FIRST * 2.0 ** (min(failures, 20) - 1))
    return longest * rng.uniform(0.5, 1.0)
