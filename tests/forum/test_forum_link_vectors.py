"""The published linking proofs are what this code makes, accepts and refuses."""

import base64
import hashlib
import json

import pytest
from link_vectors import FILE, edges, vectors
from strategies import TEST_NETWORK, a_key

from p2pforum.core.errors import Refused
from p2pforum.core.network_params import params_for
from p2pforum.forum import linking, private_linking

PUBLISHED = json.loads(FILE.read_text())


def check(proof: str, network: object = TEST_NETWORK) -> object:
    module = private_linking.check if proof.startswith(private_linking.HEAD) else linking.check_proof
    return module(proof, network)


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


@pytest.mark.parametrize("name", ["public", "private_by_owner", "private_by_reader"])
def test_accepted(name: str) -> None:
    found = check(PUBLISHED[name]["proof"])
    assert {found.first, found.second} == {a_key(1), a_key(2)}
    assert getattr(found, "reader", a_key(3)) == a_key(3)
    with pytest.raises(Refused):
        check(PUBLISHED[name]["proof"], params_for("test.other"))


@pytest.mark.parametrize("name", ["private_by_owner", "private_by_reader"])
def test_the_protocols_text_is_enough_to_check_one(name: str) -> None:
    """By plain integers, as docs/PROTOCOL.md says, without a line of the program."""
    head, _, letters = PUBLISHED[name]["proof"].partition(":")
    body = base64.urlsafe_b64decode(letters + "==")
    keys, scalars = [body[i : i + 32] for i in (0, 32, 64)], [body[i : i + 32] for i in range(96, 256, 32)]
    first, second, reader = (edges.decode(key) for key in keys)
    by_owner, by_reader, *answers = (int.from_bytes(scalar, "little") for scalar in scalars)
    opened = b""
    for answer, share, point in zip(
        answers, (by_owner, by_owner, by_reader), (first, second, reader), strict=True
    ):
        opened += edges.encode(
            edges.add(edges.times(answer, edges.BASE), edges.minus(edges.times(share, point)))
        )
    said = b"\xff" * 32 + head.encode() + b"\0test.net\0" + b"".join(keys) + opened
    hashed = int.from_bytes(hashlib.sha512(said).digest(), "little")
    assert (by_owner + by_reader - hashed) % edges.L == 0
    assert (by_owner + by_reader - hashed - 1) % edges.L != 0


@pytest.mark.parametrize("name", PUBLISHED["reject"])
def test_refused(name: str) -> None:
    with pytest.raises(Refused):
        check(PUBLISHED["reject"][name])
