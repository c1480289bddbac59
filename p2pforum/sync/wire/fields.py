"""The fields of a payload, one after another: numbers, flags, hours, bounds. Each has one encoding."""

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post_id import ID_SIZE
from p2pforum.sync.wire.negentropy import HIGHEST, Bound, encode_varint, read_varint


class Fields:
    """Takes the fields of one payload, one after another. All methods raise RemoteProtocolError for a bad
    field."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def number(self) -> int:
        n, self._at = read_varint(self._payload, self._at)
        return n

    def read(self, size: int) -> bytes:
        """The next `size` bytes. Raises RemoteProtocolError if there are fewer."""
        end = self._at + size
        if end > len(self._payload):
            raise RemoteProtocolError("a frame that ends inside a field")
        taken = self._payload[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        return self.read(len(self._payload) - self._at)

    def more(self) -> bool:
        return self._at < len(self._payload)

    def flag(self) -> bool:
        """Raises RemoteProtocolError for a number other than 0 and 1."""
        value = self.number()
        if value > 1:
            raise RemoteProtocolError("a flag that is neither 0 nor 1")
        return value == 1

    def hour(self) -> int:
        """Hours since 1970. Raises RemoteProtocolError for 2^31 or later."""
        hour = self.number()
        if hour >= limits.MAX_HOUR:
            raise RemoteProtocolError("an hour of 2^31 or later")
        return hour

    def bound(self) -> Bound:
        """A bound as `encode_bound` writes it. Raises RemoteProtocolError for another encoding."""
        step, size = self.number(), self.number()
        if size > ID_SIZE or step > limits.MAX_HOUR or (step == 0 and size):
            raise RemoteProtocolError("not a bound")
        prefix = self.read(size)
        return HIGHEST if step == 0 else (step - 1, prefix)


def encode_bound(bound: Bound) -> bytes:
    step = 0 if bound == HIGHEST else bound[0] + 1
    return encode_varint(step) + encode_varint(len(bound[1])) + bound[1]
