"""Through whom own posts go: one guard, kept for weeks, and others for its absence.

A first hop drawn anew for each post meets a spy soon, and a pseudonym with twenty posts is found; one
guard is a spy with probability p, once. The text that is kept names peers and hours, never a post.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random

from p2pforum.stem.params import GuardParams


@dataclass(slots=True)
class Guard:
    """`until` is an hour since 1970; `absent` counts hours in which only others were there."""

    peer: str
    group: str
    until: int
    absent: int = 0


@dataclass(slots=True)
class Guards:
    """The first that is connected is used. Call `maintain` now and then, never because of a post."""

    params: GuardParams = field(default_factory=GuardParams)
    kept: list[Guard] = field(default_factory=list)
    _counted: int = 0  # the hour up to which absence is counted

    def in_use(self, connected: Mapping[str, str]) -> list[str]:
        """Guards that are there, the one to use first."""
        return [guard.peer for guard in self.kept if guard.peer in connected]

    def maintain(self, hour: int, connected: Mapping[str, str], rng: Random) -> bool:
        """`connected`: outbound peers that can serve, and their groups. True: there is news to keep."""
        before = self.encode()
        self._count_absence(hour, connected)
        absent = self.params.absent_hours
        self.kept = [guard for guard in self.kept if hour < guard.until and guard.absent < absent]
        while self._lacks_one(connected) and (peer := self._draw(connected, rng)):
            span = self.params.most_hours - self.params.least_hours
            until = hour + self.params.least_hours + rng.randrange(span + 1)
            self.kept.append(Guard(peer, connected[peer], until))
        return self.encode() != before

    def _count_absence(self, hour: int, connected: Mapping[str, str]) -> None:
        passed = hour - self._counted
        self._counted = hour
        if not connected or passed != 1:  # we were away or alone, or no hour has passed: not their absence
            return
        for guard in self.kept:
            guard.absent = 0 if guard.peer in connected else guard.absent + 1

    def _lacks_one(self, connected: Mapping[str, str]) -> bool:
        if len(self.kept) < self.params.wanted:
            return True
        return len(self.kept) < self.params.most and not self.in_use(connected)

    def _draw(self, connected: Mapping[str, str], rng: Random) -> str | None:
        names = {guard.peer for guard in self.kept}
        groups = {guard.group for guard in self.kept if guard.group}
        fit = [peer for peer, group in sorted(connected.items()) if peer not in names and group not in groups]
        return rng.choice(fit) if fit else None

    def encode(self) -> str:
        return json.dumps([asdict(guard) for guard in self.kept])

    @classmethod
    def decode(cls, text: str, params: GuardParams | None = None) -> "Guards":
        """Raises ValueError for what `encode` did not write."""
        try:
            kept = [Guard(**row) for row in json.loads(text)]
            typed = all(
                (type(g.peer), type(g.group), type(g.until), type(g.absent)) == (str, str, int, int)
                for g in kept
            )
        except (TypeError, RecursionError) as error:
            raise ValueError("not a list of guards") from error
        if not typed:
            raise ValueError("not a list of guards")
        return cls(params or GuardParams(), kept)
