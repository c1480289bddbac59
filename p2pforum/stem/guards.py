"""Through whom own posts go: a guard for each of some slots, kept for most of a year.

A first hop drawn anew for each post meets a spy soon, and a pseudonym with twenty posts is found; a guard is
a spy with probability p, once. One guard for all keys would join them: so a secret sends each key to a slot,
and each slot has guards of its own, one and a stand-in, drawn whether or not any key falls there. What is
kept names peers, and until when: never a post or a key. Slots with `Random`, hours and seconds as arguments.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from random import Random

from p2pforum.stem.params import GuardParams


@dataclass(slots=True)
class Guard:
    """`until` is an hour since 1970; `absent` counts hours in which its slot was used and it was not there.

    `address` is where it answered when it was drawn, "" if it was drawn from peers that were there.
    """

    slot: int
    peer: str
    address: str
    group: str
    until: int
    is_first: bool
    absent: int = 0


_TYPES = (int, str, str, str, int, bool, int)


@dataclass(slots=True)
class Guards:
    """`since`: the hour of their beginning; 0 until `maintain` has been called."""

    params: GuardParams = field(default_factory=GuardParams)
    secret: bytes = b""
    since: int = 0
    kept: list[Guard] = field(default_factory=list)
    _used: dict[int, float] = field(default_factory=dict)  # slot -> when, on a steady clock: never written
    _counted: int = 0  # the hour up to which absence is counted

    def slot_of(self, key: bytes) -> int:
        """Nobody can tell which keys share one, without the secret."""
        digest = hashlib.blake2b(key, key=self.secret, digest_size=8).digest()
        return int.from_bytes(digest) % self.params.slots

    def of(self, slot: int) -> list[str]:
        """Its guards, the one to use first."""
        found = [guard for guard in self.kept if guard.slot == slot]
        return [guard.peer for guard in sorted(found, key=lambda guard: not guard.is_first)]

    def in_use(self, slot: int, there: Collection[str]) -> list[str]:
        """Of these, those that are there."""
        return [peer for peer in self.of(slot) if peer in there]

    # -- whom to dial --------------------------------------------------------------------------------

    def use(self, slot: int, now: float) -> None:
        """An own post is to go through it."""
        self._used[slot] = now

    def wanted(self, now: float) -> list[int]:
        """Slots whose guards are to be connected: used not long ago."""
        since = now - self.params.linger
        return [slot for slot, when in sorted(self._used.items()) if when > since]

    def lacking(self, hour: int, now: float, there: Collection[str]) -> int | None:
        """A slot for which a guard is to be drawn: at once for one in use of whose guards none is there; then
        one with too few; then one with a guard that is past its time, and serves until there is another."""
        for slot in self.wanted(now):
            if not self.in_use(slot, there) and len(self.of(slot)) < self.params.most:
                return slot
        slots = range(self.params.slots)
        stale = (guard.slot for guard in self.kept if guard.until <= hour)
        return next((slot for slot in slots if self._needs(slot)), next(stale, None))

    def _needs(self, slot: int) -> bool:
        kept = [guard for guard in self.kept if guard.slot == slot]
        return not any(guard.is_first for guard in kept) or len(kept) < self.params.wanted

    def adopt(
        self, slot: int, peer: str, where: tuple[str, str], hour: int, rng: Random, *, is_scarce: bool = False
    ) -> None:
        """`where`: address and group. `is_scarce`: drawn from few, so that another is drawn soon.

        It takes the place of one that is past its time, if the slot has such and lacks none.
        """
        p = self.params
        is_new = hour < (self.since or hour) + p.first_hours
        least, most = (
            (p.scarce_least, p.scarce_most) if is_scarce or is_new else (p.least_hours, p.most_hours)
        )
        kept = [guard for guard in self.kept if guard.slot == slot]
        stale = next((guard for guard in kept if guard.until <= hour and not self._needs(slot)), None)
        is_first = not any(guard.is_first for guard in kept) if stale is None else stale.is_first
        self.kept = [guard for guard in self.kept if guard is not stale]
        until = hour + least + rng.randrange(most - least + 1)
        self.kept.append(Guard(slot, peer, *where, until, is_first))

    # -- time ----------------------------------------------------------------------------------------

    def maintain(self, hour: int, now: float, there: Collection[str]) -> None:
        """Now and then, never because of a post. `there`: peers that take frames."""
        self.since = self.since or hour
        self._count_absence(hour, now, there)
        self.kept = [guard for guard in self.kept if guard.absent < self.params.absent_hours]

    def _count_absence(self, hour: int, now: float, there: Collection[str]) -> None:
        passed = hour - self._counted
        self._counted = hour
        if not there or passed != 1:  # we were away or alone, or no hour has passed: not their absence
            return
        for slot in self.wanted(now):
            served = bool(self.in_use(slot, there))
            for guard in (guard for guard in self.kept if guard.slot == slot):
                if guard.peer in there:
                    guard.absent = 0
                elif guard.is_first or not served:  # a stand-in need not be there
                    guard.absent += 1

    def fill(self, hour: int, there: Mapping[str, str], rng: Random) -> None:
        """From peers that are there, and their groups, where no others are known."""
        for slot in range(self.params.slots):
            while self._needs(slot) and (peer := self._draw(slot, there, rng)):
                self.adopt(slot, peer, ("", there[peer]), hour, rng, is_scarce=True)

    def _draw(self, slot: int, there: Mapping[str, str], rng: Random) -> str | None:
        """Slots share guards where peers are few, but no group is twice in one."""
        mine = {guard.peer for guard in self.kept if guard.slot == slot}
        groups = {guard.group for guard in self.kept if guard.slot == slot and guard.group}
        load = Counter(guard.peer for guard in self.kept)
        fit = [peer for peer, group in sorted(there.items()) if peer not in mine and group not in groups]
        least = min((load[peer] for peer in fit), default=0)
        fit = [peer for peer in fit if load[peer] == least]
        return rng.choice(fit) if fit else None

    # -- over restarts -------------------------------------------------------------------------------

    def encode(self) -> str:
        rows = [asdict(guard) for guard in self.kept]
        return json.dumps({"secret": self.secret.hex(), "since": self.since, "guards": rows})

    @classmethod
    def decode(cls, text: str, params: GuardParams | None = None) -> "Guards":
        """Raises ValueError for what `encode` did not write."""
        params = params or GuardParams()
        try:
            whole = json.loads(text)
            secret, since = bytes.fromhex(whole["secret"]), whole["since"]
            kept = [Guard(**row) for row in whole["guards"]]
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError("no guards") from error
        typed = all(tuple(type(value) for value in asdict(guard).values()) == _TYPES for guard in kept)
        if type(since) is not int or not typed or any(not 0 <= g.slot < params.slots for g in kept):
            raise ValueError("no guards")
        return cls(params, secret, since, kept)
