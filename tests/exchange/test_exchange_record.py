"""Peer records: one encoding, one signature rule, every bound; and the number that is no clock."""

from pathlib import Path

import cbor2
import pytest
from exchange_nodes import a_record
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from strategies import TEST_NETWORK

from p2pforum.core import envelope, limits
from p2pforum.core.errors import ConfigError, P2PForumError, RemoteProtocolError
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.peer_id import public_key_of
from p2pforum.exchange.announcement import own_record
from p2pforum.exchange.record import decode, make

KEY, SECRET = crypto_sign_seed_keypair(bytes(31) + b"\x01")
HOME = "/ip4/203.0.113.7/tcp/4001"
NAMED = "/dns4/forum.example/tcp/4001"


def sign(message: bytes) -> bytes:
    return crypto_sign(message, SECRET)[:64]


def raw_with(fields: object, *, payload: bytes | None = None, aad: bytes | None = None) -> bytes:
    """Well signed, whatever it says."""
    payload = cbor2.dumps(fields, canonical=True) if payload is None else payload
    to_sign = envelope.to_be_signed(KEY, payload, TEST_NETWORK.peer_aad if aad is None else aad)
    return envelope.close(KEY, payload, sign(to_sign))


def test_what_is_signed_comes_back() -> None:
    record = make([HOME, NAMED], 7, KEY, sign, TEST_NETWORK)
    again = decode(record.raw, TEST_NETWORK)
    assert again == record
    assert again.sequence == 7
    assert again.addresses == (NAMED, HOME), "sorted: a set has one encoding"
    assert again.dialled == (f"{NAMED}/p2p/{record.peer}", f"{HOME}/p2p/{record.peer}")
    assert public_key_of(record.peer) == KEY


def test_the_order_of_the_config_file_does_not_show() -> None:
    assert make([HOME, NAMED], 1, KEY, sign, TEST_NETWORK) == make(
        [NAMED, HOME, NAMED], 1, KEY, sign, TEST_NETWORK
    )


BAD = {
    "no list": 1,
    "a field too few": [1, 1],
    "a field too many": [1, 1, [HOME], 0],
    "another version": [2, 1, [HOME]],
    "sequence 0": [1, 0, [HOME]],
    "a negative sequence": [1, -1, [HOME]],
    "a sequence beyond": [1, limits.MAX_PEER_SEQUENCE, [HOME]],
    "a sequence that is text": [1, "1", [HOME]],
    "no addresses": [1, 1, []],
    "addresses that are no list": [1, 1, HOME],
    "nine addresses": [1, 1, [f"/ip4/203.0.113.{i}/tcp/1" for i in range(1, 10)]],
    "an address that is bytes": [1, 1, [HOME.encode()]],
    "not sorted": [1, 1, [HOME, NAMED]],
    "one twice": [1, 1, [HOME, HOME]],
    "an empty address": [1, 1, [""]],
    "no slash": [1, 1, ["203.0.113.7:4001"]],
    "too long": [1, 1, ["/" + "x" * limits.MAX_PEER_ADDRESS]],
    "another's peer ID": [1, 1, [f"{HOME}/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"]],
    "not ASCII": [1, 1, ["/dns4/bücher.example/tcp/1"]],
    "a control character": [1, 1, ["/dns4/a\x1b[2J/tcp/1"]],
    "a blank": [1, 1, ["/dns4/a b/tcp/1"]],
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD.keys())
def test_bad_fields_are_refused_though_well_signed(fields: object) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(raw_with(fields), TEST_NETWORK)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        cbor2.dumps([1, 1, [HOME]]) + b"\x00",
        b"\x83\x01\x18\x01" + cbor2.dumps([HOME]),  # 1 in two bytes
        b"\x9f\x01\x01" + cbor2.dumps([HOME]) + b"\xff",  # a length left open
        b"\xd8\x23" + cbor2.dumps([1, 1, [HOME]]),  # a tag
        cbor2.dumps({0: 1}),
        cbor2.dumps([1, 1, [[[HOME]]]]),
        b"\x83\x01\x01\x81\x62\xff\xff",  # a text that is not UTF-8
    ],
)
def test_other_encodings_are_refused_though_well_signed(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(raw_with(None, payload=payload), TEST_NETWORK)


def test_the_largest_record_is_taken_and_the_next_size_is_not() -> None:
    sizes = [250, 250, 250]
    addresses = ["/" + chr(97 + i) * (size - 1) for i, size in enumerate(sizes)]
    spare = limits.MAX_PEER_RECORD - len(raw_with([1, 1, addresses]))
    assert 0 < spare < 200
    addresses.append("/" + "z" * (spare - 3))
    assert len(decode(raw_with([1, 1, addresses]), TEST_NETWORK).raw) == limits.MAX_PEER_RECORD
    with pytest.raises(RemoteProtocolError, match="more than"):
        decode(raw_with([1, 1, [*addresses[:-1], addresses[-1] + "z"]]), TEST_NETWORK)


def test_a_kind_of_address_that_comes_later_passes_through() -> None:
    later = "/garlic/abc/udp/4001"
    assert decode(raw_with([1, 1, [later]]), TEST_NETWORK).addresses == (later,)


@pytest.mark.parametrize(
    "address",
    [
        "/ip4/192.0.2.1/tcp/0",
        "/ip4/192.0.2.1/tcp/04001",
        "/ip6/2001:DB8::1/tcp/4001",
        "/ip6/::ffff:c000:201/tcp/4001",
        "/ip6/64:ff9b::c000:201/tcp/4001",
        "/dns4/Example.org/tcp/4001",
        f"/onion3/{'a' * 56}:4001",  # its checksum is another
    ],
)
def test_a_kind_that_is_known_is_written_in_the_one_form(address: str) -> None:
    with pytest.raises(RemoteProtocolError, match="no address"):
        decode(raw_with([1, 1, [address]]), TEST_NETWORK)


def test_signatures_of_other_networks_and_of_posts_do_not_count() -> None:
    fields = [1, 1, [HOME]]
    decode(raw_with(fields), TEST_NETWORK)
    for aad in (TEST_NETWORK.post_aad, NetworkParams("another-net").peer_aad, b""):
        with pytest.raises(RemoteProtocolError, match="signature"):
            decode(raw_with(fields, aad=aad), TEST_NETWORK)


def test_every_flipped_bit_is_refused() -> None:
    raw = a_record(1).raw
    for place in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(RemoteProtocolError):
            decode(bytes(flipped), TEST_NETWORK)


@given(st.binary(max_size=1_200))
def test_any_bytes_are_refused_and_never_crash(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(raw, TEST_NETWORK)


# -- this node's own, over restarts ----------------------------------------------------------------


def test_the_number_rises_only_when_the_addresses_change(tmp_path: Path) -> None:
    def start(*addresses: str) -> tuple[int, bytes]:
        raw = own_record(tmp_path, addresses, KEY, sign, TEST_NETWORK)
        return decode(raw, TEST_NETWORK).sequence, raw

    first = start(HOME)
    assert first[0] == 1
    assert start(HOME) == first, "a restart does not show: the same bytes"
    second = start(NAMED, HOME)
    assert second[0] == 2
    assert start(HOME, NAMED) == second, "nor does the order"
    assert start(HOME)[0] == 3, "back again is news"


def test_each_peer_id_keeps_its_number(tmp_path: Path) -> None:
    """Though the node takes another one for a while, as behind a proxy."""
    other, secret = crypto_sign_seed_keypair(bytes(31) + b"\x02")

    def numbers() -> tuple[int, int]:
        mine = own_record(tmp_path, [NAMED], KEY, sign, TEST_NETWORK)
        its = own_record(tmp_path, [HOME], other, lambda m: crypto_sign(m, secret)[:64], TEST_NETWORK)
        assert public_key_of(decode(its, TEST_NETWORK).peer) == other
        return decode(mine, TEST_NETWORK).sequence, decode(its, TEST_NETWORK).sequence

    own_record(tmp_path, [HOME], KEY, sign, TEST_NETWORK)
    assert numbers() == numbers() == (2, 1)


@pytest.mark.parametrize(
    "addresses",
    [[f"/ip4/203.0.113.{i}/tcp/1" for i in range(9)], ["/dns4/" + "x" * 300 + "/tcp/1"], ["/dns4/é/tcp/1"]],
    ids=["too many", "too long", "not ASCII"],
)
def test_addresses_that_fit_no_record_are_a_mistake_in_the_config(
    tmp_path: Path, addresses: list[str]
) -> None:
    with pytest.raises(ConfigError, match="announce: "):
        own_record(tmp_path, addresses, KEY, sign, TEST_NETWORK)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    own_record(tmp_path, [HOME], KEY, sign, TEST_NETWORK)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(P2PForumError, match="remove it"):
        own_record(tmp_path, [HOME], KEY, sign, TEST_NETWORK)


def test_nothing_in_a_record_is_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file at another time of another year, byte for byte."""

    def made(name: str) -> bytes:
        directory = tmp_path / name
        directory.mkdir()
        own_record(directory, [HOME], KEY, sign, TEST_NETWORK)
        return own_record(directory, [NAMED], KEY, sign, TEST_NETWORK)

    now = made("now")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.time_ns", lambda: 2 * 10**18)
    assert made("later") == now
