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
from p2pforum.core.network_params import NetworkParams  # noqa: E402
from p2pforum.exchange.record import PeerRecord  # noqa: E402
from p2pforum.exchange.wire import ASK_SIZE, encode_frame  # noqa: E402

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "peer-v1.json"


def _accepted() -> list[tuple[str, int, PeerRecord]]:
    eight = [f"/ip4/203.0.113.{n}/tcp/4001" for n in range(1, 9)]
    cases = {
        "one address": (1, 1, [HOME]),
        "a name and an address, sorted": (1, 2, [NAMED, HOME]),
        "IPv6": (2, 1, ["/ip6/2001:db8::1/tcp/4001"]),
        "a kind that comes later": (2, 23, ["/garlic/abc/udp/4001"]),
        "eight addresses": (3, 24, eight),
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
        ("too large", raw_with([1, 1, ["/" + c * 250 for c in "abcd"]])),
    ]


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
        "ask": encode_frame([_accepted()[0][2].raw], ASK_SIZE).hex(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
