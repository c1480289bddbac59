"""Public linking proofs: two pseudonyms show, of their own will, that they are one person.

Both keys sign the names of both: a claim by one of them alone proves nothing and is refused. A proof can't be
taken back, and convinces everyone who ever sees it.
"""

import base64
import binascii
from dataclasses import dataclass

from nacl.bindings import crypto_sign

from p2pforum.core.errors import Refused
from p2pforum.core.limits import NetworkParams
from p2pforum.core.signature import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, verify
from p2pforum.store.keystore_contents import AuthorKey

_TEXT = "p2pforum-link-1"
_SIZE = 2 * (PUBLIC_KEY_SIZE + SIGNATURE_SIZE)


@dataclass(frozen=True, slots=True)
class Link:
    """Two public keys of one person, the smaller first."""

    first: bytes
    second: bytes


def make_proof(one: AuthorKey, other: AuthorKey, params: NetworkParams) -> str:
    """One line of text, to be posted or sent. Raises Refused for a key and itself."""
    if one.public == other.public:
        raise Refused("that is one key; a proof joins two")
    first, second = sorted((one, other), key=lambda key: key.public)
    message = _message(first.public, second.public, params)
    signatures = [crypto_sign(message, key.seed + key.public)[:SIGNATURE_SIZE] for key in (first, second)]
    body = first.public + second.public + b"".join(signatures)
    return f"{_TEXT}:{base64.urlsafe_b64encode(body).decode()}"


def check_proof(text: str, params: NetworkParams) -> Link:
    """Raises Refused unless both keys signed it, for this network."""
    head, _, encoded = text.strip().partition(":")
    try:
        body = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        body = b""
    if head != _TEXT or len(body) != _SIZE or base64.urlsafe_b64encode(body).decode() != encoded:
        raise Refused("that is no linking proof, or a letter of it is wrong")
    first, second = body[:PUBLIC_KEY_SIZE], body[PUBLIC_KEY_SIZE : 2 * PUBLIC_KEY_SIZE]
    signatures = body[2 * PUBLIC_KEY_SIZE :]
    if first >= second:
        raise Refused("that is no linking proof: its keys are not two in their order")
    message = _message(first, second, params)
    by_first = verify(message, signatures[:SIGNATURE_SIZE], first)
    by_second = verify(message, signatures[SIGNATURE_SIZE:], second)
    if not (by_first and by_second):
        raise Refused("that proves nothing: not both keys signed it")
    return Link(first, second)


def _message(first: bytes, second: bytes, params: NetworkParams) -> bytes:
    """No post begins so (a Sig_structure begins with 0x84): neither signature is good for the other."""
    return f"{_TEXT}\0{params.name}\0".encode() + first + second
