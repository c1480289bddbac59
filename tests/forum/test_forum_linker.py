"""A linker that learns: may it tell, from all public fields but the text, whether two posts have one author?

Logistic regression over what two posts of different threads have in common, trained on half of the threads
and judged on the other half by AUC: 0.5 is guessing, 1 is knowing. (Runs differ by 0.01 or so.)
"""

import itertools
import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from forum_world import STAMPED, Person, Shelf, a_person
from keystore_samples import some_key
from strategies import HOUR

from p2pforum.core.post import Post

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_disk")]

THREADS = 100  # of each of two people
PAIRS = 2000  # of each kind, to learn from and to be judged by
BOARDS = ("library", "garden", "node-ops")


Example = tuple[list[float], int]


def discuss(person: Person, rng: random.Random, key: str | None) -> list[list[Post]]:
    threads = []
    for _ in range(THREADS):
        person.hour = HOUR + rng.randrange(48)
        board = rng.choice(BOARDS)
        first = person.publisher.new_thread(board, "a subject", "a text", key=key).post
        threads.append([first, person.publisher.reply(first.id, "a text", key=key).post])
    return threads


def common(one: Post, other: Post) -> list[float]:
    """What can be seen of two posts together."""
    a, b = one.payload, other.payload
    nonces = [int.from_bytes(p.stamp.nonce, "big") / 2**64 for p in (a, b)]
    return [
        1.0,
        equal_bits(one.author, other.author),
        float(one.author == other.author),
        equal_bits(one.raw[-64:], other.raw[-64:]),
        equal_bits(one.id, other.id),
        abs(nonces[0] - nonces[1]),
        equal_bits(a.stamp.nonce, b.stamp.nonce),
        float(a.stamp.bits == b.stamp.bits),
        float(a.board == b.board),
        abs(a.hour - b.hour) / 48,
        float(a.kind == b.kind),
        abs(len(a.parents) - len(b.parents)),
    ]


def equal_bits(one: bytes, other: bytes) -> float:
    """As a share, and spread: chance alone gives 0 with a deviation of about 1."""
    size = 8 * len(one)
    different = (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
    return (size / 2 - different) / math.sqrt(size / 4)


def pairs(
    mine: Sequence[list[Post]], theirs: Sequence[list[Post]], rng: random.Random
) -> list[tuple[list[float], int]]:
    """Posts of different threads: both of one person (1), or of two (0)."""
    found = []
    for _ in range(PAIRS):
        same = rng.choice((mine, theirs))
        one, other = rng.sample(same, 2)
        found.append((common(rng.choice(one), rng.choice(other)), 1))
        found.append((common(rng.choice(rng.choice(mine)), rng.choice(rng.choice(theirs))), 0))
    return found


def learn(examples: list[Example], rng: random.Random) -> list[float]:
    weights = [0.0] * len(examples[0][0])
    for step in range(2):
        for features, label in rng.sample(examples, len(examples)):
            error = label - sigmoid(dot(weights, features))
            rate = 0.02 / (1 + step)
            weights = [w + rate * error * f for w, f in zip(weights, features, strict=True)]
    return weights


def dot(weights: list[float], features: list[float]) -> float:
    return sum(w * f for w, f in zip(weights, features, strict=True))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, x))))


def auc(scored: list[tuple[float, int]]) -> float:
    """The chance that a pair of one person scores above a pair of two; ties count half."""
    ranks: dict[float, tuple[float, int]] = {}
    ordered = sorted(scored)
    start = 0.0
    for score, group in itertools.groupby(ordered, key=lambda pair: pair[0]):
        size = len(list(group))
        ranks[score] = (start + (size + 1) / 2, size)
        start += size
    positive = [score for score, label in scored if label]
    negatives = len(scored) - len(positive)
    total = sum(ranks[score][0] for score in positive)
    return (total - len(positive) * (len(positive) + 1) / 2) / (len(positive) * negatives)


def linkability(tmp_path: Path, key: str | None, seed: int = 5) -> float:
    rng = random.Random(seed)
    people = []
    for n in range(2):
        person = a_person(tmp_path / str(n), Shelf(STAMPED))
        named = some_key(40 + n, name="all")
        with person.keystore.transaction() as box:
            box.keys[named.public] = named
        people.append(discuss(person, rng, key))
    half = THREADS // 2
    weights = learn(pairs(people[0][:half], people[1][:half], rng), rng)
    judged = pairs(people[0][half:], people[1][half:], rng)
    return auc([(dot(weights, features), label) for features, label in judged])


def test_a_linker_can_only_guess(tmp_path: Path) -> None:
    assert linkability(tmp_path, None) <= 0.55


def test_control_with_one_key_for_all_it_knows(tmp_path: Path) -> None:
    assert linkability(tmp_path, "all") >= 0.95
