"""Each number of stem/params.py that bounds something: what `n` of it does."""

from random import Random

from bounds import Row
from stem_bench import DIFFUSING, HOUR, RELAYING, fluffs, passes

from p2pforum.stem.guards import Guard, Guards
from p2pforum.stem.params import GuardParams, StemParams
from p2pforum.stem.pool import OWN, Pool, StemPost
from p2pforum.stem.relays import Relays
from p2pforum.stem.router import StemRouter

P, G = StemParams(), GuardParams()
A_BIT = 0.01
LATER = HOUR + 48  # the first day of a new node is over
NAME = bytes(32)


class Least(Random):
    """All that is drawn is the least that can be."""

    def random(self) -> float:
        return 0.0

    def randrange(self, *_: int) -> int:
        return 0


class Most(Least):
    """All that is drawn is the most that can be, nearly."""

    def random(self) -> float:
        return 1.0 - 1e-9

    def randrange(self, start: int, *_: int) -> int:
        return start - 1


def relays(n: int) -> bool:
    """So many different ones in one epoch."""
    drawn = Relays(RELAYING, Random(1), 0.0)
    candidates = {f"out{i}": "" for i in range(9)}
    return len({drawn.route(f"in{i}", candidates) for i in range(50)}) >= n


def begins_anew(rng: Random, seconds: float) -> bool:
    epochs = Relays(RELAYING, rng, 0.0)
    epochs._begin(0.0)
    ends = epochs.ends
    epochs.turn(seconds)
    return epochs.ends > ends


def a_router(rng: Random, params: StemParams = RELAYING) -> StemRouter:
    return StemRouter(rng, Guards(), 0.0, params)


def embargo_fires(seconds: float) -> bool:
    router = a_router(Least())
    router.originate(NAME, b"raw", 0.0)
    return fluffs(router.tick(seconds)) != []


def waits_before_its_end(seconds: float) -> bool:
    router = a_router(Most(), DIFFUSING)
    router.add_peer("in", 0.0, outbound=False)
    router.on_post("in", NAME, b"raw", 0.0)
    return fluffs(router.tick(seconds)) == []


def frames(n: int, *, seconds: float = 0.0, spent: int = 0) -> bool:
    """Sent at once by a peer that sent `spent` so long before."""
    router = a_router(Random(1))
    router.add_peer("a", 0.0, outbound=False, group="g")
    for _ in range(spent):
        router.may_send("a", 0.0)
    return all(router.may_send("a", seconds) for _ in range(int(n)))


def newcomers(n: int) -> bool:
    """The last one of a group may send as much at once as the first."""
    router = a_router(Random(1))
    for i in range(int(n)):
        router.add_peer(f"{i}", 0.0, outbound=False, group="g")
    return router.may_send(f"{int(n) - 1}", 0.0)


def remembered(n: int) -> bool:
    router = a_router(Random(1))
    for i in range(n):
        router.add_peer(f"{i}", 0.0, outbound=False, group=f"{i}")
        while not i and router.may_send("0", 0.0):
            pass
        router.remove_peer(f"{i}")
    router.add_peer("0", 0.0, outbound=False, group="0")
    return not router.may_send("0", 0.0)


def own_share(part: float) -> bool:
    """Of what a peer may send, so much is sent to one at once."""
    router = a_router(Random(1))
    router.add_peer("a", 0.0, outbound=True)
    return router.contacts["a"].onward.left(0.0) >= part * P.frames_burst


def pool_of(posts: int, size: int, holder: str) -> tuple[Pool, bool]:
    """A pool with so many, and whether it had room for the last one."""
    pool = Pool(P)
    has_room = True
    for n in range(posts):
        has_room = pool.has_room(size)
        pool.add(StemPost(n.to_bytes(32, "big"), bytes(size), own=holder == OWN, holder=holder))
    return pool, has_room


def others(posts: int, size: int) -> bool:
    return pool_of(posts, size, "a")[0].crowd_out() == []


def own(posts: int, size: int) -> bool:
    return pool_of(posts, size, OWN)[1]


def settles(seconds: float) -> bool:
    router = a_router(Random(1))
    router.add_peer("a", 0.0, outbound=True)
    router.on_answer("a")
    router.maintain_guards(HOUR, seconds)
    return router.guards.kept != []


def looks_for_a_guard(seconds: float) -> bool:
    """So long after it had none."""
    router = a_router(Least())
    router.originate(NAME, b"raw", 0.0)
    router.tick(0.0)
    router.add_peer("a", 0.0, outbound=True)
    router.on_answer("a")
    router.fill_guards(HOUR)
    return passes(router.tick(seconds)) != []


def is_asked_again(seconds: float) -> bool:
    """So long after it took no frame."""
    router = a_router(Least())
    router.add_peer("a", 0.0, outbound=True)
    router.tick(0.0)
    router.on_silence("a", 0.0)
    return router.tick(seconds) != []


# -- guards ------------------------------------------------------------------------------------------------


def reads_slot(slot: int) -> bool:
    text = Guards(kept=[Guard(slot, "a", "", "", HOUR, is_first=True)]).encode()
    try:
        return Guards.decode(text).kept != []
    except ValueError:
        return False


def lasts(rng: Random, *, hour: int = LATER, is_scarce: bool = False) -> int:
    """Hours that a guard is kept for, of a node that is here since HOUR."""
    guards = Guards(since=HOUR)
    guards.adopt(0, "a", ("", ""), hour, rng, is_scarce=is_scarce)
    return guards.kept[0].until - hour


def in_slot(count: int) -> Guards:
    guards = Guards(since=HOUR)
    for n in range(count):
        guards.adopt(0, f"p{n}", ("", ""), LATER, Least())
    return guards


def lacks(guards: Guards, *there: str) -> bool:
    return guards.lacking(LATER, 1.0, there) == 0


def absent(hours: int) -> Guards:
    guards = in_slot(1)
    for hour in range(HOUR, HOUR + hours + 1):
        guards.use(0, 0.0)
        guards.maintain(hour, 0.0, ["other"])
    return guards


def is_cut_off(count: int) -> bool:
    """Another is drawn, as none of so many is there."""
    guards = in_slot(count)
    guards.use(0, 1.0)
    return lacks(guards)


def is_used(seconds: float) -> bool:
    guards = Guards()
    guards.use(3, 0.0)
    return guards.wanted(seconds) == [3]


ROWS = [
    Row("stem.relays", "an epoch", relays),
    Row("stem.epoch", "the least", lambda s: begins_anew(Least(), s), outside=-A_BIT),
    Row("stem.epoch_jitter", "the most", lambda s: not begins_anew(Most(), P.epoch + s), -A_BIT, A_BIT),
    Row("stem.fluff_delay", "the most", waits_before_its_end, -A_BIT, A_BIT),
    Row("stem.embargo", "the least", embargo_fires, outside=-A_BIT),
    Row("stem.frames_per_minute", "frames", lambda n: frames(n, seconds=60.0, spent=int(P.frames_burst))),
    Row("stem.frames_burst", "frames", frames),
    Row("stem.frames_newcomers", "peers", newcomers),
    Row("stem.frames_remembered", "peers", remembered),
    Row("stem.own_share", "a part", own_share, outside=A_BIT),
    Row("stem.pool_posts", "others'", lambda n: others(n, 1)),
    Row("stem.pool_posts", "own", lambda n: own(n, 1)),
    Row("stem.pool_bytes", "others'", lambda n: others(1, n)),
    Row("stem.pool_bytes", "own", lambda n: own(1, n)),
    Row("stem.settle", "seconds", settles, outside=-A_BIT),
    Row("stem.patience", "seconds", looks_for_a_guard, outside=-A_BIT),
    Row("stem.fault", "seconds", is_asked_again, outside=-A_BIT),
    Row("stem.slots", "a file", reads_slot, -1, 0),
    Row("stem.least_hours", "drawn", lambda h: lasts(Least()) >= h),
    Row("stem.most_hours", "drawn", lambda h: lasts(Most()) >= h),
    Row("stem.first_hours", "old", lambda h: lasts(Least(), hour=HOUR + h) == G.scarce_least, -1, 0),
    Row("stem.scarce_least", "drawn", lambda h: lasts(Least(), is_scarce=True) >= h),
    Row("stem.scarce_most", "drawn", lambda h: lasts(Most(), is_scarce=True) >= h),
    Row("stem.absent_hours", "in use", lambda h: absent(h).kept != [], -1, 0),
    Row("stem.wanted", "guards", lambda n: not lacks(in_slot(n)), outside=-1),
    Row("stem.most", "guards", lambda n: not is_cut_off(n), outside=-1),
    Row("stem.linger", "seconds", is_used, -A_BIT, 0),
]
