"""The pubsub RPC on the wire: protobuf (proto2), read and written by hand.

By hand, because each bound must hold before memory is used, and because this code must not be able to write a
field that names an author (StrictNoSign). Unknown fields are skipped, those of later GossipSub versions among
them. This is not a general protobuf library.
"""

from dataclasses import dataclass, field, replace

from p2pforum.core import limits
from p2pforum.core.errors import LocalProtocolError, RemoteProtocolError
from p2pforum.gossip.wire.protobuf import LEN, VARINT, Body, require

_AUTHOR_FIELDS = frozenset({1, 3, 5, 6})  # from, seqno, signature, key
_DATA, _TOPIC = 2, 4


@dataclass(frozen=True, slots=True)
class Message:
    """A post on its way. `authored`: it carried a field that names its author, and must be refused."""

    topic: str
    data: bytes
    authored: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    topic: str
    subscribe: bool


@dataclass(frozen=True, slots=True)
class IHave:
    topic: str
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prune:
    """`backoff` is in seconds. The peers that a PRUNE may name are not even read."""

    topic: str
    backoff: int | None = None


@dataclass(frozen=True, slots=True)
class Rpc:
    subscriptions: tuple[Subscription, ...] = ()
    publish: tuple[Message, ...] = ()
    ihave: tuple[IHave, ...] = ()
    iwant: tuple[bytes, ...] = ()
    graft: tuple[str, ...] = ()
    prune: tuple[Prune, ...] = ()
    surplus: int = field(default=0, compare=False)  #: fields read that belong to none of these

    @property
    def has_control(self) -> bool:
        return bool(self.ihave or self.iwant or self.graft or self.prune)

    @property
    def fields(self) -> int:
        """How many protobuf fields these parts take, at all depths."""
        control = bool(self.has_control) + bool(self.iwant) + len(self.iwant)
        offers = sum(2 + len(have.ids) for have in self.ihave)
        pushed = 3 * (len(self.subscriptions) + len(self.publish))
        return pushed + control + offers + 2 * len(self.graft) + 3 * len(self.prune)


# --- writing ---------------------------------------------------------------------------------------


def encode_uvarint(value: int) -> bytes:
    """An unsigned varint in its shortest form."""
    if value <= 0x7F:  # nearly all are lengths of topics and IDs
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _len_field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | LEN,)) + encode_uvarint(len(value)) + value


def _uint_field(number: int, value: int) -> bytes:
    return bytes((number << 3 | VARINT,)) + encode_uvarint(value)


def encode_publish(message: Message) -> bytes:
    """One entry of an RPC's `publish`. Entries joined are the body of an RPC with several messages.

    Raises LocalProtocolError for a message that names its author.
    """
    if message.authored:
        raise LocalProtocolError("a message that names its author must not be passed on")
    return _len_field(2, _len_field(_DATA, message.data) + _len_field(_TOPIC, message.topic.encode()))


def encode_rpc(rpc: Rpc) -> bytes:
    """The body of an RPC, without its length."""
    parts = [
        _len_field(1, _uint_field(1, int(sub.subscribe)) + _len_field(2, sub.topic.encode()))
        for sub in rpc.subscriptions
    ]
    parts += map(encode_publish, rpc.publish)
    if rpc.has_control:
        parts.append(_len_field(3, _encode_control(rpc)))
    return b"".join(parts)


def _encode_control(rpc: Rpc) -> bytes:
    parts = [
        _len_field(1, _len_field(1, have.topic.encode()) + b"".join(_len_field(2, i) for i in have.ids))
        for have in rpc.ihave
    ]
    if rpc.iwant:
        parts.append(_len_field(2, b"".join(_len_field(1, i) for i in rpc.iwant)))
    parts += [_len_field(3, _len_field(1, topic.encode())) for topic in rpc.graft]
    for prune in rpc.prune:
        backoff = b"" if prune.backoff is None else _uint_field(3, prune.backoff)
        parts.append(_len_field(4, _len_field(1, prune.topic.encode()) + backoff))
    return b"".join(parts)


# --- reading ---------------------------------------------------------------------------------------


def decode_rpc(body: bytes) -> Rpc:
    """Raises RemoteProtocolError for bytes that are not protobuf, or that hold more than one RPC may."""
    if len(body) > limits.MAX_RPC:
        raise RemoteProtocolError(f"an RPC of {len(body)} bytes; at most {limits.MAX_RPC}")
    rpc = Body(body)
    subscriptions: list[Subscription] = []
    publish: list[Message] = []
    control = _Control()
    for number, start, end in rpc.len_fields(0, len(body)):
        if number == 1:
            subscriptions.append(_decode_subscription(rpc, start, end))
            require(len(subscriptions) <= limits.MAX_SUBSCRIPTIONS, "too many subscriptions")
        elif number == 2:
            require(len(publish) < limits.MAX_RPC_MESSAGES, "too many messages")
            publish.append(_decode_message(rpc, start, end))
        elif number == 3:
            control.read(rpc, start, end)
    found = Rpc(
        tuple(subscriptions),
        tuple(publish),
        tuple(control.ihave),
        tuple(control.iwant),
        tuple(control.graft),
        tuple(control.prune),
    )
    return replace(found, surplus=max(0, rpc.count - found.fields))


def _decode_subscription(rpc: Body, start: int, end: int) -> Subscription:
    topic, subscribe = "", False
    for number, wire, a, b in rpc.fields(start, end):
        if number == 1 and wire == VARINT:
            subscribe = bool(a)
        elif number == 2 and wire == LEN:
            topic = _text(rpc, a, b)
    return Subscription(topic, subscribe)


def _decode_message(rpc: Body, start: int, end: int) -> Message:
    data, topics, authored = b"", 0, False
    topic = ""
    for number, wire, a, b in rpc.fields(start, end):
        if number == _DATA and wire == LEN:
            data = rpc.data[a:b]
        elif number == _TOPIC and wire == LEN:
            topic = _text(rpc, a, b)
            topics += 1
        elif number in _AUTHOR_FIELDS:  # also when empty: the field must be absent
            authored = True
    require(topics == 1, "a message that is not in exactly one topic")
    return Message(topic, data, authored)


class _Control:
    """All control parts of an RPC together; protobuf allows several, and merges them."""

    def __init__(self) -> None:
        self.ihave: list[IHave] = []
        self.iwant: list[bytes] = []
        self.graft: list[str] = []
        self.prune: list[Prune] = []
        self._ihave_ids = 0

    def read(self, rpc: Body, start: int, end: int) -> None:
        for number, a, b in rpc.len_fields(start, end):
            if number == 1:
                self._read_ihave(rpc, a, b)
            elif number == 2:
                self._read_iwant(rpc, a, b)
            elif number == 3:
                require(len(self.graft) < limits.MAX_SUBSCRIPTIONS, "too many GRAFTs")
                self.graft.append(_decode_topic(rpc, a, b))
            elif number == 4:
                require(len(self.prune) < limits.MAX_SUBSCRIPTIONS, "too many PRUNEs")
                self.prune.append(_decode_prune(rpc, a, b))

    def _read_ihave(self, rpc: Body, start: int, end: int) -> None:
        require(len(self.ihave) < limits.MAX_SUBSCRIPTIONS, "too many IHAVEs")
        topic, ids = "", []
        for number, a, b in rpc.len_fields(start, end):
            if number == 1:
                topic = _text(rpc, a, b)
            elif number == 2:
                self._ihave_ids += 1
                require(self._ihave_ids <= limits.MAX_RPC_IDS, "too many IDs in IHAVE")
                ids.append(rpc.data[a:b])
        self.ihave.append(IHave(topic, tuple(ids)))

    def _read_iwant(self, rpc: Body, start: int, end: int) -> None:
        for number, a, b in rpc.len_fields(start, end):
            if number == 1:
                require(len(self.iwant) < limits.MAX_RPC_IDS, "too many IDs in IWANT")
                self.iwant.append(rpc.data[a:b])


def _decode_topic(rpc: Body, start: int, end: int) -> str:
    topic = ""
    for number, a, b in rpc.len_fields(start, end):
        if number == 1:
            topic = _text(rpc, a, b)
    return topic


def _decode_prune(rpc: Body, start: int, end: int) -> Prune:
    topic, backoff = "", None
    for number, wire, a, b in rpc.fields(start, end):
        if number == 1 and wire == LEN:
            topic = _text(rpc, a, b)
        elif number == 3 and wire == VARINT:
            backoff = a
    return Prune(topic, backoff)


def _text(rpc: Body, start: int, end: int) -> str:
    require(end - start <= limits.MAX_TOPIC_NAME, "a topic name that is too long")
    try:
        return rpc.data[start:end].decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("an RPC with a topic name that is not UTF-8") from None
