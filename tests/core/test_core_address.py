"""Addresses: one parser, one form for each place, whatever the version of Python."""

import ipaddress
import json

import pytest
from address_vectors import FILE, ID, vectors
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core.address import check_told, hides_ipv4, parse_address, parse_listen, parse_peer
from p2pforum.core.errors import InvalidInvite, NetworkError
from p2pforum.core.invite import Invite, encode_invite
from p2pforum.core.peer_id import peer_id_of

PUBLISHED = json.loads(FILE.read_text())


def test_the_script_makes_the_published_vectors() -> None:
    assert vectors() == PUBLISHED


@pytest.mark.parametrize("case", PUBLISHED["accept"], ids=lambda case: case["text"])
def test_accepted_and_told_in_one_form(case: dict[str, str]) -> None:
    assert str(parse_peer(case["text"])) == case["form"]
    check_told(case["form"], peer=True)
    assert encode_invite(Invite("lab", peers=(case["form"],)))
    if case["text"] != case["form"]:
        with pytest.raises(NetworkError, match="unusual"):
            check_told(case["text"], peer=True)
        with pytest.raises(InvalidInvite):
            encode_invite(Invite("lab", peers=(case["text"],)))


@pytest.mark.parametrize("case", PUBLISHED["refuse"], ids=lambda case: case["text"])
def test_refused_in_invites(case: dict[str, str]) -> None:
    with pytest.raises(NetworkError, match=r"not an address|not a peer's address"):
        check_told(case["text"], peer=True)
    with pytest.raises(InvalidInvite):
        encode_invite(Invite("lab", peers=(case["text"],)))


@given(st.ip_addresses(v=6))
def test_ipv6_is_written_as_the_library_does_but_for_the_mixed_form(
    ip: ipaddress.IPv6Address,
) -> None:
    if ip.ipv4_mapped is None:
        assert str(parse_address(f"/ip6/{ip.exploded}/tcp/1")) == f"/ip6/{ip}/tcp/1"


@given(st.binary(min_size=32, max_size=32))
def test_every_key_has_a_peer_id_and_no_part_of_it_is_one(key: bytes) -> None:
    peer = peer_id_of(key)
    assert parse_peer(f"/ip4/192.0.2.1/tcp/1/p2p/{peer}").peer == peer
    for wrong in (peer[:-1], peer[1:], peer + "1", peer.lower()):
        with pytest.raises(NetworkError, match="not a peer ID"):
            parse_peer(f"/ip4/192.0.2.1/tcp/1/p2p/{wrong}")


@pytest.mark.slow
@given(st.text(max_size=80))
def test_whatever_is_written_is_an_address_or_said_to_be_none(text: str) -> None:
    for form in (text, f"/dns/{text}/tcp/1", f"/ip6/{text}/tcp/1", f"/ip4/1.2.3.4/tcp/{text}"):
        try:
            address = parse_address(form)
        except NetworkError:
            continue
        assert parse_address(str(address)) == address


def test_a_name_has_at_most_253_characters() -> None:
    name = ".".join(["x" * 49] * 5) + ".org"
    assert len(name) == 253
    assert parse_peer(f"/dns/{name}/tcp/65535/p2p/{ID}").host == name
    with pytest.raises(NetworkError, match="not a host"):
        parse_peer(f"/dns/x{name}/tcp/65535/p2p/{ID}")


def test_what_is_listened_on() -> None:
    assert parse_listen("/ip4/127.0.0.1/tcp/0").port == 0
    for text in ("/dns/localhost/tcp/1", f"/ip4/127.0.0.1/tcp/1/p2p/{ID}", "/ip6/::ffff:127.0.0.1/tcp/1"):
        with pytest.raises(NetworkError):
            parse_listen(text)


def test_an_own_network_may_translate_addresses_but_nobody_is_told_them() -> None:
    """The user may name 64:ff9b::/96: it leads somewhere in the user's own network."""
    text = f"/ip6/64:ff9b::c000:201/tcp/1/p2p/{ID}"
    assert str(parse_peer(text)) == text
    with pytest.raises(NetworkError, match="it holds an IPv4 address"):
        check_told(text, peer=True)
    assert not hides_ipv4(ipaddress.IPv6Address("::1"))
