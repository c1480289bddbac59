"""Each number of ScoreParams that bounds something: what `n` of it does."""

from bounds import Row
from gossip_bed import Bed, T, disconnected, forwarded
from gossip_bounds import A_BIT, DATA, NAME, S, a_bed, rate, record
from mesh_bounds import better

from p2pforum.gossip.wire.rpc import Subscription

# -- the score ---------------------------------------------------------------------------------------------


def is_asked_at(score: float) -> bool:
    bed = a_bed("a")
    rate(bed, "a", score)
    return bed.ihave("a", NAME) != []


def is_pushed_to_at(score: float) -> bool:
    bed = a_bed("a")
    bed.prune("a")
    rate(bed, "a", score)
    return forwarded(bed._note(bed.router.originate(DATA, bed.now))) != {}


def is_kept_at(score: float) -> bool:
    bed = a_bed("a")
    rate(bed, "a", score)
    return disconnected(bed.say("a", subscriptions=(Subscription(T, True),))) == []


def decays_after(seconds: float) -> bool:
    bed = a_bed("a")
    bed.router.scores.decay(bed.now)
    record(bed, "a").first = 8.0
    bed.router.scores.decay(bed.now + seconds)
    return record(bed, "a").first < 8.0


def is_something(value: float) -> bool:
    return Bed().router.scores._faded(value, 1.0) > 0


def record_lasts(seconds: float) -> bool:
    bed = a_bed("a")
    for _ in range(9):
        bed.router.scores.misbehaved("a", bed.now)
    bed.remove("a")
    bed.router.scores.decay(bed.now + seconds)
    return bed.router.scores.score("a", bed.now + seconds) < 0


def is_banned(seconds: float) -> bool:
    bed = a_bed("a")
    bed.router.scores.ban("a", bed.now)
    return disconnected(bed.router.add_peer("a", bed.now + seconds, outbound=True)) == ["a"]


def score_after(*, seconds: float = 0.0, first: int = 0) -> float:
    bed = a_bed("a")
    for _ in range(first):
        bed.router.scores.first_delivery("a")
    record(bed, "a").is_stale = True
    return bed.router.scores.score("a", bed.now + seconds)


def in_a_crowd(posts: int, seconds: float = S.delivery_activation) -> tuple[float, float]:
    """What a member owes and its score, after so many posts of which it brought none."""
    bed = a_bed("a")
    for _ in range(posts):
        bed.router.scores.accepted(crowded=True)
    record(bed, "a").is_stale = True
    score = bed.router.scores.score("a", bed.now + seconds)
    return bed.router.scores._deficit(record(bed, "a"), bed.now + seconds), score


def counts_as_delivered(seconds: float) -> bool:
    bed = a_bed("a", "b")
    bed.deliver("a", DATA)
    bed.now += seconds
    bed.message("b", DATA)
    return record(bed, "b").delivered > 0


def neighbours(n: int) -> float:
    bed = Bed()
    bed.add(*(f"p{i}" for i in range(n)), group="g")
    return bed.score("p0")


def is_forgiven(amount: float) -> bool:
    bed = a_bed("a")
    bed.router.scores.misbehaved("a", bed.now, amount)
    return bed.score("a") >= 0


ROWS = [
    Row("gossip.gossip_threshold", "a score", is_asked_at, outside=-A_BIT),
    Row("gossip.publish_threshold", "a score", is_pushed_to_at, outside=-A_BIT),
    Row("gossip.graylist_threshold", "a score", is_kept_at, outside=-A_BIT),
    Row("gossip.opportunity_threshold", "a mesh", lambda s: better(mesh=s) == [], outside=-A_BIT),
    Row("gossip.opportunity_margin", "better", lambda s: better(margin=s) != [], A_BIT, 0),
    Row("gossip.decay_interval", "seconds", decays_after, outside=-A_BIT),
    Row("gossip.decay_to_zero", "a counter", is_something, outside=-A_BIT / 10),
    Row("gossip.retain", "seconds", record_lasts, outside=A_BIT),
    Row("gossip.ban", "seconds", is_banned, -A_BIT, 0),
    Row(
        "gossip.time_cap", "quanta", lambda n: score_after(seconds=10 * n) > score_after(seconds=10 * n - 10)
    ),
    Row("gossip.first_cap", "posts", lambda n: score_after(first=int(n)) > score_after(first=int(n) - 1)),
    Row("gossip.delivery_cap", "owed", lambda n: round(in_a_crowd(2_000)[0], 6) >= n),
    Row("gossip.delivery_activation", "seconds", lambda s: in_a_crowd(2_000, s)[0] == 0, -A_BIT, 0),
    Row("gossip.delivery_window", "seconds", counts_as_delivered, outside=A_BIT),
    Row("gossip.delivery_floor", "the least", lambda n: in_a_crowd(2_000)[1] - 0.03 >= n, -0.5, 0.5),
    Row("gossip.colocation_threshold", "peers", lambda n: neighbours(n) == 0),
    Row("gossip.colocation_floor", "the least", lambda n: neighbours(100) >= n, outside=A_BIT),
    Row("gossip.behaviour_threshold", "amounts", is_forgiven, outside=A_BIT),
]
