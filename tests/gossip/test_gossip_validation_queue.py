"""What waits for the door: a share for each peer that no other can fill, and nothing dropped."""

import tracemalloc
from random import Random

import pytest
from gossip_bed import T
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from p2pforum.core import limits
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.validation_queue import MOST_JUDGED, PendingMessage, ValidationQueue
from p2pforum.gossip.wire.rpc import Message


def brought(peer: str, data: bytes, *, is_again: bool = False) -> Validate:
    return Validate(peer, message_id(data), Message(T, data), is_again)


def fill(queue: ValidationQueue, peer: str, size: int = 150) -> int:
    """As much as is read of a peer: until it is full, and then one RPC more, of the worst kind."""
    count = 0
    while not queue.is_full(peer):
        queue.add(brought(peer, b"%s %d" % (peer.encode(), count) + bytes(size)))
        count += 1
    for _ in range(min(limits.MAX_RPC_MESSAGES, limits.MAX_RPC // (size + 20))):
        queue.add(brought(peer, b"%s %d" % (peer.encode(), count) + bytes(size)))
        count += 1
    return count


def test_a_queue_has_its_bound_whatever_the_size_of_posts() -> None:
    for size in (0, 150, 1_000, limits.MAX_POST - 40):
        queue = ValidationQueue()
        fill(queue, "a", size)
        assert limits.GOSSIP_WAITING < queue.cost("a") <= MOST_JUDGED


def test_a_post_is_judged_at_once_however_full_the_queues_of_all_others_are() -> None:
    queue = ValidationQueue()
    for n in range(limits.GOSSIP_BATCH - 1):
        fill(queue, f"flooder{n}")
    post = brought("honest", b"a post")
    queue.add(post)
    assert not queue.is_full("honest")
    assert post in queue.next_batch()


@pytest.mark.slow
def test_with_more_peers_than_a_batch_holds_it_is_in_the_next() -> None:
    queue = ValidationQueue()
    for n in range(limits.MAX_CONNECTIONS - 1):
        fill(queue, f"flooder{n}")
    post = brought("honest", b"a post")
    queue.add(post)
    assert post in [*queue.next_batch(), *queue.next_batch()]


def test_a_copy_at_the_end_of_a_flooder_s_queue_holds_up_nobody_else_s() -> None:
    """A flooder that gets a post first puts it behind its flood. The turn of the other counts."""
    queue = ValidationQueue()
    fill(queue, "flooder")
    queue.add(brought("flooder", b"a post"))
    queue.add(brought("honest", b"a post", is_again=True))
    count = len(queue)
    batch = queue.next_batch()
    assert [v.message_id for v in batch].count(message_id(b"a post")) == 1
    assert batch[1].peer == "honest"
    assert len(queue) == count - len(batch)


def test_who_leaves_takes_only_what_nobody_else_brought() -> None:
    queue = ValidationQueue()
    queue.add(brought("a", b"alone"))
    queue.add(brought("a", b"both"))
    queue.add(brought("b", b"both", is_again=True))
    assert queue.remove_peer("a") == [message_id(b"alone")]
    assert queue.remove_peer("a") == []
    assert [v.peer for v in queue.next_batch()] == ["b"]


def test_what_is_at_the_door_is_not_queued_again() -> None:
    queue = ValidationQueue()
    queue.add(brought("a", b"a post"))
    queue.next_batch()
    queue.add(brought("b", b"a post", is_again=True))
    assert len(queue) == queue.cost("b") == 0


def test_a_waiting_post_takes_no_more_memory_than_is_reckoned() -> None:
    """Beside its bytes: its entry here, and that in the router."""
    tracemalloc.start()
    try:
        queue, in_flight = ValidationQueue(), {}
        before, _ = tracemalloc.get_traced_memory()
        for n in range(300):
            post = brought("a", b"%150d" % n)
            in_flight[post.message_id] = PendingMessage(post.message, "a")
            queue.add(post)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert limits.GOSSIP_MESSAGE_MEMORY / 2 < (after - before) / 300 - 150 <= limits.GOSSIP_MESSAGE_MEMORY


class JudgingMachine(RuleBasedStateMachine):
    """Against a model: who brought what, in which order."""

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.rng = Random(seed)
        self.queue = ValidationQueue()
        self.queues: dict[str, list[bytes]] = {}

    @rule(peer=st.sampled_from("abcde"), number=st.integers(0, 30))
    def bring(self, peer: str, number: int) -> None:
        data = b"%d" % number
        queue = self.queues.setdefault(peer, [])
        if data not in queue:
            is_known = any(data in other for other in self.queues.values())
            self.queue.add(brought(peer, data, is_again=is_known))
            queue.append(data)

    @rule(peer=st.sampled_from("abcde"))
    def leave(self, peer: str) -> None:
        gone = self.queues.pop(peer, [])
        rest = {data for queue in self.queues.values() for data in queue}
        assert self.queue.remove_peer(peer) == [message_id(data) for data in gone if data not in rest]

    @rule()
    def judge(self) -> None:
        everything = {data for queue in self.queues.values() for data in queue}
        batch = self.queue.next_batch()
        assert {v.message.data for v in batch} == everything
        assert len(batch) == len(everything)
        of_each = {p: [v.message.data for v in batch if v.peer == p] for p in self.queues}
        for peer, taken in of_each.items():
            assert taken == [data for data in self.queues[peer] if data in taken], "in its order"
        self.queues = {}

    @invariant()
    def costs_are_right(self) -> None:
        for peer, queue in self.queues.items():
            assert self.queue.cost(peer) == sum(len(data) + limits.GOSSIP_MESSAGE_MEMORY for data in queue)
        assert len(self.queue) == len({data for queue in self.queues.values() for data in queue})


JudgingMachine.TestCase.settings = settings(max_examples=100, deadline=None)
TestJudgingMachine = JudgingMachine.TestCase
