"""Makes docs/vectors/peer-v1.json: peer records that every node accepts and refuses, and an ask.

Deterministic: keys are small numbers. Run from the checkout:
    python -m tests.exchange.peer_vectors
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import cbor2  # noqa: E402
from exchange_nodes import a_record  # noqa: E402
from strategies import TEST_NETWORK, a_key, a_seed  # noqa: E402
from test_exchange_record import BAD, HOME, NAMED, raw_with  # noqa: E402

from p2pforum.core import envelope, limits  # noqa: E402
from p2pforum.core.limits import NetworkParams  # noqa: E402
from p2pforum.exchange.record import PeerRecord  # noqa: E402

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "peer-v1.json"


def _sized(total: int) -> list[str]:
    """Addresses of a record with `total` bytes in all."""
    addresses = ["/" + letter * 249 for letter in "abc"]
    spare = total - len(raw_with([1, 1, [*addresses, "/" + "z" * 99]]))
    return [*addresses, "/" + "z" * (99 + spare)]


def _accepted() -> list[tuple[str, int, PeerRecord]]:
    eight = [f"/ip4/203.0.113.{n}/tcp/4001" for n in range(1, 9)]
    cases = {
        "one address": (1, 1, [HOME]),
        "a name and an address, sorted": (1, 2, [NAMED, HOME]),
        "IPv6": (2, 1, ["/ip6/2001:db8::1/tcp/4001"]),
        "a kind that comes later": (2, 23, ["/garlic/abc/udp/4001"]),
        "eight addresses": (3, 24, eight),
        "1,000 bytes in all": (1, 1, _sized(limits.MAX_PEER_RECORD)),
        "the longest address": (3, 256, ["/later/" + "x" * (limits.MAX_PEER_ADDRESS - 7)]),
        "the highest number": (4, limits.MAX_PEER_SEQUENCE - 1, [HOME]),
    }
    return [
        (name, key, a_record(key, *addresses, sequence=sequence))
        for name, (key, sequence, addresses) in cases.items()
    ]


def _rejected() -> list[tuple[str, bytes]]:
    good = a_record(1, HOME).raw
    wrong = bytearray(good)
    wrong[-1] ^= 1
    return [
        *((name, raw_with(fields)) for name, fields in BAD.items()),
        ("a number in two bytes", raw_with(None, payload=b"\x83\x01\x18\x01" + cbor2.dumps([HOME]))),
        ("another signature", bytes(wrong)),
        ("a trailing byte", good + b"\x00"),
        ("signed as a post", raw_with([1, 1, [HOME]], aad=TEST_NETWORK.post_aad)),
        ("of another network", raw_with([1, 1, [HOME]], aad=NetworkParams("another-net").peer_aad)),
        ("1,001 bytes in all", raw_with([1, 1, _sized(limits.MAX_PEER_RECORD + 1)])),
        ("an address of 257 characters", raw_with([1, 1, ["/later/" + "x" * (limits.MAX_PEER_ADDRESS - 6)]])),
        *(
            (f"{name}, in a kind that comes later", raw_with([1, 1, [address]]))
            for name, address in {
                "a blank": "/later/a b",
                "a control character": "/later/a\x1b[2J",
                "not ASCII": "/later/b\u00fccher",
                "a peer ID": "/later/a/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
            }.items()
        ),
        ("too large", raw_with([1, 1, ["/" + c * 250 for c in "abcd"]])),
    ]


def _frames() -> list[dict[str, Any]]:
    """`records` is None for a frame that ends the connection; `most` is how many a reader takes."""
    one, other = (record.raw for _, _, record in _accepted()[:2])

    def joined(*records: bytes, size: int) -> bytes:
        return b"".join(len(r).to_bytes(2, "big") + r for r in records).ljust(size, b"\x00")

    small = b"\x07" * 40  # a frame's reader does not look into records
    good: list[tuple[str, bytes, int, list[bytes]]] = [
        ("an ask that says nothing", joined(size=1_024), 1, []),
        ("an ask with a record", joined(one, size=1_024), 1, [one]),
        ("an answer of two", joined(one, other, size=16_384), 32, [one, other]),
        ("an answer of 32", joined(*[small] * 32, size=16_384), 32, [small] * 32),
        ("a record of 1,000 bytes", joined(b"\x01" * 1_000, size=1_024), 1, [b"\x01" * 1_000]),
    ]
    bad = {
        "an ask with two records": (joined(small, small, size=1_024), 1),
        "an answer of 33": (joined(*[small] * 33, size=16_384), 32),
        "a record of 1,001 bytes": (joined(b"\x01" * 1_001, size=1_024), 1),
        "a record beyond the end": (b"\x03\xe8" + b"\x01" * 998, 1),
        "something behind the records": (joined(one, size=1_023) + b"\x01", 1),
        "something in an empty ask": (joined(size=1_023) + b"\x01", 1),
    }
    return [
        {"name": n, "raw": raw.hex(), "most": most, "records": [r.hex() for r in records]}
        for n, raw, most, records in good
    ] + [{"name": n, "raw": raw.hex(), "most": most, "records": None} for n, (raw, most) in bad.items()]


def vectors() -> dict[str, Any]:
    return {
        "network": TEST_NETWORK.name,
        "about": "hex; seeds are 32-byte big-endian numbers",
        "accept": [
            {
                "name": name,
                "seed": a_seed(key).hex(),
                "key": a_key(key).hex(),
                "peer": record.peer,
                "sequence": record.sequence,
                "addresses": list(record.addresses),
                "raw": record.raw.hex(),
                "signed": envelope.to_be_signed(
                    a_key(key), envelope.open_up(record.raw)[1], TEST_NETWORK.peer_aad
                ).hex(),
            }
            for name, key, record in _accepted()
        ],
        "reject": [{"name": name, "raw": raw.hex()} for name, raw in _rejected()],
        "frames": _frames(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
