"""`python -m simulation.address_book`: which share of the connections that honest nodes make an attacker
gets, whatever number of ports and peer IDs his hosts have. Ends with 1 if a bound breaks.

The node's own Book and Slots in every honest node. The nodes exchange what they know, send feelers, and start
again once a day. All hosts are there all the time; every dial succeeds. The control is a book in which every
record counts: as many of a host as there are, drawn by buckets.
"""

import argparse
import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from p2pforum.core import limits
from p2pforum.core.address import Address
from p2pforum.core.peer_id import peer_id_of
from p2pforum.network.groups import network_group
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from p2pforum.peers.entry import Entry
from p2pforum.peers.slots import CurrentPeers, Slots, set_anchors
from p2pforum.peers.tables import Tables
from simulation.guess import interval
from simulation.world import HOUR

SMALLEST = "--hosts 20 --hours 6 --seeds 1"

INVITED = 4  # nodes in the invite that every node began with, drawn fairly
EACH = 8  # records told in an answer, at least: as in the exchange
ASKED = 4  # hours between two asks of one peer: a node asks each hour, and gets the same for a day
MOST = 1.6  # times his share of the addresses (one of IPv4, one of IPv6 a host) that an attacker may get
CONTROL = 3.0  # times that share he gets where every record counts, at least


@dataclass(frozen=True)
class Setting:
    """`ports` at each address and `names` (peer IDs) of a spying host; `dual`: all hosts have IPv4 and IPv6.
    Honest hosts have one port and one name.
    """

    hosts: int = 200
    share: float = 0.05
    ports: int = 1
    names: int = 1
    both: bool = False  #: spies have an IPv6 address besides
    dual: bool = False  #: honest hosts too
    hours: int = 96
    feelers: int = 10  # an hour: a third of what a node sends, to save time

    @property
    def spies(self) -> int:
        return round(self.hosts * self.share)

    @property
    def fair(self) -> float:
        """The spies' share of all addresses without their ports."""
        spies = self.spies * (2 if self.both else 1)
        return spies / (spies + (self.hosts - self.spies) * (2 if self.dual else 1))


class _Policy(AddressPolicy):
    """Admits as the node does; for speed it remembers what it admitted before."""

    @functools.lru_cache(None)  # noqa: B019 - one, for the run
    def admit(self, text: str, *, is_local: bool = False, is_named: bool = False) -> Address | None:
        return super().admit(text, is_local=is_local, is_named=is_named)


REACH = _Policy()


class ByRecord(Book):
    """The control: a host has as many cells as it has records, and tried ones are drawn by buckets."""

    def __init__(self, secret: bytes, rng: Random, policy: AddressPolicy, *, mine: str = "") -> None:
        super().__init__(secret, rng, policy, mine=mine)
        self._tables = _ByBuckets(self._buckets)

    def _has_host(self, entry: Entry) -> bool:
        return True


class _ByBuckets(Tables):
    @property
    def met(self) -> set[str]:
        return set()

    def of_host(self, entry: Entry) -> list[Entry]:
        return []

    def draw(self, rng: Random, is_tried: bool, fits: Callable[[Entry], bool]) -> Entry | None:
        lots: dict[int, list[Entry]] = {}
        for entry in self:
            if entry.is_tried == is_tried:
                bucket = self._buckets.tried(entry.group, entry.address) if is_tried else entry.bucket
                lots.setdefault(bucket, []).append(entry)
        for lot in rng.sample(list(lots.values()), len(lots)):
            if fit := [entry for entry in lot if fits(entry)]:
                return rng.choice(fit)
        return None


@dataclass(frozen=True)
class Record:
    raw: bytes
    host: int
    addresses: tuple[str, ...]


def _records(setting: Setting) -> list[Record]:
    """As many /16, and as many /32 of IPv6, as there are hosts; the first hosts spy."""
    found = []
    for host in range(setting.hosts):
        is_spy = host < setting.spies
        ports, names = (setting.ports, setting.names) if is_spy else (1, 1)
        places = [f"/ip4/{20 + host // 250}.{host % 250}.1.1/tcp/{4001 + port}" for port in range(ports)]
        if setting.both if is_spy else setting.dual:
            places += [f"/ip6/2a00:{host + 1:x}::1/tcp/{4001 + port}" for port in range(ports)]
        for name in range(names):
            addresses = tuple(f"{place}/p2p/{_peer(host, name)}" for place in places)
            found.append(Record(f"{host} {name}".encode(), host, addresses))
    return found


def _peer(host: int, name: int) -> str:
    return peer_id_of(host.to_bytes(16, "big") + name.to_bytes(16, "big"))


class Swarm:
    def __init__(self, setting: Setting, rng: Random, make: Callable[..., Book]) -> None:
        self.setting = setting
        self._rng = rng
        self._records = _records(setting)
        self._by_raw = {record.raw: record for record in self._records}
        self._host = {address: r.host for r in self._records for address in r.addresses}
        self.honest = range(setting.spies, setting.hosts)
        self._books = {
            v: make(rng.randbytes(32), Random(rng.random()), REACH, mine=_peer(v, 0)) for v in self.honest
        }
        self._slots = {v: Slots(self._books[v], rng) for v in self.honest}
        self.dialled: dict[int, dict[str, str]] = {v: {} for v in self.honest}  # peer -> address
        self._spoken: dict[int, dict[int, bytes]] = {v: {} for v in self.honest}
        self._answers: dict[int, tuple[int, list[bytes]]] = {}  # until when, and what
        self._reached: list[tuple[int, int]] = []  # (of how many, of spies), after each restart

    def run(self) -> float:
        """The spies' share of the connections that honest nodes make, half an hour after a restart."""
        invited = self._rng.sample(range(self.setting.hosts), INVITED)
        for v in self.honest:
            for host in invited:
                record = self._by_raw[f"{host} 0".encode()]
                self._books[v].learn(record.addresses[0], "", HOUR, record.raw)
        for hour in range(self.setting.hours):
            for v in self.honest:
                if hour % 24 == v % 24:
                    self._restart(v)
                self._fill(v, HOUR + hour)
                if hour % 24 == v % 24 and hour > self.setting.hours // 2:
                    hosts = [self._host[address] for address in self.dialled[v].values()]
                    self._reached.append((len(hosts), sum(host < self.setting.spies for host in hosts)))
                self._feel(v, HOUR + hour)
            for v in self.honest:
                self._ask(v, HOUR + hour)
        total, spying = (sum(column) for column in zip(*self._reached, strict=True))
        return spying / total

    def _restart(self, v: int) -> None:
        set_anchors(self._books[v], self.dialled[v].values())
        self._slots[v] = Slots(self._books[v], self._rng)
        self.dialled[v] = {}

    def _current(self, v: int) -> CurrentPeers:
        return CurrentPeers(frozenset(self.dialled[v]), dict(self.dialled[v]))

    def _fill(self, v: int, hour: int) -> None:
        while (entry := self._slots[v].next(0.0, self._current(v))) is not None:
            self._books[v].attempted(entry.address, True, hour)
            self.dialled[v][entry.peer] = entry.address

    def _feel(self, v: int, hour: int) -> None:
        for _ in range(self.setting.feelers):
            entry = self._slots[v].feeler(0.0, hour, self._current(v))
            if entry is not None:
                self._books[v].attempted(entry.address, True, hour)

    def _ask(self, v: int, hour: int) -> None:
        """Ask each peer that the node dialled, which tells a part of the addresses it has reached; a spy
        tells of spies. Spies dial every node, each hour with another peer ID.
        """
        for address in self.dialled[v].values() if (hour + v) % ASKED == 0 else ():
            host = self._host[address]
            self._learn(v, network_group(address), self._told_by(host, hour), hour)
            if host in self._books:
                self._hear(host, v, 0, hour)
        for spy in range(self.setting.spies):
            self._hear(v, spy, self._rng.randrange(self.setting.names), hour)

    def _hear(self, v: int, caller: int, name: int, hour: int) -> None:
        """A peer that dials in tells its own record."""
        record = self._by_raw[f"{caller} {name}".encode()]
        self._spoken[v][caller] = record.raw
        self._learn(v, network_group(record.addresses[0]), [record.raw], hour)

    def _learn(self, v: int, source: str, raws: Iterable[bytes], hour: int) -> None:
        for raw in raws:
            for place in self._by_raw[raw].addresses:
                self._books[v].learn(place, source, hour, raw)

    def _told_by(self, host: int, hour: int) -> list[bytes]:
        """One answer for all peers, for a day; for an hour while it holds all records there are."""
        until, answer = self._answers.get(host, (0, []))
        if hour >= until:
            if host < self.setting.spies:
                known = [r.raw for r in self._records if r.host < self.setting.spies]
            else:
                known = [*dict.fromkeys([*self._books[host].records(hour), *self._spoken[host].values()])]
            size = min(limits.PEERS_TOLD, max(EACH, len(known) // limits.PEERS_TOLD_PART))
            drawn = self._rng.sample(known, min(size, len(known)))
            answer = [*drawn, f"{host} 0".encode()]
            self._answers[host] = hour + (24 if len(drawn) < len(known) else 1), answer
        return answer


def share(setting: Setting, seeds: int, make: Callable[..., Book] = Book) -> list[float]:
    return [Swarm(setting, Random(f"{setting} {seed}"), make).run() for seed in range(seeds)]


WAYS = (
    ("one address a host", {}),
    ("4 ports and IPv6 with 4", {"ports": 4, "both": True}),
    ("the same, 20 peer IDs", {"ports": 4, "both": True, "names": 20}),
    ("the same, all with IPv6", {"ports": 4, "both": True, "names": 20, "dual": True}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the spies' share with the node's own book and in the control. Returns 1 if a bound breaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--hours", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    broken = []
    for part in (0.05, 0.1):
        for name, what in WAYS:
            setting = Setting(options.hosts, part, hours=options.hours, **what)
            ours, control = (share(setting, options.seeds, make) for make in (Book, ByRecord))
            got, counted = interval(ours), interval(control)
            print(
                f"{part:.0%} of hosts spy, {name:<24} fair {setting.fair:.3f}   "
                f"got {got[0]:.3f} ± {got[1]:.3f}   "
                f"every record counts (control) {counted[0]:.3f} ± {counted[1]:.3f}",
                flush=True,
            )
            if got[0] > MOST * setting.fair:
                broken.append(f"{part:.0%}, {name}: {got[0]:.3f}")
            if setting.names > 1 and counted[0] < CONTROL * part:
                broken.append(f"{part:.0%}, {name}: the control gets {counted[0]:.3f} only")
    print("\n".join(broken) or "All bounds hold, and the control breaks them.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
