"""What spies conclude: the node that first told a spy is the author. And how often that is right.

Recall: the part of the posts whose author is named. Precision (as in the Dandelion papers): for each honest
node, 1 / (posts that are ascribed to it) if its own is among them, else 0; the mean over all.
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.stems import Fate


@dataclass(frozen=True)
class Figures:
    """Means over seeds, with the half width of their 95 % intervals."""

    precision: float
    recall: float
    precision_error: float = 0.0
    recall_error: float = 0.0

    @property
    def worst_recall(self) -> float:
        """The upper end of its interval."""
        return self.recall + self.recall_error


def judge(fates: Sequence[Fate]) -> Figures:
    """Precision and recall where each author wrote one post."""
    ascribed = Counter(fate.seen[1] for fate in fates if fate.seen)
    right = [fate for fate in fates if fate.seen and fate.seen[1] == fate.author]
    precision = sum(1 / ascribed[fate.author] for fate in right) / len(fates)
    return Figures(precision, len(right) / len(fates))


def judge_keys(fates: Sequence[Fate]) -> float:
    """Where each author wrote many posts under one key: recall of the most frequent guess for each key."""
    votes: dict[int, Counter[int]] = {}
    for fate in fates:
        votes.setdefault(fate.author, Counter())
        if fate.seen:
            votes[fate.author][fate.seen[1]] += 1
    named = sum(bool(vote) and vote.most_common(1)[0][0] == author for author, vote in votes.items())
    return named / len(votes)


def mean(rows: Sequence[Figures]) -> Figures:
    precision, precision_error = interval([row.precision for row in rows])
    recall, recall_error = interval([row.recall for row in rows])
    return Figures(precision, recall, precision_error, recall_error)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean and the half width of its 95 % interval."""
    if len(values) < 2:
        return values[0], 0.0
    return statistics.mean(values), _t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))


def _t(freedom: int) -> float:
    """Student's t for 95 % (Cornish and Fisher): 1 % too small for five values, exact for many."""
    return 1.96 + 2.372 / freedom + 2.823 / freedom**2


def most_by_chance(share: float, count: int) -> int:
    """Of so many guesses that are each right with this chance: how many are right at most, 95
    times of 100.
    """
    total = 0.0
    for right in range(count + 1):
        total += math.comb(count, right) * share**right * (1 - share) ** (count - right)
        if total >= 0.95:
            return right
    return count
