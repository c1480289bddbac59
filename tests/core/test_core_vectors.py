"""The published vectors are what this code says, and the script makes exactly them."""

import json

import pytest
from post_vectors import FILE, STAMPED, vectors
from strategies import TEST_NETWORK

from p2pforum.core.errors import InvalidPost
from p2pforum.core.limits import NetworkParams
from p2pforum.core.post import decode

PUBLISHED = json.loads(FILE.read_text())


def check(raw: str, params: NetworkParams) -> str:
    post = decode(bytes.fromhex(raw), params)
    post.verify_signature()
    post.verify_stamp(params)
    return post.id.hex()


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


def test_there_are_enough() -> None:
    assert len(PUBLISHED["accept"]) >= 40
    assert len(PUBLISHED["reject"]) >= 40


@pytest.mark.parametrize("case", PUBLISHED["accept"], ids=lambda case: case["name"])
def test_accepted(case: dict[str, str]) -> None:
    assert check(case["raw"], TEST_NETWORK) == case["id"]


@pytest.mark.parametrize("case", PUBLISHED["accept_with_floor_2"], ids=lambda case: case["name"])
def test_accepted_stamps(case: dict[str, str]) -> None:
    assert check(case["raw"], STAMPED) == case["id"]


@pytest.mark.parametrize("case", PUBLISHED["reject_with_floor_2"], ids=lambda case: case["name"])
def test_refused_stamps(case: dict[str, str]) -> None:
    with pytest.raises(InvalidPost):
        check(case["raw"], STAMPED)


@pytest.mark.parametrize("case", PUBLISHED["reject"], ids=lambda case: case["name"])
def test_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidPost):
        check(case["raw"], TEST_NETWORK)
