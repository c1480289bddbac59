"""The guards that own posts go through: a guard for each of some slots, kept for most of a year.

If the node drew a first hop for each post, it would soon draw a spy, and a pseudonym with twenty posts would
be found. A guard is a spy with probability p, once. One guard for all keys would link the keys. So a secret
maps each key to a slot, and each slot has guards of its own, one and a stand-in. Both are drawn even if no
key maps there. The file keeps peers and hours, never a post or a key. `Random`, hours and seconds are
arguments.
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
    """`until` is an hour since 1970; `absent` counts hours in which its slot was used and the guard was not
    there.

    `address` is where it answered when it was drawn, "" if it was drawn from connected peers.
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
    """`since`: the hour in which they began; 0 until `maintain` has been called."""

    params: GuardParams = field(default_factory=GuardParams)
    secret: bytes = b""
    since: int = 0
    kept: list[Guard] = field(default_factory=list)
    _used: dict[int, float] = field(default_factory=dict)  # slot -> seconds, never written to disk
    _counted: int = 0  # the hour up to which absence is counted

    def slot_of(self, key: bytes) -> int:
        """Without the secret, an attacker can't tell which keys share a slot."""
        digest = hashlib.blake2b(key, key=self.secret, digest_size=8).digest()
        return int.from_bytes(digest) % self.params.slots

    def of(self, slot: int) -> list[str]:
        """The guards of a slot, the one to use first."""
        found = [guard for guard in self.kept if guard.slot == slot]
        return [guard.peer for guard in sorted(found, key=lambda guard: not guard.is_first)]

    def in_use(self, slot: int, there: Collection[str]) -> list[str]:
        """The guards of a slot that are in `there`."""
        return [peer for peer in self.of(slot) if peer in there]

    # -- guards to dial ------------------------------------------------------------------------------

    def use(self, slot: int, now: float) -> None:
        """An own post will go through this slot."""
        self._used[slot] = now

    def wanted(self, now: float) -> list[int]:
        """Slots that were used not long ago. The node connects to their guards."""
        since = now - self.params.linger
        return [slot for slot, when in sorted(self._used.items()) if when > since]

    def lacking(self, hour: int, now: float, there: Collection[str]) -> int | None:
        """A slot for which to draw a guard, or None.

        First a slot in use with no guard in `there`; then one with too few guards; then one with a guard past
        its time, which serves until another is found.
        """
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
        """Add a guard. `where`: address and group. `is_scarce`: drawn from few, so that another is drawn
        soon.

        It replaces a guard past its time, if the slot has one and lacks none.
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
        """Count absence and drop guards that were absent too long.

        Call it now and then, never because of a post. `there`: peers that take frames.
        """
        self.since = self.since or hour
        self._count_absence(hour, now, there)
        self.kept = [guard for guard in self.kept if guard.absent < self.params.absent_hours]

    def _count_absence(self, hour: int, now: float, there: Collection[str]) -> None:
        passed = hour - self._counted
        self._counted = hour
        # The node was off or had no peers, or no hour has passed: that is not the guards' absence.
        if not there or passed != 1:
            return
        for slot in self.wanted(now):
            served = bool(self.in_use(slot, there))
            for guard in (guard for guard in self.kept if guard.slot == slot):
                if guard.peer in there:
                    guard.absent = 0
                elif guard.is_first or not served:  # a stand-in may be absent while the first serves
                    guard.absent += 1

    def fill(self, hour: int, there: Mapping[str, str], rng: Random) -> None:
        """Draw missing guards from connected peers (`there`, with their groups), where no others are
        known."""
        for slot in range(self.params.slots):
            while self._needs(slot) and (peer := self._draw(slot, there, rng)):
                self.adopt(slot, peer, ("", there[peer]), hour, rng, is_scarce=True)

    def _draw(self, slot: int, there: Mapping[str, str], rng: Random) -> str | None:
        """Slots share guards where peers are few, but no slot has two of one network group."""
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
        """Raises ValueError for text that `encode` did not write."""
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
