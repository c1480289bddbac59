"""Private linking proofs: they convince one reader that two pseudonyms are one person, and no
other reader.

Three Schnorr proofs joined: "I know the secrets of both keys, or I know the reader's" (Cramer, Damgård and
Schoenmakers, CRYPTO 1994), which is a designated-verifier proof (Jakobsson, Sako and Impagliazzo, EUROCRYPT
1996). The reader knows that he did not make the proof. To all others it is no proof, because the reader could
have made it alone (`forge`). Not public proofs (linking.py). docs/PROTOCOL.md has the exact text.
"""

import hashlib
from dataclasses import dataclass, field

from nacl import bindings
from nacl.utils import random

from p2pforum.core.errors import Refused
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.signature import PUBLIC_KEY_SIZE, is_valid_key
from p2pforum.forum.linking import armoured, unarmoured
from p2pforum.keystore.contents import AuthorKey

HEAD = "p2pforum-private-link-1"
_ORDER = 2**252 + 27742317777372353535851937790883648493  # of the group: scalars are below it
_FIELDS = 8  # three keys, five scalars
_NO_POINT = b"\xff" * 32  # begins what is hashed: no R of a signature, so no challenge here is one there


@dataclass(frozen=True, slots=True)
class PrivatelyLinkedKeys:
    """Two keys of one person, the smaller first, and the only key whose owner can know that."""

    first: bytes
    second: bytes
    reader: bytes

    @property
    def keys(self) -> bytes:
        return self.first + self.second + self.reader


@dataclass(frozen=True, slots=True)
class OwnerChoice:
    """What the owner of both keys draws: two nonces, and the reader's part of the proof."""

    nonce_first: bytes = field(default_factory=lambda: _scalar())
    nonce_second: bytes = field(default_factory=lambda: _scalar())
    share_reader: bytes = field(default_factory=lambda: _scalar())
    answer_reader: bytes = field(default_factory=lambda: _scalar())


@dataclass(frozen=True, slots=True)
class ReaderChoice:
    """What a reader who forges a proof draws: a nonce, and the owner's part of the proof."""

    share_owner: bytes = field(default_factory=lambda: _scalar())
    answer_first: bytes = field(default_factory=lambda: _scalar())
    answer_second: bytes = field(default_factory=lambda: _scalar())
    nonce_reader: bytes = field(default_factory=lambda: _scalar())


def make(
    one: AuthorKey, other: AuthorKey, reader: bytes, params: NetworkParams, choice: OwnerChoice | None = None
) -> str:
    """One line of text for the owner of the key `reader`, who should be that key's only
    owner. Raises Refused.
    """
    first, second = sorted((one, other), key=lambda key: key.public)
    linked = _checked(PrivatelyLinkedKeys(first.public, second.public, reader))
    c = choice or OwnerChoice()
    commitments = (
        _base(c.nonce_first) + _base(c.nonce_second) + _opened(c.answer_reader, c.share_reader, reader)
    )
    share = bindings.crypto_core_ed25519_scalar_sub(_challenge(linked, commitments, params), c.share_reader)
    answers = (
        _answer(c.nonce_first, share, first),
        _answer(c.nonce_second, share, second),
        c.answer_reader,
    )
    return armoured(HEAD, linked.keys + share + c.share_reader + b"".join(answers))


def forge(
    first: bytes, second: bytes, reader: AuthorKey, params: NetworkParams, choice: ReaderChoice | None = None
) -> str:
    """The same, made by the reader alone, about any two keys. Because he can do this, a proof is worth
    nothing to others.
    """
    linked = _checked(PrivatelyLinkedKeys(min(first, second), max(first, second), reader.public))
    c = choice or ReaderChoice()
    opened = (
        _opened(c.answer_first, c.share_owner, linked.first),
        _opened(c.answer_second, c.share_owner, linked.second),
    )
    commitments = b"".join(opened) + _base(c.nonce_reader)
    share = bindings.crypto_core_ed25519_scalar_sub(_challenge(linked, commitments, params), c.share_owner)
    answer = _answer(c.nonce_reader, share, reader)
    return armoured(HEAD, linked.keys + c.share_owner + share + c.answer_first + c.answer_second + answer)


def check(text: str, params: NetworkParams) -> PrivatelyLinkedKeys:
    """Raises Refused unless the owner of both keys made it, or the owner of the reader's key.

    Only the owner of the reader's key can tell which, if he alone has that key: he knows
    whether he made it.
    """
    body = unarmoured(HEAD, text, _FIELDS * 32)
    fields = [body[i : i + 32] for i in range(0, len(body), 32)]
    linked, scalars = PrivatelyLinkedKeys(*fields[:3]), fields[3:]
    if _checked(linked) != linked or linked.first >= linked.second:
        raise Refused("that is not a private linking proof: its keys are not in order")
    if not all(0 < int.from_bytes(scalar, "little") < _ORDER for scalar in scalars):
        raise Refused("that is not a private linking proof: a number in it is out of range")
    owner, reader, *answers = scalars
    parts = zip(answers, (owner, owner, reader), (linked.first, linked.second, linked.reader), strict=True)
    commitments = b"".join(_opened(answer, share, key) for answer, share, key in parts)
    if bindings.crypto_core_ed25519_scalar_add(owner, reader) != _challenge(linked, commitments, params):
        raise Refused("that proves nothing: neither the owner of both keys nor the reader made it")
    return linked


def _checked(linked: PrivatelyLinkedKeys) -> PrivatelyLinkedKeys:
    """Three different keys, each of the prime-order group. With other keys the equations could hold by
    accident. Raises Refused.
    """
    keys = (linked.first, linked.second, linked.reader)
    if linked.first == linked.second:
        raise Refused("you gave one key twice; a proof joins two keys")
    if linked.reader in keys[:2]:
        raise Refused("the reader's key can't be one of the two: the proof would say nothing about the other")
    if not all(len(key) == PUBLIC_KEY_SIZE and is_valid_key(key) for key in keys):
        raise Refused("one of the keys can't sign a post")
    return linked


def _challenge(linked: PrivatelyLinkedKeys, commitments: bytes, params: NetworkParams) -> bytes:
    said = _NO_POINT + f"{HEAD}\0{params.name}\0".encode() + linked.keys + commitments
    return bindings.crypto_core_ed25519_scalar_reduce(hashlib.sha512(said).digest())


def _answer(nonce: bytes, share: bytes, key: AuthorKey) -> bytes:
    """nonce + share * secret: only the key's owner can find it for a share chosen by a hash."""
    secret = _secret(key.seed)
    return bindings.crypto_core_ed25519_scalar_add(
        nonce, bindings.crypto_core_ed25519_scalar_mul(share, secret)
    )


def _opened(answer: bytes, share: bytes, key: bytes) -> bytes:
    """answer * B - share * key: the commitment that the answer fits."""
    return bindings.crypto_core_ed25519_sub(
        _base(answer), bindings.crypto_scalarmult_ed25519_noclamp(share, key)
    )


def _base(scalar: bytes) -> bytes:
    return bytes(bindings.crypto_scalarmult_ed25519_base_noclamp(scalar))


def _secret(seed: bytes) -> bytes:
    """The number whose multiple of the base point the public key is (RFC 8032 §5.1.5)."""
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    return bindings.crypto_core_ed25519_scalar_reduce(bytes(digest) + bytes(32))


def _scalar() -> bytes:
    return bindings.crypto_core_ed25519_scalar_reduce(random(64))
