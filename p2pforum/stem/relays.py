"""Epochs: in each, this node either ends others' stems or passes them on, to two relays drawn for the epoch.

All posts that one peer brings go to the same relay. Otherwise two posts of one author would show an observer
two ways. Relays are peers that this node dialled, so that an attacker can't become one by dialling in.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random

from p2pforum.stem.params import StemParams


class Relays:
    def __init__(self, params: StemParams, rng: Random, now: float) -> None:
        self._params = params
        self._rng = rng
        self._relays: list[str] = []
        self._routes: dict[str, str] = {}  # peer -> relay
        self.is_diffuser = False
        self.ends = 0.0
        self._begin(now)
        self.ends -= rng.random() * params.epoch  # so that nodes started together do not change together

    def turn(self, now: float) -> None:
        if now >= self.ends:
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._relays = []
        self._routes = {}
        self.is_diffuser = self._rng.random() < self._params.diffuser
        self.ends = now + self._params.epoch + self._rng.random() * self._params.epoch_jitter

    def route(self, peer: str, candidates: Mapping[str, str]) -> str | None:
        """The relay for what this peer brings; `candidates` are outbound peers with their groups."""
        self._refresh(candidates)
        relay = self._routes.get(peer)
        if relay is None:
            load = Counter(self._routes.values())
            fit = [r for r in self._relays if r != peer]
            if not fit:
                return None
            relay = self._routes[peer] = min(fit, key=lambda r: load[r])
        return relay

    def other(self, peer: str, failed: str, candidates: Mapping[str, str]) -> str | None:
        """The other relay, for one post that the peer's own relay did not take."""
        self._refresh(candidates)
        return next((relay for relay in self._relays if relay not in (failed, peer)), None)

    def _refresh(self, candidates: Mapping[str, str]) -> None:
        """Replace relays that are gone; within an epoch, all others stay."""
        self._relays = [relay for relay in self._relays if relay in candidates]
        self._routes = {peer: relay for peer, relay in self._routes.items() if relay in candidates}
        while len(self._relays) < self._params.relays:
            groups = {candidates[relay] for relay in self._relays if candidates[relay]}
            fit = [
                p for p, group in sorted(candidates.items()) if group not in groups and p not in self._relays
            ]
            if not fit:
                return
            self._relays.append(self._rng.choice(fit))
