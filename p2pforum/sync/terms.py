"""What one side brings to a session, and what a node decides about all of them."""

from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.sync.boards import Choice
from p2pforum.sync.budget import Budget
from p2pforum.sync.reconcile import TUNED, Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """What this side brings. Hours since 1970; `horizon` is the oldest kept.

    `audit`: trust no fingerprint over a whole board, and cut boards in many places.
    """

    hour: int
    horizon: int
    choice: Choice = field(default_factory=Choice)
    policy: Policy = TUNED
    budget: Budget = field(default_factory=Budget)
    audit: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What a node decides for itself. `every`: seconds on average between sessions drawn by lot."""

    choice: Choice = field(default_factory=Choice)
    budget: Budget = field(default_factory=Budget)
    every: float = limits.SYNC_EVERY_SECONDS

    def terms(self, hour: int, retention_hours: int, *, audit: bool) -> Terms:
        return Terms(hour, max(0, hour - retention_hours), self.choice, budget=self.budget, audit=audit)
