"""What one side brings to a session, and what a node decides for all sessions."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from p2pforum.core import limits
from p2pforum.sync.boards import BoardChoice
from p2pforum.sync.budget import Budget
from p2pforum.sync.reconcile import TUNED, Policy

_DAY = 24  # hours


@dataclass(frozen=True, slots=True)
class Terms:
    """What this side brings. Hours since 1970; `horizon` is the oldest kept."""

    hour: int
    horizon: int
    choice: BoardChoice = field(default_factory=BoardChoice)
    policy: Policy = TUNED
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class KnownPeers:
    """What the rest of the node knows of peers, by ID."""

    trusted: Callable[[], Collection[str]]  #: guards and named peers
    known: Callable[[], Iterable[str]]  #: all peers that this node may dial


@dataclass(frozen=True, slots=True)
class Settings:
    """What a node decides for itself. `every`: seconds on average between sessions drawn at random.
    `known_peers` is read when the service is made; see filling.py."""

    choice: BoardChoice = field(default_factory=BoardChoice)
    budget: Budget = field(default_factory=Budget)
    every: float = limits.SYNC_EVERY_SECONDS
    known_peers: KnownPeers | None = None

    def terms(self, hour: int, retention_hours: int) -> Terms:
        """The horizon that peers see is in whole days, so that fewer nodes can be told apart by it."""
        low = self.choice.low
        choice = replace(self.choice, low=lambda name: whole_days(low(name), hour))
        return Terms(hour, whole_days(max(0, hour - retention_hours), hour), choice, budget=self.budget)


def whole_days(oldest: int, hour: int) -> int:
    """The first hour of the first day that is kept whole, when `oldest` is the oldest hour kept.

    In the last two days it is `oldest` itself. Otherwise a flood that fills the quota in an hour would end
    sync for a day.
    """
    day = -(-oldest // _DAY) * _DAY
    return day if day <= hour - _DAY else oldest
