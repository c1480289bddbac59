"""Who gets a post, when it is fluffed, and what is refused."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from stem_bench import DIFFUSING, HOUR, RELAYING, Bench, fluffs, passes

from p2pforum.core.bounded import TokenBucket
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import RelayPost


def test_own_posts_go_to_the_guard_whatever_the_epoch_and_the_role() -> None:
    for params in (RELAYING, DIFFUSING):
        bench = Bench(params=params)
        for n in range(30):
            bench.own(n)
            sent = passes(bench.run(700))
            assert {p.peer for p in sent} == {bench.guard}
            bench.router.on_public([n.to_bytes(32, "big")])


def test_without_pins_the_first_hops_differ() -> None:
    """The control: guards drawn anew show what the test above would see."""
    bench = Bench(params=RELAYING)
    seen = set()
    for n in range(30):
        bench.router.guards.kept.clear()
        bench.router.maintain_guards(HOUR, bench.now)
        bench.own(n)
        seen |= {p.peer for p in passes(bench.run(50))}
    assert len(seen) > 4


def test_posts_of_one_peer_take_one_way_and_all_peers_two() -> None:
    bench = Bench(params=dataclasses.replace(RELAYING, epoch=1e9), inbound=6)
    ways: dict[str, set[str]] = {}
    for n in range(24):
        peer = bench.into[n % 6]
        bench.bring(peer, n)
        ways.setdefault(peer, set()).update(p.peer for p in passes(bench.run(10)))
    assert all(len(way) == 1 for way in ways.values())
    loads = [sum(relay in way for way in ways.values()) for relay in set.union(*ways.values())]
    assert loads == [3, 3], "two relays, equally loaded"
    assert set.union(*ways.values()) <= set(bench.out), "never one that dialled us"


def test_another_epoch_another_graph() -> None:
    bench = Bench(params=RELAYING, outbound=30)
    seen = set()
    for n in range(12):
        bench.bring("in0", n)
        seen |= {p.peer for p in passes(bench.run(60))}
        bench.run(631 - 60)
    assert len(seen) > 5


def test_one_in_five_epochs_is_spent_as_a_diffuser() -> None:
    diffusing = 0
    for seed in range(400):
        bench = Bench(seed=seed)
        bench.bring("in0", 1)
        effects = bench.run(20)
        assert bool(fluffs(effects)) != bool(passes(effects))
        diffusing += bool(fluffs(effects))
    assert 50 < diffusing < 110  # 80 expected, standard deviation 8


def test_a_diffuser_fluffs_within_two_seconds_and_once() -> None:
    bench = Bench(params=DIFFUSING)
    for n in range(50):
        bench.bring("in0", n)
        bench.bring("in1", n)
        assert len(fluffs(bench.run(2))) == 1
    assert not bench.run(5_000)


def test_a_second_arrival_is_a_duplicate_from_the_same_peer_and_goes_on_from_another() -> None:
    bench = Bench(params=RELAYING)
    for _ in range(3):
        bench.bring("in0", 1)
    assert len(passes(bench.run(20))) == 1
    bench.bring("in1", 1)
    assert len(passes(bench.run(20))) == 1
    bench.bring("in1", 1)
    assert not bench.run(20)


def test_an_own_post_that_loops_back_goes_on_and_not_to_the_guard_again() -> None:
    bench = Bench(params=RELAYING)
    raw = bench.own(1)
    (first,) = passes(bench.run(20))
    bench.router.on_post("in2", first.post_id, raw, bench.now)
    (second,) = passes(bench.run(20))
    assert (first.edge, second.edge) == ("", "in2")


def test_never_back_to_where_it_came_from() -> None:
    bench = Bench(params=RELAYING, outbound=2)
    for n in range(10):
        bench.bring("out0", n)
        assert {p.peer for p in passes(bench.run(20))} == {"out1"}
    alone = Bench(params=RELAYING, outbound=1)
    alone.bring("out0", 1)
    assert len(fluffs(alone.run(20))) == 1, "no other relay: it ends here"


def test_relays_and_guards_share_no_group() -> None:
    for seed in range(50):
        bench = Bench(seed=seed, params=RELAYING, outbound=0)
        for n in range(8):
            bench.add(f"sybil{n}", group="192.0.0.0/16")
        bench.add("honest", group="198.51.0.0/16")
        bench.now += 10
        bench.router.maintain_guards(HOUR, bench.now)
        guards = bench.router.guards
        assert all(sum(peer.startswith("sybil") for peer in guards.of(slot)) == 1 for slot in range(16))
        for n, peer in enumerate(bench.into):
            bench.bring(peer, n)
        used = {p.peer for p in passes(bench.run(20))}
        assert "honest" in used
        assert len(used) == 2


def test_embargo_at_least_sixty_seconds_then_a_chance_that_differs() -> None:
    waits = []
    for seed in range(300):
        bench = Bench(seed=seed, params=RELAYING)
        bench.bring("in0", 1)
        start = bench.now
        assert len(fluffs(bench.run(2_000))) == 1
        waits.append(bench.done[-1][0] - start)
    assert min(waits) >= 60
    assert 150 < sum(waits) / len(waits) < 210
    assert len({round(wait) for wait in waits}) > 100, "a constant would make all holders fire at once"


def test_what_is_heard_back_is_not_fluffed() -> None:
    bench = Bench(params=RELAYING)
    bench.own(1)
    bench.bring("in0", 2)
    bench.run(30)
    bench.router.on_public(bench.router.ids())
    assert not bench.run(5_000)
    assert bench.router.own == bench.router.relayed == 0


def test_a_peer_that_takes_nothing_is_passed_by_once() -> None:
    bench = Bench(params=RELAYING)
    bench.own(1)
    (first,) = passes(bench.run(20))
    bench.router.on_failure(first, bench.now)
    (second,) = passes(bench.run(5))
    assert bench.router.guards.of(bench.router.guards.slot_of(b"")) == [first.peer, second.peer], "stand-in"
    bench.router.on_failure(second, bench.now)
    assert not passes(bench.run(50))
    assert len(fluffs(bench.run(2_000))) == 1, "the embargo"

    bench.bring("in0", 2)
    (first,) = passes(bench.run(20))
    bench.router.on_failure(first, bench.now)
    (second,) = passes(bench.run(5))
    assert second.peer != first.peer
    assert second.is_retry


def test_only_who_took_a_frame_is_relay_or_guard_and_is_asked_again_later() -> None:
    bench = Bench(params=RELAYING, outbound=0)
    bench.router.add_peer("silent", bench.now, outbound=True)
    bench.add("speaks")
    bench.run(10)
    assert sorted(bench.probed) == ["silent", "speaks"]
    bench.router.on_silence("silent", bench.now)
    bench.router.maintain_guards(HOUR, bench.now)
    assert {guard.peer for guard in bench.router.guards.kept} == {"speaks"}
    for n, peer in enumerate(bench.into):
        bench.bring(peer, n)
    assert {p.peer for p in passes(bench.run(50))} == {"speaks"}
    bench.run(600)
    assert bench.probed[2:] == ["silent"]
    bench.router.on_answer("silent")
    bench.router.maintain_guards(HOUR, bench.now)
    assert bench.router.guards.of(0) == ["speaks", "silent"]


def test_without_any_guard_own_posts_wait_for_the_embargo() -> None:
    bench = Bench(outbound=0)
    bench.own(1)
    assert not bench.run(60)
    assert len(fluffs(bench.run(2_000))) == 1


def test_a_guard_that_comes_in_time_is_used() -> None:
    bench = Bench(outbound=0)
    bench.own(1)
    bench.run(20)
    bench.add("late")
    bench.router.maintain_guards(HOUR, bench.now)
    assert not bench.router.guards.kept, "not the very first that comes"
    bench.run(10)
    bench.router.maintain_guards(HOUR, bench.now)
    assert [p.peer for p in passes(bench.run(10))] == ["late"]


def test_many_own_posts_are_paced_and_not_fluffed_meanwhile() -> None:
    bench = Bench()
    for n in range(200):
        bench.own(n)
    effects = bench.run(600)
    sent = passes(effects)
    assert 18 + 80 < len(sent) <= 18 + 90
    waiting = {n.to_bytes(32, "big") for n in range(200)} - {p.post_id for p in sent}
    assert not waiting & {f.post_id for f in fluffs(effects)}
    accepted = TokenBucket(10 / 60, 20, 1_000.0)
    taken = [accepted.take_one(at) for at, e in bench.done if isinstance(e, RelayPost)]
    assert not any(taken), "the guard drops none of them as too many"


def test_a_peer_may_send_ten_frames_a_minute_and_twenty_at_once() -> None:
    bench = Bench()
    assert sum(bench.router.may_send("in0", bench.now) for _ in range(100)) == 20
    assert bench.router.may_send("in1", bench.now)
    bench.run(60)
    assert sum(bench.router.may_send("in0", bench.now) for _ in range(100)) == 10
    assert not bench.router.may_send("stranger", bench.now)


@given(
    st.lists(st.tuples(st.sampled_from(["own", "bring", "public", "gone", "fail", "run"]), st.integers(0, 9)))
)
def test_every_post_is_passed_on_or_fluffed_or_public_and_fluffed_once(todo: list[tuple[str, int]]) -> None:
    bench = Bench(params=StemParams(pool_posts=5), inbound=10, outbound=4)
    public: set[bytes] = set()
    for action, n in todo:
        name = n.to_bytes(32, "big")
        if action == "own" and name not in public:
            bench.router.originate(name, b"own", bench.now)
        elif action == "bring" and name not in public:
            bench.bring(f"in{n * 7 % 10}", n)
        elif action == "public":
            bench.router.on_public([name])
            public.add(name)
        elif action == "gone":
            bench.router.remove_peer(f"out{n % 4}")
        elif action == "fail" and (sent := passes([effect for _, effect in bench.done])):
            bench.router.on_failure(sent[-1], bench.now)
        else:
            bench.run(n * 5)
        ended = [f.post_id for f in fluffs([effect for _, effect in bench.done])]
        public.update(ended)
        assert not public & set(bench.router.ids())
    before = set(bench.router.ids())
    ended = [f.post_id for f in fluffs(bench.run(50_000))]
    assert set(ended) == before
    assert len(ended) == len(before)


def test_the_params_are_those_of_the_design() -> None:
    p = StemParams()
    assert (p.diffuser, p.relays, p.epoch, p.epoch_jitter) == (0.2, 2, 600, 30)
    assert (p.embargo, p.embargo_mean, p.pool_posts, p.pool_bytes) == (60, 120, 256, 2**20)
