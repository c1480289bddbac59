"""Makes docs/vectors/post-edges-v1.json: of each rule the last post that passes, and the first that does not.

Every post here is correctly signed unless its rule is about that, and breaks one rule at most. The bytes
are put together by this file's own encoder, so that they hold what the program's would never write. Run
from the checkout:
    python -m tests.core.post_edge_vectors
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.bindings import crypto_sign

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "vectors")]

from packing import packed  # noqa: E402
from strategies import HOUR, TEST_NETWORK, a_key, a_seed  # noqa: E402

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "post-edges-v1.json"
AAD = TEST_NETWORK.post_aad
ID1, ID2, ID3, ID4, ID5 = (bytes([n]) * 32 for n in range(1, 6))
STAMP: list[Any] = [1, 0, bytes(8)]
UNKNOWN_KIND, UNKNOWN_VERSION = 65_000, 2


@dataclass(frozen=True)
class Raw:
    """Bytes that are CBOR already, or pretend to be."""

    bytes: bytes


@dataclass(frozen=True)
class Edge:
    rule: str
    name: str
    accept: bool
    raw: bytes


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for low, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | low]) + number.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")


def cbor(value: Any) -> bytes:
    """Deterministic, and without a rule of posts."""
    if isinstance(value, Raw):
        return value.bytes
    if isinstance(value, bool) or value is None:
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(cbor(item) for item in value)


def protected(key: bytes) -> bytes:
    return b"\xa2\x01\x32\x04" + cbor(key)


def post(payload: Any, *, key: int = 1, head_: bytes | None = None, signed: bytes | None = None) -> bytes:
    """`payload`: its fields, or its bytes as Raw. `head_`: other protected headers. `signed`: what the
    signature is made of, if not of the post."""
    encoded = cbor(payload)
    kept = protected(a_key(key)) if head_ is None else head_
    structure = signed or cbor(["Signature1", kept, AAD, encoded])
    sig = crypto_sign(structure, a_seed(key) + a_key(key))[:64]
    return b"\xd2" + cbor([kept, Raw(b"\xa0"), encoded, sig])


def fields(**other: Any) -> list[Any]:
    """A root, with some fields replaced."""
    names = ("version", "kind", "board", "root", "parents", "hour", "content", "stamp")
    good = dict(zip(names, (1, 0, "general", b"", [], HOUR, ["Hi", "A body."], STAMP), strict=True))
    return list({**good, **other}.values())


def reply(**other: Any) -> list[Any]:
    return fields(**{"root": ID1, "parents": [ID1], "content": ["A reply."], **other})


def unknown(*content: Any, **other: Any) -> list[Any]:
    return fields(kind=UNKNOWN_KIND, content=list(content), **other)


def both(rule: str, good: dict[str, Any], bad: dict[str, Any]) -> Iterator[Edge]:
    for cases, accept in ((good, True), (bad, False)):
        for name, payload in cases.items():
            yield Edge(rule, name, accept, post(payload))


def sized(total: int) -> list[Any]:
    """A post of an unknown kind with `total` bytes in all."""
    empty = len(post(unknown(bytes(10_000)))) - 10_000
    return unknown(bytes(total - empty))


def _sizes() -> Iterator[Edge]:
    yield from both("size", {"16,000 bytes": sized(16_000)}, {"16,001 bytes": sized(16_001)})
    e = "\u00e9"
    yield from both(
        "subject: at most 200 bytes of UTF-8, one line",
        {
            "empty": fields(content=["", ""]),
            "200 letters": fields(content=["s" * 200, "b"]),
            "100 letters of two bytes": fields(content=[e * 100, "b"]),
        },
        {
            "201 letters": fields(content=["s" * 201, "b"]),
            "101 letters of two bytes": fields(content=[e * 101, "b"]),
            "a line feed": fields(content=["a\nb", "b"]),
            "a line feed at its end": fields(content=["a\n", "b"]),
        },
    )
    yield from both(
        "body: at most 12,288 bytes of UTF-8",
        {
            "12,288 letters": fields(content=["s", "b" * 12_288]),
            "6,144 letters of two bytes": fields(content=["s", e * 6_144]),
            "12,288 letters in a reply": reply(content=["b" * 12_288]),
            "12,288 letters in a supersede": reply(kind=2, content=[ID2, "b" * 12_288]),
        },
        {
            "12,289 letters": fields(content=["s", "b" * 12_289]),
            "6,145 letters of two bytes": fields(content=["s", e * 6_145]),
            "12,289 letters in a reply": reply(content=["b" * 12_289]),
            "12,289 letters in a supersede": reply(kind=2, content=[ID2, "b" * 12_289]),
        },
    )


def _numbers() -> Iterator[Edge]:
    yield from both(
        "version: 1 to 65,535",
        {
            "1": fields(),
            "2, kind 0 with another content": fields(version=2, content=[7]),
            "65,535": fields(version=65_535),
        },
        {
            "0": fields(version=0),
            "65,536": fields(version=65_536),
            "a text": fields(version="1"),
            "true": fields(version=True),
        },
    )
    yield from both(
        "kind: 0 to 65,535",
        {"65,535": fields(kind=65_535, content=[])},
        {
            "65,536": fields(kind=65_536, content=[]),
            "-1": fields(kind=-1, content=[]),
            "false": fields(kind=False),
        },
    )
    yield from both(
        "hour: 0 to 2^31 - 1",
        {"0": fields(hour=0), "2^31 - 1": fields(hour=2**31 - 1)},
        {"2^31": fields(hour=2**31), "-1": fields(hour=-1), "bytes": fields(hour=b"\x01")},
    )
    yield from both(
        "numbers in content: those of 64 bits",
        {
            "2^53 + 1": unknown(2**53 + 1),
            "2^64 - 1": unknown(2**64 - 1),
            "-2^64": unknown(Raw(b"\x3b" + b"\xff" * 8)),
            "23, 24, 255, 256, 65,535, 65,536, 2^32 - 1, 2^32": unknown(
                23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32
            ),
        },
        {
            "2^64, as a tagged bignum": unknown(Raw(b"\xc2\x49\x01" + bytes(8))),
            "a float of 16 bits": unknown(Raw(b"\xf9\x3c\x00")),
            "a float of 64 bits": unknown(Raw(b"\xfb" + bytes(8))),
        },
    )
    yield from both(
        "items of content: numbers, bytes, texts, arrays",
        {"one of each": unknown(1, -1, b"x", "x", [])},
        {
            "a map": unknown(Raw(b"\xa0")),
            "a tag": unknown(Raw(b"\xc1\x01")),
            "null": unknown(None),
            "true": unknown(True),
            "false": unknown(False),
            "undefined": unknown(Raw(b"\xf7")),
            "a simple value": unknown(Raw(b"\xf0")),
            "a break": unknown(Raw(b"\xff")),
        },
    )


def _encoding() -> Iterator[Edge]:
    good = cbor(fields())
    hour = cbor(HOUR)
    bad = {
        "a number below 24 in two bytes": unknown(Raw(b"\x18\x17")),
        "a number below 256 in three bytes": unknown(Raw(b"\x19\x00\xff")),
        "a number below 2^16 in five bytes": unknown(Raw(b"\x1a\x00\x00\xff\xff")),
        "a number below 2^32 in nine bytes": unknown(Raw(b"\x1b" + (2**32 - 1).to_bytes(8, "big"))),
        "a negative number in two bytes": unknown(Raw(b"\x38\x17")),
        "a length of bytes in two bytes": unknown(Raw(b"\x58\x01x")),
        "a length of a text in two bytes": unknown(Raw(b"\x78\x01x")),
        "a length of an array in two bytes": unknown(Raw(b"\x98\x01\x01")),
        "bytes without a length": unknown(Raw(b"\x5f\x41x\xff")),
        "a text without a length": unknown(Raw(b"\x7f\x61x\xff")),
        "an array without a length": unknown(Raw(b"\x9f\x01\xff")),
        **{
            f"a head with {low}": unknown(Raw(bytes([low]) + bytes(1 << low - 24)))
            for low in (28, 29, 30, 31)
        },
        "the fields as an array without a length": Raw(b"\x9f" + good[1:] + b"\xff"),
        "the fields with a long head": Raw(b"\x98\x08" + good[1:]),
        "the hour in nine bytes": Raw(good.replace(hour, b"\x1b" + HOUR.to_bytes(8, "big"))),
        "a byte behind": Raw(good + b"\x00"),
        "a byte less": Raw(good[:-1]),
        "nothing": Raw(b""),
        "a map": Raw(b"\xa0"),
        "more items than there are bytes": unknown(Raw(b"\x9b\x7f" + b"\xff" * 7)),
    }
    yield from both("one encoding of the payload", {}, bad)
    yield from both("eight fields", {}, {"seven": Raw(cbor(fields()[:7])), "nine": Raw(cbor([*fields(), 0]))})
    nest: Any = [1]
    for _ in range(2):
        nest = [nest]
    yield from both(
        "arrays nest to 4, content included",
        {"4": unknown(nest), "many beside each other": unknown(*[[]] * 200)},
        {"5": unknown([nest])},
    )


def _envelopes() -> Iterator[Edge]:
    payload = cbor(fields())
    good = post(fields())
    key, sig = a_key(1), good[-64:]

    def closed(**parts: Any) -> bytes:
        kept = {"protected": protected(key), "unprotected": Raw(b"\xa0"), "payload": payload, "sig": sig}
        return parts.pop("tag", b"\xd2") + cbor(list({**kept, **parts}.values()))

    third = b"\xa3\x01\x32\x04" + cbor(key) + b"\x05\x01"
    heads = {
        "algorithm -8": b"\xa2\x01\x27\x04" + cbor(key),
        "headers in the other order": b"\xa2\x04" + cbor(key) + b"\x01\x32",
        "a third header": third,
        "no key": b"\xa1\x01\x32",
        "no algorithm": b"\xa1\x04" + cbor(key),
        "a key of 31 bytes": b"\xa2\x01\x32\x04" + cbor(key[:31]),
        "a key of 33 bytes": b"\xa2\x01\x32\x04" + cbor(key + b"\x00"),
        "a key as a text": b"\xa2\x01\x32\x04\x78\x20" + key,
        "a key with a long head": b"\xa2\x01\x32\x04\x59\x00\x20" + key,
        "empty": b"",
    }
    for name, other in heads.items():
        yield Edge("protected headers: {1: -19, 4: key}", name, False, post(fields(), head_=other))
    rest = {
        "no tag": good[1:],
        "tag 17": b"\xd1" + good[1:],
        "tag 98 (COSE_Sign)": b"\xd8\x62" + good[1:],
        "a tag in two bytes": b"\xd8\x12" + good[1:],
        "tagged twice": b"\xd9\xd9\xf7" + good,
        "three parts": b"\xd2\x83" + good[2:-66],
        "five parts": b"\xd2\x85" + good[2:] + b"\x00",
        "an array without a length": b"\xd2\x9f" + good[2:] + b"\xff",
        "protected headers as a map": closed(protected=Raw(protected(key))),
        "unprotected headers": closed(unprotected=Raw(b"\xa1\x04\x41x")),
        "unprotected headers as an empty array": closed(unprotected=Raw(b"\x80")),
        "unprotected headers as null": closed(unprotected=None),
        "a signature as a text": good[:-66] + b"\x78" + good[-65:],
        "protected headers as a text": b"\xd2\x84\x78" + good[3:],
        "unprotected headers as bytes": closed(unprotected=b"\xa0"),
        "a detached payload": closed(payload=None),
        "a payload that is no byte string": closed(payload=Raw(payload)),
        "a payload with a long head": closed(
            payload=Raw(b"\x59" + len(payload).to_bytes(2, "big") + payload)
        ),
        "a signature of 63 bytes": closed(sig=sig[:63]),
        "a signature of 65 bytes": closed(sig=sig + b"\x00"),
        "a byte behind": good + b"\x00",
        "a byte less": good[:-1],
    }
    for name, raw in rest.items():
        yield Edge("the envelope: 18([protected, {}, payload, signature])", name, False, raw)
    aad = AAD + b"x"
    foreign = cbor(["Signature1", protected(key), aad, payload])
    others = {
        "of another network": post(fields(), signed=foreign),
        "by another key": closed(
            sig=crypto_sign(cbor(["Signature1", protected(key), AAD, payload]), a_seed(2) + a_key(2))[:64]
        ),
        "with one bit changed": good[:-1] + bytes([good[-1] ^ 1]),
        "of zeros": closed(sig=bytes(64)),
    }
    for name, raw in others.items():
        yield Edge("the signature", name, False, raw)


def _names() -> Iterator[Edge]:
    yield from both(
        "board: 1 to 64 of a-z 0-9 . -",
        {
            "all characters": fields(board="abcdefghijklmnopqrstuvwxyz0123456789.-"),
            "one": fields(board="-"),
            "64": fields(board="a" * 64),
        },
        {
            "none": fields(board=""),
            "65": fields(board="a" * 65),
            "a capital": fields(board="A"),
            "an underscore": fields(board="a_b"),
            "a blank": fields(board="a b"),
            "a slash": fields(board="a/b"),
            "a line feed at its end": fields(board="a\n"),
            "a letter that is not ASCII": fields(board="\u00e9"),
            "a digit that is not ASCII": fields(board="\u0661"),
            "the character before a": fields(board="`"),
            "the character behind z": fields(board="{"),
            "the character behind 9": fields(board=":"),
            "as bytes": fields(board=b"general"),
        },
    )
    four = [ID1, ID2, ID3, ID4]
    yield from both(
        "root and parents",
        {
            "one parent": reply(),
            "four parents": reply(parents=four),
            "the root is no parent": reply(parents=[ID2]),
        },
        {
            "five parents": reply(parents=[*four, ID5]),
            "not ascending": reply(parents=[ID2, ID1]),
            "one named twice": reply(parents=[ID1, ID1]),
            "a parent of 31 bytes": reply(parents=[ID1[:31]]),
            "a parent of 33 bytes": reply(parents=[ID1 + b"\x00"]),
            "a parent as a text": reply(parents=["x" * 32]),
            "a root of 31 bytes": reply(root=ID1[:31]),
            "a root of 33 bytes": reply(root=ID1 + b"\x00"),
            "a root as a text": reply(root="x" * 32),
            "a reply without parents": reply(parents=[]),
            "parents without a root": fields(parents=[ID1]),
            "parents that are no array": reply(parents=ID1),
        },
    )


FORBIDDEN = ((0x00, 0x09), (0x0B, 0x1F), (0x7F, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069), (0xE0000, 0xE007F))
BESIDE = (0x0A, 0x20, 0x7E, 0xA0, 0x2029, 0x202F, 0x2060, 0x2065, 0x206A, 0xDFFFF, 0xE0080, 0xE0100)
OTHERS = (0x0378, 0x200D, 0xFEFF, 0xFFFE, 0xFFFF, 0x10FFFF)


def _texts() -> Iterator[Edge]:
    places = {
        "a body": lambda t: fields(content=["s", t]),
        "a subject": lambda t: fields(content=[t, "b"]),
        "a reply": lambda t: reply(content=[t]),
        "a supersede": lambda t: reply(kind=2, content=[ID2, t]),
        "a kind that nobody knows": unknown,
        "an array in it": lambda t: unknown([[t]]),
        "a version that nobody knows": lambda t: fields(version=UNKNOWN_VERSION, content=[t]),
    }
    rule = "characters of texts"
    for code in sorted({edge for pair in FORBIDDEN for edge in pair}):
        yield Edge(rule, f"U+{code:04X}", False, post(fields(content=["s", f"a{chr(code)}b"])))
        if code < 128:
            beside = post(fields(content=["s", f"\u00e9{chr(code)}b"]))
            yield Edge(rule, f"U+{code:04X} in a text that is not ASCII", False, beside)
    for code in (*BESIDE, *OTHERS):
        yield Edge(rule, f"U+{code:04X}", True, post(fields(content=["s", f"a{chr(code)}b"])))
    for code in (0x0A, 0x20, 0x7E):
        beside = post(fields(content=["s", f"\u00e9{chr(code)}b"]))
        yield Edge(rule, f"U+{code:04X} in a text that is not ASCII", True, beside)
    yield Edge(rule, "U+FEFF at the beginning", True, post(fields(content=["\ufeffs", "\ufeffb"])))
    yield Edge(rule, "decomposed, and blanks at the end", True, post(fields(content=["e\u0301 ", "b \n\n"])))
    for place, made in places.items():
        yield Edge(rule, f"U+202E in {place}", False, post(made("a\u202eb")))
    broken = {
        "a byte that begins nothing": b"\xff",
        "an overlong letter": b"\xc1\xa1",
        "a surrogate": b"\xed\xa0\x80",
        "a letter that is cut off": b"\xe2\x82",
        "above U+10FFFF": b"\xf4\x90\x80\x80",
    }
    for name, text in broken.items():
        content = Raw(cbor(["s"])[:0] + head(4, 2) + cbor("s") + head(3, len(text)) + text)
        yield Edge("texts are UTF-8", name, False, post(fields(content=content)))


def _contents() -> Iterator[Edge]:
    yield from both("content is an array", {}, {"a text": fields(content="x"), "a number": fields(content=1)})
    yield from both(
        "kind 0: a root [subject, body], a reply [body]",
        {"a root": fields(), "a reply": reply()},
        {
            "a root with a body alone": fields(content=["b"]),
            "a root with three": fields(content=["s", "b", "c"]),
            "a reply with a subject": reply(content=["s", "b"]),
            "a reply with nothing": reply(content=[]),
            "a subject as bytes": fields(content=[b"s", "b"]),
            "a body as bytes": fields(content=["s", b"b"]),
            "a body as a number": reply(content=[1]),
        },
    )
    yield from both(
        "kind 1: a reply [id]",
        {"of a reply": reply(kind=1, content=[ID2])},
        {
            "as a root": fields(kind=1, content=[ID2]),
            "of 31 bytes": reply(kind=1, content=[ID2[:31]]),
            "of 33 bytes": reply(kind=1, content=[ID2 + b"\x00"]),
            "of nothing": reply(kind=1, content=[]),
            "of two": reply(kind=1, content=[ID2, ID3]),
            "of a text": reply(kind=1, content=["x" * 32]),
        },
    )
    yield from both(
        "kind 2: a reply [id, body]",
        {"of a reply": reply(kind=2, content=[ID2, ""])},
        {
            "as a root": fields(kind=2, content=[ID2, "b"]),
            "without a body": reply(kind=2, content=[ID2]),
            "with more": reply(kind=2, content=[ID2, "b", "c"]),
            "of 31 bytes": reply(kind=2, content=[ID2[:31], "b"]),
            "with a body as bytes": reply(kind=2, content=[ID2, b"b"]),
        },
    )
    yield from both(
        "kind 5: a reply [the seed of the author's key]",
        {
            "the author's": reply(kind=5, content=[a_seed(1)]),
            "anything in version 2": reply(version=2, kind=5, content=["x"]),
        },
        {
            "another's": reply(kind=5, content=[a_seed(2)]),
            "as a root": fields(kind=5, content=[a_seed(1)]),
            "of 31 bytes": reply(kind=5, content=[a_seed(1)[:31]]),
            "of 33 bytes": reply(kind=5, content=[a_seed(1) + b"\x00"]),
            "with more": reply(kind=5, content=[a_seed(1), b""]),
            "in letters": reply(kind=5, content=["x" * 32]),
        },
    )
    yield from both(
        "kinds that this document does not know, and those set aside",
        {
            f"kind {kind}": fields(kind=kind, content=[1, b"x"])
            for kind in (3, 4, 6, 7, *range(8, 13), *range(32_766, 32_774), 64_999, 65_000)
        },
        {},
    )


def _stamps() -> Iterator[Edge]:
    yield from both(
        "stamp: [algorithm, bits, nonce]",
        {},
        {
            "two": fields(stamp=[1, 0]),
            "four": fields(stamp=[1, 0, bytes(8), 0]),
            "a nonce of 7 bytes": fields(stamp=[1, 0, bytes(7)]),
            "a nonce of 9 bytes": fields(stamp=[1, 0, bytes(9)]),
            "a nonce as a number": fields(stamp=[1, 0, 0]),
            "a nonce as a text": fields(stamp=[1, 0, "x" * 8]),
            "65 bits": fields(stamp=[1, 65, bytes(8)]),
            "-1 bits": fields(stamp=[1, -1, bytes(8)]),
            "algorithm 256": fields(stamp=[256, 0, bytes(8)]),
            "algorithm -1": fields(stamp=[-1, 0, bytes(8)]),
            "no array": fields(stamp=0),
        },
    )
    yield from both(
        "only algorithm 1 is worth anything, also on a network that asks for no bits",
        {},
        {
            "0": fields(stamp=[0, 0, bytes(8)]),
            "2": fields(stamp=[2, 0, bytes(8)]),
            "255": fields(stamp=[255, 0, bytes(8)]),
        },
    )


def edges() -> list[Edge]:
    parts = (_sizes, _numbers, _encoding, _envelopes, _names, _texts, _contents, _stamps)
    return [edge for part in parts for edge in part()]


def vectors() -> dict[str, Any]:
    return {
        "network": TEST_NETWORK.name,
        "about": "posts as [hex, times] to be joined, each at an edge of the rule it names; "
        "those to refuse break that rule alone",
        "edges": [
            {"rule": e.rule, "name": e.name, "accept": e.accept, "raw": packed(e.raw)} for e in edges()
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
