"""Byte for byte against nostr-tools (npm), an independent port of the JavaScript reference.

It can only initiate. So: our initiator must say what it says, and our responder must bring it to
the right end, in stock mode and tuned.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from list_items import Key, ListItems, result_of, two_sets
from malformed import STRICTER, mangled
from nostr_tools import NostrTools, open_nostr_tools
from stock import STOCK, Stock, sum_fingerprint

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.reconcile import TUNED, Policy, Reconciler
from p2pforum.sync.wire import negentropy

pytestmark = pytest.mark.slow

CASES = 800


@pytest.fixture(scope="module")
def nostr_tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NostrTools]:
    with open_nostr_tools(tmp_path_factory.mktemp("nostr-tools")) as running:
        yield running


def a_case(rng: random.Random) -> tuple[set[Key], set[Key]]:
    """Mostly small: every split rule has its edge between 0 and 600 items."""
    size = rng.choice([0, 1, 3, 20, 31, 32, 33, 60, 300, 520])
    common = rng.randrange(size + 1)
    left, right = (rng.choice([0, 0, 1, 2, 10, 40]) for _ in range(2))
    return two_sets(rng, common, left, right, rng.choice([1, 2, 30, 9600]))


def answers(side: Reconciler, message: bytes) -> list[bytes]:
    if isinstance(side, Stock):
        return [answer for answer in [side.reconcile(message)] if answer is not None]
    return [m for m in side.emit(result_of(side.examine(message))) if m]


def meet(nostr_tools: NostrTools, ours: set[Key], theirs: set[Key], policy: Policy, *, stock: bool) -> int:
    """nostr-tools initiates with `theirs`, we respond with `ours`; the number of messages."""
    responder = Stock(ListItems(ours), policy, initiator=False)
    if not stock:
        responder = Reconciler(ListItems(ours), policy, sum_fingerprint, initiator=False)
    waiting = [nostr_tools.open(theirs, (stock and policy.limit) or 2**40)]
    have: Counter[bytes] = Counter()
    need: Counter[bytes] = Counter()
    messages = 0
    while waiting:
        messages += 1
        assert messages < 400
        for reply in answers(responder, waiting.pop()):
            answer = nostr_tools.reply(reply)
            assert answer is not None
            following, more_have, more_need = answer
            waiting += [following] if following is not None else []
            have.update(more_have)
            need.update(more_need)
    assert have == Counter(id_ for _, id_ in theirs - ours)
    assert need == Counter(id_ for _, id_ in ours - theirs)
    return messages


def test_our_stock_initiator_says_byte_for_byte_what_nostr_tools_says(nostr_tools: NostrTools) -> None:
    """What it learns, too: with a limit, one ID may come twice, in both alike."""
    rng = random.Random(1)
    large = [two_sets(random.Random(seed), 2475, 2000, 25, 2500) for seed in (1, 3)]
    for ours, theirs in [*large, *(a_case(rng) for _ in range(CASES))]:
        limit, other = [rng.choice([0, 0, 4096, 5000])] * 2 if len(ours) < 2000 else (4096, 60_000)
        initiator = Stock(ListItems(ours), replace(STOCK, limit=limit), initiator=True)
        responder = Stock(ListItems(theirs), replace(STOCK, limit=other), initiator=False)
        message: bytes | None = initiator.initiate()
        assert message == nostr_tools.open(ours, limit or 2**40)
        have: list[bytes] = []
        need: list[bytes] = []
        while message is not None:
            reply = responder.reconcile(message)
            assert reply is not None
            message = initiator.reconcile(reply)
            answer = nostr_tools.reply(reply)
            assert answer is not None
            assert message == answer[0]
            have += answer[1]
            need += answer[2]
        items = ListItems(ours)
        assert [id_ for lo, hi in initiator.have for _, id_ in items.keys(lo, hi)] == have
        assert Counter(initiator.need) == Counter(need)
        assert set(need) == {id_ for _, id_ in theirs - ours}


def test_our_stock_responder_brings_nostr_tools_to_the_right_end(nostr_tools: NostrTools) -> None:
    rng = random.Random(2)
    for _ in range(CASES):
        ours, theirs = a_case(rng)
        meet(nostr_tools, ours, theirs, replace(STOCK, limit=rng.choice([0, 4096, 6000])), stock=True)


def test_our_tuned_responder_brings_nostr_tools_to_the_right_end(nostr_tools: NostrTools) -> None:
    """Policies are each side's own: chunks, tails and cuts at hours are ordinary messages to it."""
    rng = random.Random(3)
    for _ in range(CASES):
        ours, theirs = a_case(rng)
        policy = replace(TUNED, limit=rng.choice([700, 5000, TUNED.limit]))
        meet(nostr_tools, ours, theirs, policy, stock=False)


def test_larger_sets_with_nostr_tools(nostr_tools: NostrTools) -> None:
    rng = random.Random(4)
    for policy in (STOCK, TUNED, replace(STOCK, limit=4096)):
        ours, theirs = two_sets(rng, 20_000, 300, 300, 500)
        meet(nostr_tools, ours, theirs, policy, stock=policy is not TUNED)


def test_malformed_messages_get_the_verdict_that_nostr_tools_gives(nostr_tools: NostrTools) -> None:
    """What it refuses we refuse; what only we refuse breaks the specification; and on all else the
    answers are the same bytes."""
    rng = random.Random(5)
    seen: Counter[str] = Counter()
    for _ in range(CASES * 2):
        ours, theirs = a_case(rng)
        initiator = Stock(ListItems(ours), initiator=True)
        opening = initiator.initiate()
        reply = Stock(ListItems(theirs), initiator=False).reconcile(opening)
        assert reply is not None
        broken = mangled(rng, reply)
        nostr_tools.open(ours)
        if _is_wide(broken):
            continue  # beyond 31 bits JavaScript reads another number, or never ends
        theirs_says = nostr_tools.reply(broken)
        fault = ""
        following: bytes | None = None
        try:
            following = initiator.reconcile(broken)
        except RemoteProtocolError as error:
            fault = str(error)
        if fault:
            seen["refused by both" if theirs_says is None else fault] += 1
            assert theirs_says is None or fault in STRICTER
        else:
            seen["taken by both"] += 1
            assert theirs_says is not None
            assert following == theirs_says[0]
            assert Counter(initiator.need) == Counter(theirs_says[2])
    assert seen["refused by both"] > 200
    assert seen["taken by both"] > 200


def _is_wide(message: bytes) -> bool:
    """Whether some hour in it needs more than 31 bits."""
    try:
        return any(2**31 <= upper[0] < negentropy.INFINITY for upper, _, _ in negentropy.decode(message))
    except RemoteProtocolError:
        return False
