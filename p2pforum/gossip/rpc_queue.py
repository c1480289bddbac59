"""RPCs that wait to be sent to one peer. The queue is bounded, and does no I/O."""

from collections import deque
from collections.abc import Callable, Sequence

from p2pforum.core import limits
from p2pforum.gossip.wire.framing import frame

_POINTER = 8  # bytes that a waiting ID takes here; the ID itself is kept elsewhere, with its message


class RpcQueue:
    """What waits for one peer. Beyond its bounds it refuses entries, and the caller counts them.

    Messages that wait together share an RPC. Control parts go first and each in its own RPC, because some
    implementations do not merge two control parts. Of messages that the peer asked for, only the IDs wait.
    Peers of other implementations expect an IWANT of any size to be answered at once, and would not ask
    again.
    """

    def __init__(
        self,
        max_bytes: int = limits.OUTBOX_BYTES,
        max_control: int = limits.OUTBOX_CONTROL,
        max_asked: int = limits.OUTBOX_ASKED,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_control = max_control
        self._max_asked = max_asked
        self._asked: deque[bytes] = deque()
        self._control: deque[bytes] = deque()
        self._messages: deque[bytes] = deque()
        self._bytes = 0  # of messages
        self._control_bytes = 0
        self._taken: tuple[list[bytes], list[bytes]] = ([], [])
        self._taken_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._control or self._messages or self._asked)

    @property
    def held(self) -> int:
        """Bytes, those included that are being written."""
        return self._bytes + self._control_bytes + self._taken_bytes + _POINTER * len(self._asked)

    @property
    def is_filling(self) -> bool:
        """Whether messages fill a quarter of it. Own posts in bulk wait then, to leave room for other users'
        posts."""
        return 4 * self._bytes > self._max_bytes

    def add_control(self, body: bytes) -> bool:
        """Queue a whole RPC. False if there is no room."""
        if len(self._control) >= self._max_control or self._control_bytes + len(body) > self._max_bytes:
            return False
        self._control.append(body)
        self._control_bytes += len(body)
        return True

    def add_message(self, entry: bytes) -> bool:
        """Queue one encoded entry of `publish`. False if there is no room."""
        if self._bytes + len(entry) > self._max_bytes:
            return False
        self._messages.append(entry)
        self._bytes += len(entry)
        return True

    def add_asked(self, message_ids: Sequence[bytes]) -> int:
        """Queue the first of these IDs, as many as there is room for; returns how many."""
        room = self._max_asked - len(self._asked)
        self._asked.extend(message_ids[:room])
        return min(room, len(message_ids))

    def fetch_asked(self, fetch: Callable[[bytes], bytes | None]) -> None:
        """Turn IDs into messages until an RPC is full. `fetch` returns the encoded entry, or None if it is
        gone."""
        while self._asked and self._bytes < limits.GOSSIP_RPC:
            if (entry := fetch(self._asked.popleft())) is not None:
                self._messages.append(entry)
                self._bytes += len(entry)

    def next_bytes(self) -> tuple[bytes, int]:
        """The next bytes to write, and the number of messages in them. Call `confirm` or `put_back` then."""
        control: list[bytes] = []
        messages: list[bytes] = []
        size = 0
        while self._control and size < limits.GOSSIP_RPC:
            control.append(self._control.popleft())
            size += len(control[-1])
        self._control_bytes -= size
        size = 0
        while self._messages and len(messages) < limits.MAX_RPC_MESSAGES:
            if size + len(self._messages[0]) > limits.GOSSIP_RPC:
                break
            messages.append(self._messages.popleft())
            size += len(messages[-1])
        self._bytes -= size
        self._taken = (control, messages)
        out = b"".join(map(frame, control))
        if messages:
            out += frame(b"".join(messages))
        self._taken_bytes = len(out)
        return out, len(messages)

    def confirm(self) -> None:
        self._taken, self._taken_bytes = ([], []), 0

    def put_back(self) -> None:
        """What was taken could not be written: it goes first on the next stream."""
        control, messages = self._taken
        self._control.extendleft(reversed(control))
        self._messages.extendleft(reversed(messages))
        self._control_bytes += sum(map(len, control))
        self._bytes += sum(map(len, messages))
        self.confirm()
