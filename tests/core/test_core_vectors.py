"""The published vectors are what this code says, and the script makes exactly them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from post_vectors import FILE, vectors
from strategies import TEST_NETWORK

from p2pforum.core import limits
from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import DEFAULT_NETWORK, NetworkParams, params_for
from p2pforum.core.post import decode

PUBLISHED = json.loads(FILE.read_text())


def check(raw: str, params: NetworkParams) -> str:
    post = decode(bytes.fromhex(raw), params)
    post.verify_signature()
    post.verify_stamp(params)
    return post.id.hex()


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


def test_the_name_alone_says_which_rules_hold() -> None:
    """What is no secret and in no config: two nodes that share a name share the parameters of validity."""
    assert params_for(PUBLISHED["network"]) == TEST_NETWORK
    assert params_for("p2pforum") == DEFAULT_NETWORK
    for name in ("test", "test.", "test.lab"):
        assert params_for(name).stamp_floor == 0
    for name in ("tests", "test-lab", "a.test", "lab", "p2pforum", "testing.lab"):
        assert params_for(name) == replace(DEFAULT_NETWORK, name=name)


def test_nothing_in_the_product_makes_parameters_but_from_a_name() -> None:
    package = Path(limits.__file__).parents[1]
    makers = [p.name for p in package.rglob("*.py") if "NetworkParams(" in p.read_text()]
    assert makers == ["network_params.py"]


def test_there_are_enough() -> None:
    assert len(PUBLISHED["accept"]) >= 40
    assert len(PUBLISHED["reject"]) >= 40


@pytest.mark.parametrize("case", PUBLISHED["accept"], ids=lambda case: case["name"])
def test_accepted(case: dict[str, str]) -> None:
    assert check(case["raw"], TEST_NETWORK) == case["id"]


@pytest.mark.parametrize("case", PUBLISHED["accept_in_p2pforum"], ids=lambda case: case["name"])
def test_accepted_stamps(case: dict[str, str]) -> None:
    assert check(case["raw"], DEFAULT_NETWORK) == case["id"]


@pytest.mark.parametrize("case", PUBLISHED["reject_in_p2pforum"], ids=lambda case: case["name"])
def test_refused_stamps(case: dict[str, str]) -> None:
    with pytest.raises(InvalidPost):
        check(case["raw"], DEFAULT_NETWORK)


@pytest.mark.parametrize("case", PUBLISHED["reject"], ids=lambda case: case["name"])
def test_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidPost):
        check(case["raw"], TEST_NETWORK)
