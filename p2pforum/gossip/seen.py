"""IDs met lately, so that no message is judged twice; and messages, for peers that missed them.

A message's ID is the SHA-256 of its data: the topic and the sender are no part of it. Both caches are bounded
in time and in size; the oldest entries go first.
"""

import hashlib
from itertools import takewhile

from p2pforum.core.bounded import BoundedDict
from p2pforum.gossip.wire.rpc import Message

ID_SIZE = 32


def message_id(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class SeenCache:
    """IDs met within `ttl` seconds."""

    def __init__(self, ttl: float, size: int) -> None:
        self._ttl = ttl
        self._entries = BoundedDict[bytes, float](size)  # ID -> when it expires, in this order

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, message_id: bytes, now: float) -> None:
        self._entries[message_id] = now + self._ttl

    def has(self, message_id: bytes, now: float) -> bool:
        return self._entries.get(message_id, now) > now

    def expire(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest] > now:
                return
            del self._entries[oldest]


class _Kept:
    __slots__ = ("beat", "message", "message_id", "since")

    def __init__(self, message_id: bytes, message: Message, since: float, beat: int) -> None:
        self.message_id = message_id
        self.message = message
        self.since = since
        self.beat = beat


class MessageCache:
    """Valid messages of the last `history` heartbeats; those of the last `gossip` are offered to peers."""

    def __init__(self, history: int, gossip: int, max_count: int, max_bytes: int) -> None:
        self._history = history
        self._gossip = gossip
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._kept: dict[bytes, _Kept] = {}  # oldest first
        self._bytes = 0
        self._beat = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._kept

    @property
    def size(self) -> int:
        """Bytes of data."""
        return self._bytes

    def put(self, message_id: bytes, message: Message, now: float) -> None:
        """Keep a message, if it is new; the oldest go when there are too many, or too many bytes."""
        if message_id in self._kept:
            return
        self._kept[message_id] = _Kept(message_id, message, now, self._beat)
        self._bytes += len(message.data)
        while len(self._kept) > self._max_count or self._bytes > self._max_bytes:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        kept = self._kept.pop(next(iter(self._kept)))
        self._bytes -= len(kept.message.data)

    def shift(self) -> None:
        """A heartbeat has passed."""
        self._beat += 1
        while self._kept and next(iter(self._kept.values())).beat <= self._beat - self._history:
            self._drop_oldest()

    def age(self, message_id: bytes, now: float) -> float | None:
        """Seconds since it was put here."""
        kept = self._kept.get(message_id)
        return None if kept is None else now - kept.since

    def get(self, message_id: bytes) -> Message | None:
        kept = self._kept.get(message_id)
        return None if kept is None else kept.message

    def own_id(self, message_id: bytes) -> bytes | None:
        """The object of an equal ID that is kept here, so that other code can store it without more
        memory."""
        kept = self._kept.get(message_id)
        return None if kept is None else kept.message_id

    def fresh(self) -> list[bytes]:
        """The IDs to offer at this heartbeat, newest first."""
        newest_first = reversed(self._kept.items())
        return [m for m, _ in takewhile(lambda item: item[1].beat > self._beat - self._gossip, newest_first)]

    def ids(self) -> list[bytes]:
        """All, newest first: for a peer that has just come."""
        return list(reversed(self._kept))
