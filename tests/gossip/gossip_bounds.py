"""Each number of gossip/params.py that bounds something: what `n` of it does."""

from bounds import Row
from gossip_bed import Bed, T, validations

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import Send
from p2pforum.gossip.params import GossipParams, ScoreParams
from p2pforum.gossip.score import PeerScore
from p2pforum.gossip.seen import SeenCache, message_id
from p2pforum.gossip.wire.rpc import Subscription

G, S = GossipParams(), ScoreParams()
DATA = b"a post"
NAME = message_id(DATA)
A_BIT = 0.01


def names(count: int) -> list[bytes]:
    return [message_id(b"%d" % n) for n in range(count)]


def record(bed: Bed, peer: str) -> PeerScore:
    return bed.router.scores._here[peer]


def rate(bed: Bed, peer: str, score: float) -> None:
    """Its score, until something changes it."""
    record(bed, peer).score, record(bed, peer).is_stale = score, False


def a_bed(*peers: str, **how: bool) -> Bed:
    bed = Bed()
    bed.add(*peers, **how)
    return bed


def has_misbehaved(bed: Bed, peer: str = "a") -> bool:
    return record(bed, peer).behaviour > 0


def with_members(count: int, *, others: int = 30) -> Bed:
    bed = Bed()
    for n in range(count + others):
        bed.router.add_peer(f"p{n}", bed.now, outbound=False)
        bed.router._mesh.subscribe(f"p{n}")
        if n < count:
            bed.router._mesh._admit(f"p{n}", bed.now)
    bed.router._mesh.take_newcomers()
    return bed


# -- offers ------------------------------------------------------------------------------------------------


def beats(n: int) -> Bed:
    """So many heartbeats since a post came, and twelve are outside the mesh."""
    bed = with_members(G.degree, others=12)
    bed.deliver("p0", DATA)
    bed.beat(n - 1)
    bed.clear()
    bed.beat()
    return bed


def offered_at_once(n: int) -> bool:
    return len(beats(1).offered()) >= n


def still_served(n: int) -> bool:
    bed = a_bed("a", "b")
    bed.deliver("a", DATA)
    bed.beat(n)
    return bed.served("b", NAME) == [DATA]


def greeted_again(seconds: float) -> bool:
    bed = a_bed("a", "b")
    bed.deliver("b", DATA)
    for pause in (0.0, G.greet_again, seconds):
        bed.now += pause
        bed.clear()
        bed.router.on_stream("a", bed.now)
        bed.say("a", subscriptions=(Subscription(T, True),))
    return bed.offered() == {"a": [NAME]}


def kept_beside(posts: list[bytes]) -> bool:
    bed = a_bed("a")
    bed.deliver("a", DATA)
    for post in posts:
        bed.deliver("a", post)
    return bed.router.kept(NAME) is not None


def kept_in(size: int) -> bool:
    part = 1024 * 1024
    sizes = [part] * ((size - len(DATA)) // part) + [(size - len(DATA)) % part]
    return kept_beside([n.to_bytes(1, "big") * size for n, size in enumerate(sizes)])


def offers(n: int) -> bool:
    """So many posts of one heartbeat, at the next."""
    bed = with_members(G.degree, others=1)
    for i in range(n):
        bed.deliver("p0", b"%d" % i)
    bed.beat()
    return len(bed.offered()[f"p{G.degree}"]) == n


# -- what was seen -----------------------------------------------------------------------------------------


def is_not_judged(outcome: Outcome, seconds: float) -> bool:
    bed = a_bed("a", "b")
    bed.message("a", DATA)
    bed.verdict(DATA, outcome)
    bed.now += seconds
    return validations(bed.message("b", DATA)) == []


def remembers(cache: SeenCache, n: int) -> bool:
    for i in range(n):
        cache.add(b"%d" % i, 0.0)
    return cache.has(b"0", 0.0)


# -- budgets -----------------------------------------------------------------------------------------------


def controls(n: int) -> bool:
    bed = a_bed("a")
    bed.beat()
    for _ in range(n - 1):
        bed.say("a", subscriptions=(Subscription(T, True),))
    bed.say("a", subscriptions=(Subscription(T, False),))
    return bed.mesh() == []


def ihaves(n: int) -> Bed:
    bed = a_bed("a")
    bed.beat()
    bed.clear()
    for _ in range(n - 1):
        bed.ihave("a")
    bed.ihave("a", NAME)
    return bed


def iwants(n: int) -> bool:
    bed = a_bed("a")
    bed.say("a", iwant=tuple(names(n)))
    return not has_misbehaved(bed)


def surplus(n: int) -> bool:
    bed = a_bed("a")
    bed.say("a", surplus=n, subscriptions=(Subscription(T, True),))
    return not has_misbehaved(bed)


def asks_at_once(n: int) -> bool:
    """In one RPC."""
    effects = a_bed("a").ihave("a", *names(n))
    return [len(effect.rpc.iwant) for effect in effects if isinstance(effect, Send)] == [n]


def asks_in_a_beat(n: int) -> bool:
    """All that came before has arrived."""
    bed = a_bed("a")
    for i in range(n):
        bed.router._lazy._quotas["a"].ihaves = 0
        bed.ihave("a", message_id(b"%d" % i))
        bed.router._lazy.arrived(message_id(b"%d" % i))
    return len(bed.asked()["a"]) == n


def asks_in_all(n: int) -> bool:
    """None of it arrives."""
    bed = a_bed("a")
    for name in names(n):
        bed.router._lazy._quotas["a"].beat()
        bed.ihave("a", name)
    return len(bed.asked()["a"]) == n


def asks_another(seconds: float) -> bool:
    bed = a_bed("a", "b")
    bed.ihave("a", NAME)
    bed.now += seconds
    bed.ihave("b", NAME)
    return "b" in bed.asked()


def keeps_promise(seconds: float) -> bool:
    bed = a_bed("a")
    bed.ihave("a", NAME)
    bed.now += seconds - 1
    bed.beat()
    return not has_misbehaved(bed)


def serves_in_an_hour(n: int) -> bool:
    bed = a_bed("a", "b")
    bed.deliver("b", DATA)
    bed.router._lazy.on_iwant("a", names(n - 1), bed.now)
    return bed.served("a", NAME) == [DATA]


def serves_times(n: int) -> bool:
    bed = a_bed("a", "b")
    bed.deliver("b", DATA)
    return [bed.served("a", NAME) for _ in range(n)][-1] == [DATA]


def remembers_what_it_served(n: int) -> bool:
    bed = a_bed("a", "b")
    for i in range(n):
        bed.deliver("b", b"%d" % i)
    first, *others = names(n)
    for _ in range(G.serve_times):
        bed.served("a", first)
    bed.served("a", *others)
    return bed.served("a", first) == []


def remembers_who_left(n: int) -> bool:
    bed = Bed()
    for i in range(n):
        bed.add(f"p{i}")
        bed.router.scores.ban(f"p{i}", bed.now)
        bed.remove(f"p{i}")
    return bed.router.scores.is_banned("p0", bed.now)


ROWS = [
    Row("gossip.degree_lazy", "offered to", offered_at_once),
    Row("gossip.gossip_beats", "heartbeats", lambda n: beats(n).offered() != {}),
    Row("gossip.history_beats", "heartbeats", still_served, inside=-1, outside=0),
    Row("gossip.greet_again", "seconds", greeted_again, outside=-A_BIT),
    Row("gossip.history_count", "posts", lambda n: kept_beside([b"%d" % i for i in range(n - 1)])),
    Row("gossip.history_bytes", "bytes", kept_in),
    Row("gossip.seen_time", "seconds", lambda s: is_not_judged(Outcome.DUPLICATE, s), -A_BIT, 0),
    Row("gossip.early_time", "seconds", lambda s: is_not_judged(Outcome.TOO_EARLY, s), -A_BIT, 0),
    Row("gossip.seen_count", "seen", lambda n: remembers(Bed().router._seen, n)),
    Row("gossip.seen_count", "early", lambda n: remembers(Bed().router._early, n)),
    Row("gossip.bad_count", "invalid", lambda n: remembers(Bed().router._bad, n)),
    Row("gossip.control_per_beat", "RPCs", controls),
    Row("gossip.ihave_per_beat", "read", lambda n: ihaves(n).asked() != {}),
    Row("gossip.ihave_burst", "forgiven", lambda n: not has_misbehaved(ihaves(n))),
    Row("gossip.iwant_per_beat", "IDs", iwants),
    Row("gossip.surplus_per_beat", "fields", surplus),
    Row("gossip.offer_per_beat", "IDs", offers),
    Row("gossip.ask_per_rpc", "IDs", asks_at_once),
    Row("gossip.ask_per_beat", "IDs", asks_in_a_beat),
    Row("gossip.pending_asks", "IDs", asks_in_all),
    Row("gossip.ask_again", "seconds", asks_another, outside=-A_BIT),
    Row("gossip.promise", "seconds", keeps_promise, -A_BIT, 0),
    Row("gossip.serve_hourly", "IDs", serves_in_an_hour),
    Row("gossip.serve_times", "one post", serves_times),
    Row("gossip.serve_remembered", "posts", remembers_what_it_served),
    Row("gossip.remembered", "who left", remembers_who_left),
]
