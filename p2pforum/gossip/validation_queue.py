"""Posts that wait for the door: a queue for each peer, and one post of each queue in turn.

A post is dropped here only with the peer that brought it. The node stops reading from a peer whose queue is
full, until there is room (`is_full`). So the number of peers bounds all queues together, and no queue depends
on how full another is. A post that several peers brought stands in the queue of each.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from p2pforum.core import limits
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.wire.rpc import Message

MOST_JUDGED = limits.GOSSIP_WAITING + limits.MAX_RPC + limits.MAX_RPC_MESSAGES * limits.GOSSIP_MESSAGE_MEMORY
"""Bytes that the queue of one peer takes at most: a queue that is just not full, and the largest RPC."""


class PendingMessage:
    """A message being judged, and the peers that have brought it meanwhile, in this order."""

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
        self._queues: OrderedDict[str, _Queue] = OrderedDict()  # none is empty; the next in turn is first
        self._holders: dict[bytes, list[str]] = {}  # message ID -> peers in whose queues it is

    def __len__(self) -> int:
        """Counts each message once."""
        return len(self._holders)

    def cost(self, peer: str) -> int:
        """Bytes that the queue of a peer takes."""
        queue = self._queues.get(peer)
        return 0 if queue is None else queue.cost

    def is_full(self, peer: str) -> bool:
        """Whether the node must stop reading from this peer for now."""
        return self.cost(peer) > limits.GOSSIP_WAITING

    def add(self, validate: Validate) -> None:
        """Put a post into the queue of the peer that brought it. One that is at the door already is left
        out."""
        name, peer = validate.message_id, validate.peer
        if validate.is_again and name not in self._holders:
            return  # the door judges it now
        self._holders.setdefault(name, []).append(peer)
        queue = self._queues.setdefault(peer, _Queue())
        queue.posts[name] = validate
        queue.cost += cost_of(validate)

    def next_batch(self) -> list[Validate]:
        """One post from each peer in turn, so that one peer's flood delays the others only briefly."""
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
        """The peer is gone: drop its queue. Returns the messages that no other peer has brought."""
        queue = self._queues.pop(peer, _Queue())
        alone = []
        for name in queue.posts:
            self._holders[name].remove(peer)
            if not self._holders[name]:
                del self._holders[name]
                alone.append(name)
        return alone
