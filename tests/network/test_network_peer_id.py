"""Peer IDs and their keys: against libp2p's own code, and what the key of a network's peer ID signs."""

from random import Random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from libp2p.crypto.ed25519 import Ed25519PublicKey as LibraryKey
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.rsa import create_new_key_pair as create_new_rsa
from libp2p.crypto.secp256k1 import create_new_key_pair as create_new_secp256k1
from libp2p.peer.id import ID
from network_tools import Start

from p2pforum.core.address import parse_address
from p2pforum.core.errors import NetworkError
from p2pforum.core.peer_id import peer_id_of, public_key_of
from p2pforum.network.memory_network import MemoryHub


@given(st.binary(min_size=32, max_size=32))
def test_the_same_text_as_the_library_and_back(seed: bytes) -> None:
    public = create_new_key_pair(seed).public_key
    peer = peer_id_of(public.to_bytes())
    assert peer == ID.from_pubkey(public).to_base58()
    assert public_key_of(peer) == public.to_bytes()
    assert parse_address(f"/ip4/192.0.2.1/tcp/4001/p2p/{peer}").peer == peer


@given(
    st.text(max_size=60) | st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=60)
)
def test_no_other_text_is_taken(text: str) -> None:
    try:
        key = public_key_of(text)
    except NetworkError:
        return
    assert peer_id_of(key) == text


def test_neither_another_spelling_nor_another_kind_of_key() -> None:
    peer = peer_id_of(bytes(range(32)))
    others = [create_new_rsa(2048), create_new_secp256k1()]
    for text in [
        "",
        peer + " ",
        peer + "\n",
        "1" + peer,
        peer[:-1],
        peer.lower(),
        *(ID.from_pubkey(pair.public_key).to_base58() for pair in others),
    ]:
        with pytest.raises(NetworkError):
            public_key_of(text)


async def test_a_node_signs_with_the_key_of_its_peer_id() -> None:
    from p2pforum.network.libp2p_network import open_libp2p_network

    async with open_libp2p_network() as real, MemoryHub(Random(1)).network("a", keyed=True) as memory:
        for node in (real, memory):
            key = public_key_of(node.peer_id)
            Ed25519PublicKey.from_public_bytes(key).verify(node.sign(b"where I am"), b"where I am")
            assert LibraryKey.from_bytes(key).verify(b"where I am", node.sign(b"where I am"))
            with pytest.raises(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(key).verify(node.sign(b"where I am"), b"elsewhere")


async def test_every_network_signs(start: Start) -> None:
    node = await start()
    assert len(node.sign(b"x")) == 64
    assert node.sign(b"x") == node.sign(b"x") != node.sign(b"y")
