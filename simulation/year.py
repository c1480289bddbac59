"""`python -m simulation.year`: a post a day under one key, for a year: how often a spy becomes its guard, and
how many of a node's connections are spies' in the end. Ends with 1 if a bound breaks.

The node's own Guards, Book and Slots, hour by hour. Spies never go. Of the honest nodes that can be dialled
half are servers (two weeks there, then a restart), half are there for sixteen hours and away for eight. Each
leaves for good after a year on average, and another comes in its place. The control draws guards as before:
from the present connections, for 30 to 60 days. Shares are of nodes that can be DIALLED, not of all.
"""

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.core.peer_id import peer_id_of
from p2pforum.peers.book import Book
from p2pforum.peers.slots import CurrentPeers, Slots, set_anchors
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import GuardParams
from simulation.world import HOUR

SMALLEST = "--runs 1 --hours 200 --rotate 48"

HOURS = 365 * 24
NAMED = 3  # posts of a key that one spying guard carries: then it can name the author
FEELERS = 0.25  # an hour: the book has all addresses from the start, and must only keep them
TOLD = 100  # hours until each is told again, as the exchange does
BEFORE = GuardParams(  # as guards were before: drawn from the connections, for weeks
    slots=1,
    least_hours=30 * 24,
    most_hours=60 * 24,
    first_hours=0,
    absent_hours=72,
    most=5,
    linger=float("inf"),
)
HABITS = ("always there", "restarts weekly", "four hours a day")
# Of keys named, at most (four to five guards carry posts in a year), and in the control at least.
MOST = {0.05: 0.4, 0.1: 0.65}
CONTROL = {0.05: 0.5, 0.1: 0.5}


@dataclass(frozen=True)
class Case:
    share: float
    habit: str
    fresh: bool = True  #: False: the control
    rotate: int = 0  #: hours after which a connection is given up by choice; 0: never
    hosts: int = 200
    hours: int = HOURS


@dataclass(frozen=True)
class Year:
    named: bool
    seen: float  # the part of the posts that a spying guard saw
    spies: float  # of the connections that the node made, at the end
    guards: int  # that carried a post


class Life:
    """One node, one key, one year."""

    def __init__(self, case: Case, rng: Random) -> None:
        self.case = case
        self._rng = rng
        self._spies = round(case.share * case.hosts)
        self._names = [0] * case.hosts  # how many nodes have been at a place,
        self._peer = [""] * case.hosts  # and which is there now
        self._until = [0.0] * case.hosts  # when it goes, or comes back
        self._up = [True] * case.hosts
        self._book = Book(rng.randbytes(32), Random(rng.random()))
        self._host: dict[str, int] = {}
        self._slots = Slots(self._book, rng)
        self._guards = Guards(GuardParams() if case.fresh else BEFORE, rng.randbytes(32), since=HOUR - 48)
        self._out: dict[str, int] = {}  # peers that it dialled, and since which hour
        self._online = False
        self._start = rng.randrange(20)
        for v in range(case.hosts):
            self._come(v, 0, is_new=True)

    def run(self) -> Year:
        """Live through the hours, and return how the key and the node fared."""
        carried: Counter[str] = Counter()
        posting = 0
        for hour in range(self.case.hours):
            self._turn(hour)
            if hour % 24 == 0:
                posting = hour + self._start + self._rng.randrange(4)
            if not self._is_online(hour):
                self._online, self._out = False, {}
                continue
            self._live(hour)
            if hour == posting and (guard := self._post(hour)) is not None:
                carried[guard] += 1
        by_spies = {peer: count for peer, count in carried.items() if self._is_spy(peer)}
        named = any(count >= NAMED for count in by_spies.values())
        spying = sum(self._is_spy(peer) for peer in self._out) / len(self._out) if self._out else 0.0
        return Year(named, sum(by_spies.values()) / max(1, carried.total()), spying, len(carried))

    # -- the others ------------------------------------------------------------------------------------------

    def _come(self, v: int, hour: int, *, is_new: bool) -> None:
        if is_new:
            peer = peer_id_of(v.to_bytes(16, "big") + self._names[v].to_bytes(16, "big"))
            self._host[peer], self._peer[v] = v, peer
            self._tell(v, hour)
        self._up[v] = True
        mean = 14 * 24 if v % 2 else 16
        self._until[v] = hour + (self._rng.uniform(0.5, 1.5) * mean if v >= self._spies else float("inf"))

    def _tell(self, v: int, hour: int) -> None:
        address = f"/ip4/{20 + v // 250}.{v % 250}.1.1/tcp/4001/p2p/{self._peer[v]}"
        self._book.learn(address, f"{100 + v % 100}.{self._rng.randrange(250)}.0.0/16", HOUR + hour)

    def _turn(self, hour: int) -> None:
        for v in range(hour % TOLD, self.case.hosts, TOLD):
            self._tell(v, hour)
        for v, until in enumerate(self._until):
            if until > hour:
                continue
            if self._up[v]:
                is_gone = self._rng.random() < (14 if v % 2 else 1) * 24 / HOURS
                self._names[v] += is_gone
                self._drop(v)
                self._up[v] = False
                self._until[v] = hour + (1 if v % 2 else 8)
                if is_gone:
                    self._come(v, hour, is_new=True)
            else:
                self._come(v, hour, is_new=False)

    def _drop(self, v: int) -> None:
        for peer in [peer for peer in self._out if self._host[peer] == v]:
            del self._out[peer]

    def _answers(self, peer: str) -> bool:
        v = self._host[peer]
        return self._up[v] and self._peer[v] == peer

    def _is_spy(self, peer: str) -> bool:
        return self._host[peer] < self._spies

    # -- the node --------------------------------------------------------------------------------------------

    def _is_online(self, hour: int) -> bool:
        return self.case.habit != HABITS[2] or self._start <= hour % 24 < self._start + 4

    def _live(self, hour: int) -> None:
        restarts = self.case.habit == HABITS[1] and hour % (7 * 24) == 0
        if not self._online or restarts:
            set_anchors(
                self._book, [entry.address for peer in self._out for entry in self._book.of_peer(peer)]
            )
            self._slots = Slots(self._book, self._rng)
            self._online, self._out = True, {}
        elif self.case.rotate:
            for peer in [p for p, since in self._out.items() if hour - since >= self.case.rotate][:1]:
                del self._out[peer]
        self._dial(hour)
        self._guards.maintain(HOUR + hour, hour * 3600.0, self._there())
        for _ in range(4):
            self._draw(hour)

    def _current(self) -> CurrentPeers:
        places = {peer: self._book.of_peer(peer) for peer in self._out}
        return CurrentPeers(
            frozenset(self._out), {peer: found[0].address for peer, found in places.items() if found}
        )

    def _dial(self, hour: int) -> None:
        now = hour * 3600.0
        for _ in range(40):
            entry = self._slots.next(now, self._current())
            if entry is None:
                break
            ok = self._answers(entry.peer)
            self._book.attempted(entry.address, ok, HOUR + hour)
            if ok:
                self._out[entry.peer] = hour
            else:
                self._slots.put_off(entry.address, now)
        if self._rng.random() < FEELERS and (entry := self._slots.feeler(now, HOUR + hour, self._current())):
            self._book.attempted(entry.address, self._answers(entry.peer), HOUR + hour)

    def _there(self) -> list[str]:
        """Connected, or a guard that answers when it is dialled."""
        return [*self._out, *(g.peer for g in self._guards.kept if self._answers(g.peer))]

    def _draw(self, hour: int) -> None:
        slot = self._guards.lacking(HOUR + hour, hour * 3600.0, self._there())
        if slot is None:
            return
        peers = {guard.peer for guard in self._guards.kept}
        groups = {guard.group for guard in self._guards.kept}
        if self.case.fresh:
            entry = self._slots.applicant(hour * 3600.0, self._current(), peers, groups)
        else:
            fit = sorted(self._out.keys() - peers)
            entry = self._book.of_peer(self._rng.choice(fit))[0] if fit else None
        if entry is not None and self._answers(entry.peer):
            where = entry.address, entry.group
            self._guards.adopt(slot, entry.peer, where, HOUR + hour, self._rng)

    def _post(self, hour: int) -> str | None:
        """The node that gets the post: the first guard of the key's slot that is there; one
        is drawn if none is.
        """
        slot = self._guards.slot_of(b"the key")
        self._guards.use(slot, hour * 3600.0)
        for _ in range(20):
            if found := self._guards.in_use(slot, self._there()):
                return found[0]
            self._draw(hour)
        return None


def years(case: Case, runs: int) -> list[Year]:
    return [Life(case, Random(f"{case} {run}")).run() for run in range(runs)]


def _row(name: str, found: Sequence[Year]) -> str:
    error = 1.96 * (statistics.pstdev(y.named for y in found) / len(found) ** 0.5)
    return (
        f"  {name:<26} named {statistics.mean(y.named for y in found):.2f} ± {error:.2f}   "
        f"posts seen {statistics.mean(y.seen for y in found):.2f}   guards "
        f"{statistics.mean(y.guards for y in found):.1f}   of the connections in the end "
        f"{statistics.mean(y.spies for y in found):.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how often a spy names the author within a year, and the control. Returns 1 if a bound breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--rotate", type=int, default=0, metavar="HOURS", help="for a third row")
    parser.add_argument("--hours", type=int, default=HOURS)
    options = parser.parse_args(arguments)
    broken = []
    for share in (0.05, 0.1):
        for habit in HABITS:
            print(f"{share:.0%} of the nodes that can be dialled spy; {habit}; {options.runs} runs")
            case = Case(share, habit, hours=options.hours)
            ours = years(case, options.runs)
            print(_row("drawn afresh", ours), flush=True)
            before = years(Case(share, habit, fresh=False, hours=options.hours), options.runs)
            print(_row("of the connections (ctl)", before), flush=True)
            if options.rotate:
                rotated = years(Case(share, habit, rotate=options.rotate, hours=options.hours), options.runs)
                print(_row("afresh, with rotation", rotated), flush=True)
            got, control = (statistics.mean(y.named for y in found) for found in (ours, before))
            if got > MOST[share]:
                broken.append(f"{share}, {habit}: {got:.2f} are named")
            if control < CONTROL[share]:
                broken.append(f"{share}, {habit}: in the control {control:.2f} only")
    print("\n".join(broken) or "All bounds hold, and the control breaks them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
