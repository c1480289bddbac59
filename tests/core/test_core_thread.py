"""Reading order: the same for everyone, parents first, whatever arrives when."""

import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core.thread import heads, reading_order


@dataclass(frozen=True)
class Node:
    id: bytes
    hour: int = 0
    parents: tuple[bytes, ...] = ()


def n(number: int, hour: int = 0, *parents: int) -> Node:
    return Node(bytes([number]), hour, tuple(bytes([p]) for p in parents))


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Any graph, with cycles, missing parents and posts that name themselves."""
    numbers = draw(st.lists(st.integers(0, 40), unique=True, max_size=25))
    parents = st.lists(st.integers(0, 45), max_size=4, unique=True)
    return [n(number, draw(st.integers(0, 5)), *draw(parents)) for number in numbers]


@given(graphs(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(graph: list[Node], rng: random.Random) -> None:
    expected = reading_order(graph)
    shuffled = graph * 2
    rng.shuffle(shuffled)
    assert reading_order(shuffled) == expected
    assert sorted(p.post.id for p in expected) == sorted(node.id for node in graph)


@given(graphs())
def test_missing_parents_are_named(graph: list[Node]) -> None:
    here = {node.id for node in graph}
    for placed in reading_order(graph):
        assert set(placed.missing) == set(placed.post.parents) - here


@st.composite
def dags(draw: st.DrawFn) -> list[Node]:
    size = draw(st.integers(0, 30))
    return [
        n(
            i,
            draw(st.integers(0, 3)),
            *draw(st.lists(st.integers(0, i - 1), max_size=4, unique=True)) if i else (),
        )
        for i in range(size)
    ]


@given(dags())
def test_parents_come_first_and_replies_below_their_last_shown_parent(graph: list[Node]) -> None:
    placed = reading_order(graph)
    position = {p.post.id: i for i, p in enumerate(placed)}
    for i, p in enumerate(placed):
        assert all(position[parent] < i for parent in p.post.parents)
        if p.post.parents:
            last = max(p.post.parents, key=lambda parent: position[parent])
            assert p.depth == placed[position[last]].depth + 1


def test_replies_are_read_as_a_tree() -> None:
    order = reading_order([n(1), n(2, 1, 1), n(3, 2, 1), n(4, 3, 2), n(5, 4, 3, 4)])
    assert [(p.post.id[0], p.depth) for p in order] == [(1, 0), (2, 1), (4, 2), (3, 1), (5, 2)]


def test_a_cycle_is_cut_at_its_earliest_post() -> None:
    order = reading_order([n(1, 5, 2), n(2, 4, 1)])
    assert [p.post.id[0] for p in order] == [2, 1]


def test_a_deep_thread_needs_no_recursion() -> None:
    deep = [Node(i.to_bytes(4, "big"), 0, ((i - 1).to_bytes(4, "big"),) if i else ()) for i in range(10_000)]
    order = reading_order(reversed(deep))
    assert [p.depth for p in order] == list(range(10_000))


def test_a_large_random_graph_reads_the_same_in_any_order() -> None:
    rng = random.Random(7)
    graph = [
        Node(
            rng.randbytes(8),
            rng.randrange(50),
        )
    ]
    for _ in range(3_000):
        parents = tuple(node.id for node in rng.sample(graph, min(len(graph), rng.randint(1, 4))))
        graph.append(Node(rng.randbytes(8), rng.randrange(50), parents))
    expected = [p.post.id for p in reading_order(graph)]
    for _ in range(5):
        rng.shuffle(graph)
        assert [p.post.id for p in reading_order(graph)] == expected


def test_heads_are_the_posts_nobody_answered() -> None:
    assert heads([n(1), n(2, 0, 1), n(3, 0, 1)]) == [bytes([2]), bytes([3])]
    assert heads([]) == []
