"""Public linking proofs: two pseudonyms show, of their own will, that they are one person.

Both keys sign the names of both. A claim by one key alone proves nothing and is refused. A proof can't be
taken back, and convinces every person who ever sees it. For one reader alone: private_linking.py.
"""

import base64
import binascii
from dataclasses import dataclass

from nacl.bindings import crypto_sign

from p2pforum.core.errors import Refused
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.signature import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, verify
from p2pforum.keystore.contents import AuthorKey

HEAD = "p2pforum-link-1"
_SIZE = 2 * (PUBLIC_KEY_SIZE + SIGNATURE_SIZE)


@dataclass(frozen=True, slots=True)
class LinkedKeys:
    """Two public keys of one person, the smaller first."""

    first: bytes
    second: bytes


def make_proof(one: AuthorKey, other: AuthorKey, params: NetworkParams) -> str:
    """One line of text, to be posted or sent. Raises Refused if both keys are the same."""
    if one.public == other.public:
        raise Refused("you gave one key twice; a proof joins two keys")
    first, second = sorted((one, other), key=lambda key: key.public)
    message = _message(first.public, second.public, params)
    signatures = [crypto_sign(message, key.seed + key.public)[:SIGNATURE_SIZE] for key in (first, second)]
    body = first.public + second.public + b"".join(signatures)
    return armoured(HEAD, body)


def check_proof(text: str, params: NetworkParams) -> LinkedKeys:
    """The two keys of a proof. Raises Refused unless both keys signed it, for this network."""
    body = unarmoured(HEAD, text, _SIZE)
    first, second = body[:PUBLIC_KEY_SIZE], body[PUBLIC_KEY_SIZE : 2 * PUBLIC_KEY_SIZE]
    signatures = body[2 * PUBLIC_KEY_SIZE :]
    if first >= second:
        raise Refused("that is not a linking proof: its keys are not two different keys in order")
    message = _message(first, second, params)
    by_first = verify(message, signatures[:SIGNATURE_SIZE], first)
    by_second = verify(message, signatures[SIGNATURE_SIZE:], second)
    if not (by_first and by_second):
        raise Refused("that proves nothing: one of the keys did not sign it")
    return LinkedKeys(first, second)


def _message(first: bytes, second: bytes, params: NetworkParams) -> bytes:
    """The bytes that both keys sign. No post begins like this (a Sig_structure begins with 0x84), so a
    signature of a proof is no signature of a post, and the other way round.
    """
    return f"{HEAD}\0{params.name}\0".encode() + first + second


def armoured(head: str, body: bytes) -> str:
    """The proof as one line of letters that can be part of a post."""
    return f"{head}:{_letters(body)}"


def unarmoured(head: str, text: str, size: int) -> bytes:
    """The bytes behind `head`. Raises Refused for any other spelling of them, and for any other length."""
    found, _, letters = text.strip().partition(":")
    try:
        body = base64.b64decode(letters + "=" * (-len(letters) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        body = b""
    if found != head or len(body) != size or _letters(body) != letters:
        raise Refused("that is not a linking proof, or a letter of it is wrong")
    return body


def _letters(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")
