"""What waits to be sent to one peer. It is bounded, and does no I/O."""

from collections import deque
from collections.abc import Callable, Sequence

from p2pforum.core import limits
from p2pforum.gossip.wire.framing import frame

_POINTER = 8  # bytes that an ID takes which waits here: it is kept elsewhere, with its message


class RpcQueue:
    """What waits for one peer. Beyond its bounds things are refused, and the caller counts them.

    Messages that wait together share an RPC. Control parts go first and each in its own RPC, because
    some implementations do not merge two control parts. Of messages that the peer asked for the IDs wait:
    others answer an IWANT of any size at once, and do not expect to have to ask again.
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
        """A quarter full: own posts in bulk leave room for others'."""
        return 4 * self._bytes > self._max_bytes

    def add_control(self, body: bytes) -> bool:
        """`body` is a whole RPC."""
        if len(self._control) >= self._max_control or self._control_bytes + len(body) > self._max_bytes:
            return False
        self._control.append(body)
        self._control_bytes += len(body)
        return True

    def add_message(self, entry: bytes) -> bool:
        """`entry` is one encoded entry of `publish`."""
        if self._bytes + len(entry) > self._max_bytes:
            return False
        self._messages.append(entry)
        self._bytes += len(entry)
        return True

    def add_asked(self, message_ids: Sequence[bytes]) -> int:
        """For how many of these there is room: the first ones."""
        room = self._max_asked - len(self._asked)
        self._asked.extend(message_ids[:room])
        return min(room, len(message_ids))

    def fetch_asked(self, fetch: Callable[[bytes], bytes | None]) -> None:
        """Turn IDs into messages until an RPC is full. `fetch` gives the encoded entry, or None."""
        while self._asked and self._bytes < limits.GOSSIP_RPC:
            if (entry := fetch(self._asked.popleft())) is not None:
                self._messages.append(entry)
                self._bytes += len(entry)

    def next_bytes(self) -> tuple[bytes, int]:
        """The next bytes to write, and the number of messages in them. Then `confirm` or `put_back`."""
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
