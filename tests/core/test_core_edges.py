"""Ed25519 at its edges: our rule accepts the good signatures of the published vectors and nothing else.

Negative controls: two other rules that libraries have, without the check of the key, take what ours refuses.
"""

import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from edge_vectors import BASE, FILE, SMALL, ZERO, L, encode, number, times, vectors
from nacl import bindings
from nacl.exceptions import BadSignatureError
from strategies import a_key, a_seed

from p2pforum.core import signature

PUBLISHED = json.loads(FILE.read_text())["cases"]


def parts(case: dict) -> tuple[bytes, bytes, bytes]:
    return bytes.fromhex(case["message"]), bytes.fromhex(case["signature"]), bytes.fromhex(case["key"])


@pytest.mark.slow
def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == json.loads(FILE.read_text())


def test_the_scripts_arithmetic_is_that_of_the_library() -> None:
    for n in (1, 2, 1_000):
        secret = bytearray(hashlib.sha512(a_seed(n)).digest()[:32])
        secret[0] &= 248
        secret[31] = secret[31] & 127 | 64
        assert encode(times(int.from_bytes(secret, "little"), BASE)) == a_key(n)
    assert times(L, BASE) == ZERO
    assert len(set(SMALL)) == 8
    assert all(times(8, point) == ZERO for point in SMALL)
    assert number(b"") >> 512 == 0


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["name"])
def test_the_rule(case: dict) -> None:
    assert signature.verify(*parts(case)) is case["accept"]


def test_every_kind_of_edge_is_there() -> None:
    """Each of these is what some rule in use would accept: cofactorless alone, cofactored alone, both."""
    refused = [case for case in PUBLISHED if not case["accept"]]
    assert sum(case["accept"] for case in PUBLISHED) == 2
    assert sum(case["cofactorless"] and case["cofactored"] for case in refused) >= 25
    assert sum(case["cofactored"] and not case["cofactorless"] for case in refused) >= 6
    for word in (
        "A of small",
        "R of small",
        "A with a part",
        "R with a part",
        "A spelt",
        "R spelt",
        "S + 1 L",
    ):
        assert any(case["name"].startswith(word) for case in refused), word


def accepted_by_libsodium(case: dict) -> bool:
    """Without the check of the key."""
    message, sig, key = parts(case)
    try:
        bindings.crypto_sign_open(sig + message, key)
    except BadSignatureError:
        return False
    return True


def accepted_by_openssl(case: dict) -> bool:
    message, sig, key = parts(case)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("other", [accepted_by_libsodium, accepted_by_openssl])
def test_the_vectors_tell_other_rules_from_ours(other: object) -> None:
    """The negative control: a node with one of these would split the network."""
    assert [case["name"] for case in PUBLISHED if other(case) and not case["accept"]]  # type: ignore[operator]
    assert all(other(case) for case in PUBLISHED if case["accept"])  # type: ignore[operator]
