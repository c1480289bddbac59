"""Each number of the mesh that bounds something: what `n` of it does."""

from random import Random

from bounds import Row
from gossip_bed import Bed, T
from gossip_bounds import A_BIT, G, a_bed, rate, record, with_members

from p2pforum.gossip.effects import ControlBatch

SEEDS = range(20)  # of what is drawn by lot


def fills_to(n: int) -> bool:
    bed = with_members(0)
    bed.beat()
    return len(bed.mesh()) >= n


def is_enough(n: int) -> bool:
    bed = with_members(n)
    bed.beat()
    return bed.grafted() == []


def grafts(n: int) -> bool:
    bed = with_members(0)
    for peer in range(n):
        bed.graft(f"p{peer}")
    return len(bed.mesh()) == n


def trimmed(seed: int, *, best: int = 0, ours: int = 0) -> set[str]:
    """Whom a mesh of 20 keeps: the first `best` have the best scores, the last `ours` we dialled."""
    bed = with_members(20, others=0)
    bed.router._mesh._rng = Random(seed)
    for n in range(20):
        rate(bed, f"p{n}", float(best - n) if n < best else 0.0)
        bed.router._mesh.add(f"p{n}", outbound=n >= 20 - ours)
    bed.router._mesh._trim(bed.now, ControlBatch(T))
    return set(bed.mesh())


def keeps_best(n: int) -> bool:
    return all({f"p{i}" for i in range(n)} <= trimmed(seed, best=n) for seed in SEEDS)


def keeps_ours(n: int) -> bool:
    return all({f"p{19 - i}" for i in range(n)} <= trimmed(seed, best=10, ours=n) for seed in SEEDS)


def after_prune(seconds: float, backoff: int | None = None) -> Bed:
    """It pruned us, and so much later grafts."""
    bed = a_bed("a")
    bed.prune("a", backoff=backoff)
    bed.now += seconds
    bed.graft("a")
    return bed


def grafts_after(seconds: float) -> bool:
    """At a heartbeat so long after the backoff's end."""
    bed = a_bed("a")
    bed.prune("a")
    bed.now += G.backoff + seconds - 1
    bed.beat()
    return bed.mesh() == ["a"]


def looks_again(seconds: float) -> bool:
    mesh = Bed().router._mesh
    mesh._is_opportunity(0.0)
    return mesh._is_opportunity(seconds)


def better(*, mesh: float = 0.0, margin: float = 2.0) -> list[str]:
    """Whom a mesh of peers with one score takes in, where ten others have a better one."""
    bed = with_members(G.degree_low, others=10)
    for n in range(G.degree_low + 10):
        rate(bed, f"p{n}", mesh if n < G.degree_low else mesh + margin)
    bed.router._mesh._graft_better(bed.now, ControlBatch(T))
    return bed.mesh()[G.degree_low :]


ROWS = [
    Row("gossip.degree", "grafted", fills_to),
    Row("gossip.degree_low", "members", is_enough, outside=-1),
    Row("gossip.degree_high", "GRAFTs", grafts),
    Row("gossip.degree_score", "the best", keeps_best),
    Row("gossip.degree_outbound", "dialled", keeps_ours),
    Row("gossip.backoff", "a GRAFT", lambda s: after_prune(s).mesh() == ["a"], outside=-A_BIT),
    Row("gossip.backoff_longest", "asked for", lambda s: after_prune(s - A_BIT, int(s)).mesh() == []),
    Row("gossip.backoff_slack", "seconds", grafts_after, outside=-A_BIT),
    Row("gossip.graft_flood", "twice", lambda s: record(after_prune(s), "a").behaviour < 2, 0, -A_BIT),
    Row("gossip.opportunity", "seconds", looks_again, outside=-A_BIT),
    Row("gossip.opportunity_grafts", "taken in", lambda n: len(better()) >= n),
]
