"""Two sides that only exchange messages learn exactly how their sets differ, whatever their policies."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_items import Key, ListItems, a_key_at, result_of, two_sets

from p2pforum.sync.reconcile import STOCK, TUNED, Policy, Reconciler

POLICIES = {
    "tuned": TUNED,
    "small chunks": replace(TUNED, limit=600),
    "no jitter": replace(TUNED, jitter=False),
    "no tail": replace(TUNED, tail=False),
    "not quiet": replace(TUNED, quiet=False),
    "wide": replace(TUNED, first=4096),
    "binary": replace(TUNED, buckets=2, leaf=2, first=2),
    "stock, chunked": replace(STOCK, chunked=True, limit=1000),
    "stock": replace(STOCK, chunked=True, limit=0),
}


class Meeting:
    """An initiator and a responder that answer each other until nothing is left to say."""

    def __init__(self, ours: set[Key], theirs: set[Key], policies: tuple[Policy, Policy], seed: int) -> None:
        self.items = ListItems(ours), ListItems(theirs)
        rng = random.Random(seed)
        self.initiator = Reconciler(self.items[0], policies[0], rng, initiator=True)
        self.responder = Reconciler(self.items[1], policies[1], rng, initiator=False)
        self.messages: list[bytes] = []
        self.rounds = 0

    def run(self) -> None:
        waiting = self._emit(self.initiator, self.initiator.opening())
        while waiting:
            self.rounds += 1
            assert self.rounds < 40, "no end"
            replies = [r for message in waiting for r in self._answer(self.responder, message)]
            waiting = [m for reply in replies for m in self._answer(self.initiator, reply)]

    def _answer(self, side: Reconciler, message: bytes) -> list[bytes]:
        return self._emit(side, result_of(side.examine(message)))

    def _emit(self, side: Reconciler, spans: list) -> list[bytes]:
        sent = [m for m in side.emit(spans) if m]
        self.messages += sent
        return sent

    def have(self) -> Counter[Key]:
        return Counter(key for lo, hi in self.initiator.have for key in self.items[0].keys(lo, hi))

    def need(self) -> Counter[bytes]:
        return Counter(self.initiator.need)


def check(ours: set[Key], theirs: set[Key], policies: tuple[Policy, Policy], seed: int = 1) -> Meeting:
    meeting = Meeting(ours, theirs, policies, seed)
    meeting.run()
    assert meeting.have() == Counter(ours - theirs)
    assert meeting.need() == Counter(id_ for _, id_ in theirs - ours)
    return meeting


keys = st.builds(a_key_at, st.integers(0, 400), st.integers(0, 3))
one_hour = st.builds(a_key_at, st.integers(0, 400), st.just(7))
key_sets = st.sets(keys, max_size=300) | st.sets(one_hour, max_size=300)


@given(
    key_sets, key_sets, st.sampled_from(list(POLICIES)), st.sampled_from(list(POLICIES)), st.integers(0, 9)
)
def test_any_two_sets_under_any_two_policies(
    ours: set[Key], theirs: set[Key], mine: str, other: str, seed: int
) -> None:
    check(ours, theirs, (POLICIES[mine], POLICIES[other]), seed)


@pytest.mark.parametrize("initiator", POLICIES)
@pytest.mark.parametrize("responder", ["tuned", "small chunks", "stock, chunked"])
def test_larger_sets(initiator: str, responder: str) -> None:
    rng = random.Random(f"{initiator} {responder}")
    for common, left, right, hours in [
        (3000, 0, 0, 500),
        (3000, 40, 40, 500),
        (2000, 700, 0, 1),
        (0, 900, 900, 50),
        (0, 0, 3000, 50),
        (0, 3000, 0, 50),
    ]:
        ours, theirs = two_sets(rng, common, left, right, hours)
        check(ours, theirs, (POLICIES[initiator], POLICIES[responder]))


def test_every_message_of_a_chunked_policy_is_within_its_limit() -> None:
    ours, theirs = two_sets(random.Random(5), 3000, 500, 500, 300)
    meeting = check(ours, theirs, (POLICIES["small chunks"], POLICIES["small chunks"]))
    assert max(map(len, meeting.messages)) <= 600
    meeting = check(set(), theirs, (POLICIES["small chunks"], replace(TUNED, limit=4200)))
    assert max(map(len, meeting.messages)) <= 4200


def test_the_tuned_policy_needs_half_the_bytes_and_chunks_cost_no_round_trip() -> None:
    ours, theirs = two_sets(random.Random(8), 100_000, 500, 500, 1000)
    stock = check(ours, theirs, (POLICIES["stock"], POLICIES["stock"]))
    tuned = check(ours, theirs, (TUNED, TUNED))
    small = check(ours, theirs, (replace(TUNED, limit=4096), replace(TUNED, limit=4096)))
    size = [sum(map(len, m.messages)) for m in (stock, tuned, small)]
    assert size[1] < 0.6 * size[0]
    assert size[2] < 1.02 * size[1]
    assert small.rounds == tuned.rounds <= stock.rounds + 1


def test_a_question_for_everything_costs_memory_for_one_message() -> None:
    items = ListItems(a_key_at(n, n // 100) for n in range(50_000))
    responder = Reconciler(items, TUNED, random.Random(1), initiator=False)
    spans = result_of(responder.examine(bytes.fromhex("6100000200")))
    asked: list[tuple[int, int]] = []
    real = items.ids
    items.ids = lambda lo, hi: (asked.append((lo, hi)), real(lo, hi))[1]  # type: ignore[method-assign]
    answers = (m for m in responder.emit(spans) if m)
    assert len(next(answers)) <= TUNED.limit
    assert max(hi for _, hi in asked) < 1200  # of 50,000: no more than fit, and one range that did not
    assert sum(len(m) for m in answers) > 49_000 * 32


def test_no_pause_is_long() -> None:
    """However long a message makes us work, the caller gets to pause at every few hundred items."""
    items = ListItems(a_key_at(n, n // 100) for n in range(20_000))
    initiator = Reconciler(items, TUNED, random.Random(1), initiator=True)
    one_false_id = bytes.fromhex("6100000201") + bytes(32)
    assert sum(1 for _ in initiator.examine(one_false_id)) >= 20_000 // 256
    assert initiator.have == [(0, 20_000)]


def test_sets_made_up_to_look_equal_are_told_apart_by_random_cuts() -> None:
    """The sum fingerprint can be forged; here by hand, as if 2^33 hashes had been spent on it."""
    common = {a_key_at(n, n // 10) for n in range(4000)}
    ours, theirs = set(common), set(common)
    for hour in range(100, 300):
        a, b = (int.from_bytes(a_key_at(10_000 + hour * 2 + i, hour)[1], "little") for i in (0, 1))
        ours |= {(hour, a.to_bytes(32, "little")), (hour, b.to_bytes(32, "little"))}
        theirs |= {
            (hour, (a ^ 1).to_bytes(32, "little")),
            (hour, (b - 1 + 2 * (a & 1)).to_bytes(32, "little")),
        }
    assert len(ours - theirs) == 400
    fooled = Meeting(ours, theirs, (replace(TUNED, buckets=1, leaf=10_000, first=1),) * 2, 1)
    fooled.run()
    assert not fooled.have()  # negative control: one fingerprint over all, and nobody learns anything
    audit = replace(TUNED, first=4096)
    learnt = Meeting(ours, theirs, (audit, TUNED), 1)
    learnt.run()
    assert len(learnt.have()) > 100
