"""A stem router on a bench: peers as names, time as a number."""

from random import Random

from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import Effect, Fluff, Probe, RelayPost, StemRouter

HOUR = 498_000


class Bench:
    """`run` lets time pass and gathers (time, effect)."""

    def __init__(
        self,
        *,
        seed: int = 1,
        params: StemParams | None = None,
        outbound: int = 8,
        inbound: int = 4,
        guards: Guards | None = None,
    ) -> None:
        self.now = 1_000.0
        self.router = StemRouter(Random(seed), guards or Guards(), self.now, params)
        self.out = [f"out{n}" for n in range(outbound)]
        self.into = [f"in{n}" for n in range(inbound)]
        for name in self.out:
            self.add(name)
        for name in self.into:
            self.router.add_peer(name, self.now, outbound=False)
        self.done: list[tuple[float, Effect]] = []
        self.probed: list[str] = []
        self.now += self.router.params.settle
        self.router.maintain_guards(HOUR, self.now)

    def add(self, name: str, group: str = "") -> None:
        """An outbound peer that takes frames."""
        self.router.add_peer(name, self.now, outbound=True, group=group)
        self.router.on_answer(name)

    @property
    def guard(self) -> str:
        """Of the slot of the key that own posts are under, if no other is said."""
        return self.router.guards.of(self.router.guards.slot_of(b""))[0]

    def run(self, seconds: float) -> list[Effect]:
        """Effects in that time."""
        end = self.now + seconds
        start = len(self.done)
        while self.router.next_wake() <= end:
            self.now = max(self.now, self.router.next_wake())
            effects = self.router.tick(self.now)
            self.done += [(self.now, effect) for effect in effects if not isinstance(effect, Probe)]
            self.probed += [effect.peer for effect in effects if isinstance(effect, Probe)]
        self.now = end
        return [effect for _, effect in self.done[start:]]

    def own(self, n: int, size: int = 100, key: bytes = b"") -> bytes:
        raw = n.to_bytes(2, "big") * (size // 2)
        assert self.router.originate(n.to_bytes(32, "big"), raw, self.now, key)
        return raw

    def bring(self, peer: str, n: int, size: int = 100) -> None:
        self.router.on_post(peer, n.to_bytes(32, "big"), n.to_bytes(2, "big") * (size // 2), self.now)


def passes(effects: list[Effect]) -> list[RelayPost]:
    return [effect for effect in effects if isinstance(effect, RelayPost)]


def fluffs(effects: list[Effect]) -> list[Fluff]:
    return [effect for effect in effects if isinstance(effect, Fluff)]


RELAYING = StemParams(diffuser=0.0)
DIFFUSING = StemParams(diffuser=1.0)
