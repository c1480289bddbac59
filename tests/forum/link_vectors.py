"""Makes docs/vectors/links-v1.json: linking proofs that every program accepts, and ones that it refuses.

Deterministic: keys are small numbers, and what a maker would draw at random is a hash. To run it:
    python -m tests.forum.link_vectors
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "core")]

import edge_vectors as edges  # noqa: E402, F401 - plain arithmetic, for the test
from nacl.bindings import crypto_core_ed25519_scalar_reduce  # noqa: E402
from strategies import TEST_NETWORK, a_key, a_seed  # noqa: E402

from p2pforum.forum import linking, private_linking  # noqa: E402
from p2pforum.keystore.contents import AuthorKey, new_key  # noqa: E402

FILE = Path(__file__).parents[2] / "docs" / "vectors" / "links-v1.json"
ORDER = 2**252 + 27742317777372353535851937790883648493


def key(n: int) -> AuthorKey:
    return new_key(a_seed(n), b"", "", 0)


def drawn(name: str) -> bytes:
    return bytes(crypto_core_ed25519_scalar_reduce(hashlib.sha512(name.encode()).digest()))


def _owners() -> dict[str, bytes]:
    return {name: drawn(name) for name in ("nonce_first", "nonce_second", "share_reader", "answer_reader")}


def _readers() -> dict[str, bytes]:
    return {name: drawn(name) for name in ("share_owner", "answer_first", "answer_second", "nonce_reader")}


def _body(proof: str) -> bytes:
    letters = proof.partition(":")[2]
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def _refused(public: str, private: str) -> dict[str, str]:
    body, signed = _body(private), _body(public)

    def with_body(changed: bytes) -> str:
        return linking.armoured(private_linking.HEAD, changed)

    share = int.from_bytes(body[96:128], "little") + ORDER
    second, first = body[32:64], body[:32]
    return {
        "public, one signature of another message": linking.armoured(linking.HEAD, signed[:-64] + bytes(64)),
        "public, one key's signature twice": linking.armoured(linking.HEAD, signed[:128] + signed[64:128]),
        "public, keys in the other order": linking.armoured(
            linking.HEAD, signed[32:64] + signed[:32] + signed[128:] + signed[64:128]
        ),
        "public, one byte more": linking.armoured(linking.HEAD, signed + b"\0"),
        "private, padded": private + "==",
        "private, a share plus L": with_body(body[:96] + share.to_bytes(32, "little") + body[128:]),
        "private, a share of 0": with_body(body[:96] + bytes(32) + body[128:]),
        "private, shares exchanged": with_body(body[:96] + body[128:160] + body[96:128] + body[160:]),
        "private, for another reader": with_body(body[:64] + a_key(4) + body[96:]),
        "private, the reader one of the two": with_body(body[:64] + first + body[96:]),
        "private, keys in the other order": with_body(
            second + first + body[64:192] + body[224:256] + body[192:224]
        ),
        "private, a key of small order": with_body(body[:64] + b"\1" + bytes(31) + body[96:]),
        "private, under the public head": linking.armoured(linking.HEAD, body),
    }


def vectors() -> dict[str, Any]:
    one, other, reader = key(1), key(2), key(3)
    public = linking.make_proof(one, other, TEST_NETWORK)
    by_owner = private_linking.make(
        one, other, reader.public, TEST_NETWORK, private_linking.OwnerChoice(**_owners())
    )
    by_reader = private_linking.forge(
        one.public, other.public, reader, TEST_NETWORK, private_linking.ReaderChoice(**_readers())
    )
    return {
        "about": "seeds are 32-byte big-endian numbers: 1 and 2 are linked, 3 is the reader. `drawn`: what "
        "the maker drew (r_A nonce_first, r_B nonce_second, c_V share_reader, s_V answer_reader; "
        "c_O share_owner, s_A answer_first, s_B answer_second, r_V nonce_reader), little-endian, in hex",
        "network": TEST_NETWORK.name,
        "public": {"proof": public},
        "private_by_owner": {"drawn": {k: v.hex() for k, v in _owners().items()}, "proof": by_owner},
        "private_by_reader": {"drawn": {k: v.hex() for k, v in _readers().items()}, "proof": by_reader},
        "reject": _refused(public, by_owner),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
