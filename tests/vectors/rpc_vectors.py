"""Makes docs/vectors/rpc-v1.json: gossip RPCs, each at an edge of the rule it names (PROTOCOL section 8).

Put together by this file's own few lines; a test reads the accepted ones with libp2p's generated protobuf
code. `raw` is a list of [hex, times] to be joined. Run from the checkout:
    python -m tests.vectors.rpc_vectors
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "rpc-v1.json"
TOPIC = b"test.net/posts/1"
ID = bytes(range(32))
Raw = list[tuple[bytes, int]]


def uvarint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes((value & 127 | 128,))
        value >>= 7
    return out + bytes((value,))


def field(number: int, *parts: bytes) -> bytes:
    value = b"".join(parts)
    return uvarint(number << 3 | 2) + uvarint(len(value)) + value


def flag(number: int, value: int) -> bytes:
    return uvarint(number << 3) + uvarint(value)


def message(data: bytes = b"post", topic: bytes = TOPIC, more: bytes = b"") -> bytes:
    return field(2, field(2, data), field(4, topic), more)


def subscription(topic: bytes = TOPIC, on: int = 1) -> bytes:
    return field(1, flag(1, on), field(2, topic))


def ihave(topic: bytes = TOPIC, *ids: bytes) -> bytes:
    return field(1, field(1, topic), *(field(2, i) for i in ids))


def iwant(*ids: bytes) -> bytes:
    return field(2, *(field(1, i) for i in ids))


def graft(topic: bytes = TOPIC) -> bytes:
    return field(3, field(1, topic))


def prune(topic: bytes = TOPIC, backoff: int | None = 60) -> bytes:
    return field(4, field(1, topic), b"" if backoff is None else flag(3, backoff))


def control(*parts: bytes) -> bytes:
    return field(3, *parts)


def many(outside: int | None, part: bytes, times: int, before: bytes = b"") -> Raw:
    """`part` so many times, in control's part number `outside` (None: in the RPC itself)."""
    if outside is None:
        return [(before, 1), (part, times)]
    inner = uvarint(outside << 3 | 2) + uvarint(len(before) + len(part) * times)
    head = uvarint(3 << 3 | 2) + uvarint(len(inner) + len(before) + len(part) * times)
    return [(head + inner + before, 1), (part, times)]


ACCEPT: dict[str, tuple[bytes, dict[str, Any]]] = {
    "nothing": (b"", {}),
    "a subscription": (subscription(), {"subscriptions": [["test.net/posts/1", True]]}),
    "the end of one": (subscription(on=0), {"subscriptions": [["test.net/posts/1", False]]}),
    "a post": (message(), {"publish": [["test.net/posts/1", b"post".hex()]]}),
    "two posts": (
        message(b"a") + message(b"b"),
        {"publish": [["test.net/posts/1", "61"], ["test.net/posts/1", "62"]]},
    ),
    "IHAVE": (control(ihave(TOPIC, ID)), {"ihave": [["test.net/posts/1", [ID.hex()]]]}),
    "IWANT": (control(iwant(ID)), {"iwant": [ID.hex()]}),
    "GRAFT": (control(graft()), {"graft": ["test.net/posts/1"]}),
    "PRUNE": (control(prune()), {"prune": [["test.net/posts/1", 60]]}),
    "PRUNE without a backoff": (control(prune(backoff=None)), {"prune": [["test.net/posts/1", None]]}),
    "PRUNE with peers, which are skipped": (
        control(field(4, field(1, TOPIC), field(2, field(1, b"peer")), flag(3, 60))),
        {"prune": [["test.net/posts/1", 60]]},
    ),
    "all at once": (
        subscription() + message() + control(ihave(TOPIC, ID), iwant(ID), graft(), prune()),
        {
            "subscriptions": [["test.net/posts/1", True]],
            "publish": [["test.net/posts/1", b"post".hex()]],
            "ihave": [["test.net/posts/1", [ID.hex()]]],
            "iwant": [ID.hex()],
            "graft": ["test.net/posts/1"],
            "prune": [["test.net/posts/1", 60]],
        },
    ),
    "IDONTWANT, which is skipped": (control(field(5, field(1, ID))), {}),
    "unknown fields of all wire types in use": (
        flag(20, 2**64 - 1)
        + field(21, b"x")
        + uvarint(22 << 3 | 1)
        + bytes(8)
        + uvarint(23 << 3 | 5)
        + bytes(4),
        {},
    ),
    "two control parts": (
        control(graft()) + control(prune()),
        {"graft": ["test.net/posts/1"], "prune": [["test.net/posts/1", 60]]},
    ),
    "a topic of 128 bytes": (subscription(b"t" * 128), {"subscriptions": [["t" * 128, True]]}),
    "a length in a long form": (
        b"\x0a\x94\x00" + subscription()[2:],
        {"subscriptions": [["test.net/posts/1", True]]},
    ),
}

AUTHORED = {
    name: message(more=more)
    for name, more in {
        "from": field(1, b"peer"),
        "from, empty": field(1),
        "seqno": field(3, bytes(8)),
        "signature": field(5, bytes(64)),
        "key": field(6, b"key"),
        "key, as a number": flag(6, 0),
    }.items()
}

REJECT = {
    "a message without a topic": field(2, field(2, b"post")),
    "a message in two topics": message(more=field(4, TOPIC)),
    "a topic that is not UTF-8": subscription(b"\xff"),
    "a topic of 129 bytes": subscription(b"t" * 129),
    "field number 0": b"\x02\x00",
    "a group": b"\x0b\x0c",
    "wire type 4": b"\x0c",
    "wire type 6": b"\x0e\x00",
    "wire type 7": b"\x0f\x00",
    "a number above 64 bits": b"\x28" + b"\xff" * 9 + b"\x02",
    "a number of eleven bytes": b"\x28" + b"\x80" * 10 + b"\x00",
    "cut off in a number": b"\x28\x80",
    "cut off in a field": subscription()[:-1],
    "a field that ends behind its place": field(1, b"\x12\x05t"),
    "eight bytes that are four": uvarint(22 << 3 | 1) + bytes(4),
}

BOUNDS: dict[str, tuple[Raw, Raw]] = {
    "256 messages": (many(None, message(), 256), many(None, message(), 257)),
    "16 subscriptions": (many(None, subscription(), 16), many(None, subscription(), 17)),
    "16 GRAFT": (
        [(control(*[graft()] * 16), 1)],
        [(control(*[graft()] * 17), 1)],
    ),
    "16 PRUNE": (
        [(control(*[prune()] * 16), 1)],
        [(control(*[prune()] * 17), 1)],
    ),
    "16 IHAVE": (
        [(control(*[ihave()] * 16), 1)],
        [(control(*[ihave()] * 17), 1)],
    ),
    "5,000 IDs in IHAVE": (
        many(1, field(2, ID), 5_000, field(1, TOPIC)),
        many(1, field(2, ID), 5_001, field(1, TOPIC)),
    ),
    "5,000 IDs in IWANT": (many(2, field(1, ID), 5_000), many(2, field(1, ID), 5_001)),
    "6,000 fields": (many(None, flag(20, 0), 6_000), many(None, flag(20, 0), 6_001)),
    "262,144 bytes": (
        [(b"\xaa\x01" + uvarint(262_144 - 5), 1), (b"x", 262_144 - 5)],
        [(b"\xaa\x01" + uvarint(262_145 - 5), 1), (b"x", 262_145 - 5)],
    ),
}


def vectors() -> dict[str, Any]:
    def told(raw: Raw) -> list[list[Any]]:
        return [[part.hex(), times] for part, times in raw]

    return {
        "about": "bodies of RPCs, without the length before each: [hex, times] to be joined. "
        "What is not named in `reads` is empty",
        "accept": [
            {"name": name, "raw": told([(raw, 1)]), "reads": reads} for name, (raw, reads) in ACCEPT.items()
        ],
        "refuse the message": [{"name": name, "raw": told([(raw, 1)])} for name, raw in AUTHORED.items()],
        "end the connection": [{"name": name, "raw": told([(raw, 1)])} for name, raw in REJECT.items()],
        "bounds": [
            {"name": name, "last good": told(good), "first bad": told(bad)}
            for name, (good, bad) in BOUNDS.items()
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
