"""Posts on their way to the door: a queue for each peer, and one post of each queue in turn.

Nothing is dropped here but with the peer that brought it. Who fills its queue is not read from until there
is room (`is_full`), so that the queues of all peers together are bounded by how many peers there are, and
none depends on how full another is. What several peers brought stands in the queue of each.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.wire.rpc import Message

MOST_JUDGED = limits.GOSSIP_WAITING + limits.MAX_RPC + limits.MAX_RPC_MESSAGES * limits.GOSSIP_MESSAGE_MEMORY
"""Bytes that the queue of one peer takes at most: it is full, and then comes the largest RPC."""


class PendingMessage:
    """A message being judged, and who has brought it meanwhile, the first first."""

    __slots__ = ("message", "senders")

    def __init__(self, message: Message, peer: str) -> None:
        self.message = message
        self.senders: dict[str, None] = {peer: None}


@dataclass(slots=True)
class _Queue:
    posts: OrderedDict[bytes, Validate] = field(default_factory=OrderedDict)
    cost: int = 0  # bytes


def cost_of(validate: Validate) -> int:
    """Bytes of memory that a waiting post takes, about."""
    return len(validate.message.data) + limits.GOSSIP_MESSAGE_MEMORY


class ValidationQueue:
    def __init__(self) -> None:
        self._queues: OrderedDict[str, _Queue] = OrderedDict()  # none is empty; whose turn it is first
        self._holders: dict[bytes, list[str]] = {}  # message ID -> in whose queues it is

    def __len__(self) -> int:
        """Messages, each counted once."""
        return len(self._holders)

    def cost(self, peer: str) -> int:
        """Bytes that the queue of a peer takes."""
        queue = self._queues.get(peer)
        return 0 if queue is None else queue.cost

    def is_full(self, peer: str) -> bool:
        """Whether nothing more may be read of this peer now."""
        return self.cost(peer) > limits.GOSSIP_WAITING

    def add(self, validate: Validate) -> None:
        name, peer = validate.message_id, validate.peer
        if validate.is_again and name not in self._holders:
            return  # it is at the door
        self._holders.setdefault(name, []).append(peer)
        queue = self._queues.setdefault(peer, _Queue())
        queue.posts[name] = validate
        queue.cost += cost_of(validate)

    def next_batch(self) -> list[Validate]:
        """One from each peer in turn, so that nobody's flood delays the others for long."""
        batch: list[Validate] = []
        while self._queues and len(batch) < limits.GOSSIP_BATCH:
            peer, queue = next(iter(self._queues.items()))
            self._queues.move_to_end(peer)
            validate = next(iter(queue.posts.values()))
            for holder in self._holders.pop(validate.message_id):
                self._take(holder, validate.message_id)
            batch.append(validate)
        return batch

    def _take(self, peer: str, name: bytes) -> None:
        queue = self._queues[peer]
        queue.cost -= cost_of(queue.posts.pop(name))
        if not queue.posts:
            del self._queues[peer]

    def remove_peer(self, peer: str) -> list[bytes]:
        """The peer is gone: forget its queue. The messages that nobody else brought."""
        queue = self._queues.pop(peer, _Queue())
        alone = []
        for name in queue.posts:
            self._holders[name].remove(peer)
            if not self._holders[name]:
                del self._holders[name]
                alone.append(name)
        return alone
