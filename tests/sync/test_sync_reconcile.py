"""Two sides that only exchange messages learn exactly how their sets differ, whatever their policies."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b, sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_items import Key, ListItems, a_key_at, naive_cells, result_of, two_sets
from stock import STOCK, TOY, sum_fingerprint, toy_sum

from p2pforum.sync.fingerprint import Fingerprint
from p2pforum.sync.reconcile import TUNED, Items, Policy, Reconciler
from p2pforum.sync.wire.negentropy import decode

POLICIES = {
    "tuned": TUNED,
    "small chunks": replace(TUNED, limit=600),
    "no tail": replace(TUNED, tail=False),
    "not quiet": replace(TUNED, quiet=False),
    "wide": replace(TUNED, first=4096),
    "binary": replace(TUNED, buckets=2, leaf=2, first=2),
    "stock, chunked": replace(STOCK, limit=1000),
    "stock": STOCK,
}
OURS = Fingerprint(bytes(32))


class Meeting:
    """An initiator and a responder that answer each other until nothing is left to say."""

    def __init__(
        self,
        ours: set[Key],
        theirs: set[Key],
        policies: tuple[Policy, Policy] = (TUNED, TUNED),
        fingerprint: Callable[[Items, int, int], bytes] = OURS,
    ) -> None:
        self.items = ListItems(ours), ListItems(theirs)
        self.initiator = Reconciler(self.items[0], policies[0], fingerprint, initiator=True)
        self.responder = Reconciler(self.items[1], policies[1], fingerprint, initiator=False)
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


def check(ours: set[Key], theirs: set[Key], policies: tuple[Policy, Policy]) -> Meeting:
    meeting = Meeting(ours, theirs, policies)
    meeting.run()
    assert meeting.have() == Counter(ours - theirs)
    assert meeting.need() == Counter(id_ for _, id_ in theirs - ours)
    return meeting


keys = st.builds(a_key_at, st.integers(0, 400), st.integers(0, 3))
one_hour = st.builds(a_key_at, st.integers(0, 400), st.just(7))
key_sets = st.sets(keys, max_size=300) | st.sets(one_hour, max_size=300)


@given(key_sets, key_sets, st.sampled_from(list(POLICIES)), st.sampled_from(list(POLICIES)))
def test_any_two_sets_under_any_two_policies(ours: set[Key], theirs: set[Key], mine: str, other: str) -> None:
    check(ours, theirs, (POLICIES[mine], POLICIES[other]))


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


@pytest.mark.slow
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
    responder = Reconciler(items, TUNED, OURS, initiator=False)
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
    initiator = Reconciler(items, TUNED, OURS, initiator=True)
    one_false_id = bytes.fromhex("6100000201") + bytes(32)
    assert sum(1 for _ in initiator.examine(one_false_id)) >= 20_000 // 256
    assert initiator.have == [(0, 20_000)]


def test_a_range_that_spans_hours_is_cut_where_an_hour_begins() -> None:
    """Whole hours have digests that are known already, and bounds without a piece of an ID."""
    items = ListItems(a_key_at(n, n // 100) for n in range(20_000))
    asking = Reconciler(items, TUNED, OURS, initiator=True)
    (message,) = [m for m in asking.emit(asking.opening()) if m]
    assert [upper for upper, _, _ in decode(message) if upper[1]] == []
    one_hour = ListItems(a_key_at(n, 5) for n in range(20_000))
    asking = Reconciler(one_hour, TUNED, OURS, initiator=True)
    (message,) = [m for m in asking.emit(asking.opening()) if m]
    assert sum(bool(upper[1]) for upper, _, _ in decode(message)) == 63


# --- sets made up to look equal -----------------------------------------------------------------------------


def toy_ours(nonces: bytes) -> Callable[[Items, int, int], bytes]:
    """Ours, cut to as few bits."""
    ours = Fingerprint(nonces)

    def fingerprint(items: Items, lo: int, hi: int) -> bytes:
        return ours(items, lo, hi)[: TOY // 8].ljust(16, b"\0")

    return fingerprint


def planted() -> tuple[set[Key], set[Key]]:
    """Two sets of one hour and a narrow range of IDs, with one count and one sum of TOY bits.

    As an attacker would make them: many posts of its own, and of two disjoint pairs the same sum.
    """
    common = {a_key_at(n, n // 10) for n in range(4_000)}
    near = sorted(key for key in (a_key_at(10_000 + n, 200) for n in range(40_000)) if key[1][0] == 7)
    seen: dict[int, tuple[Key, Key]] = {}
    for one, other in combinations(near, 2):
        total = sum(int.from_bytes(id_, "little") for _, id_ in (one, other)) % 2**TOY
        before = seen.setdefault(total, (one, other))
        if not {one, other} & {*before}:
            return common | {*before}, common | {one, other}
    raise AssertionError("no equal sum was found")


def learnt(fingerprint: Callable[[Items, int, int], bytes], sets: tuple[set[Key], set[Key]]) -> int:
    meeting = Meeting(*sets, fingerprint=fingerprint)
    meeting.run()
    return len(meeting.have()) + len(meeting.need())


def test_sets_made_up_to_have_one_sum_do_not_look_equal() -> None:
    """Ours of the same toy width is another in each session."""
    sets = planted()
    assert [learnt(toy_ours(bytes([n]) * 32), sets) for n in range(20)] == [4] * 20
    assert learnt(sum_fingerprint, sets) == learnt(OURS, sets) == 4  # in all 256 bits they differ


def test_control_sums_of_a_toy_width_hide_posts_in_every_session() -> None:
    """The fingerprint of stock Negentropy, and nothing of it changes from one session to the next."""
    assert learnt(toy_sum, planted()) == 0


def test_what_collides_in_one_session_does_not_in_the_next() -> None:
    """Made up for one pair of nonces, with a toy width; nobody knows the nonces before a session."""
    ours = toy_ours(bytes(32))
    common = {a_key_at(n, n) for n in range(10)}
    seen: dict[bytes, Key] = {}
    for n in range(100_000):
        key = a_key_at(1_000 + n, 50)
        items = ListItems(common | {key})
        before = seen.setdefault(ours(items, 0, len(items)), key)
        if before is not key:
            break
    sets = common | {before}, common | {key}
    assert ours(ListItems(sets[0]), 0, 11) == ours(ListItems(sets[1]), 0, 11)
    others = [toy_ours(bytes([n]) * 32) for n in range(1, 50)]
    assert sum(other(ListItems(sets[0]), 0, 11) == other(ListItems(sets[1]), 0, 11) for other in others) == 0


def test_a_fingerprint_is_what_the_protocol_says() -> None:
    keys = sorted(a_key_at(n, n // 7) for n in range(100))
    nonces = bytes(range(32))
    expected = blake2b(naive_cells(keys[3:60]), digest_size=16, key=nonces, person=b"p2pforum/sync/fp")
    assert Fingerprint(nonces)(ListItems(keys), 3, 60) == expected.digest()
    assert naive_cells(keys[:8]) == b"".join(
        hour.to_bytes(4, "big") + sha256(b"".join(id_ for h, id_ in keys[:8] if h == hour)).digest()
        for hour in (0, 1)
    )


@given(key_sets, st.data())
def test_no_two_ranges_look_alike(keys: set[Key], data: st.DataObject) -> None:
    """Whatever is cut where: equal cells are of equal items."""
    items = ListItems(keys)
    places = st.integers(0, len(keys))
    one, other = (sorted(data.draw(st.tuples(places, places))) for _ in range(2))
    same = items.keys(*one) == items.keys(*other)
    assert (items.cells(*one) == items.cells(*other)) == same
