"""One post, one encoding: a COSE_Sign1 (RFC 9052) over a deterministic CBOR array (RFC 8949 §4.2.1).

    18([ <<{1: -19, 4: key}>>, {}, <<payload>>, signature ])      external_aad = "<network>/post/1"
    payload = [version, kind, board, root, parents, hour, content, [algorithm, bits, nonce]]

Bytes that come in are hashed and verified as they are; nothing is ever re-encoded to be checked
except to see that it was canonical.
"""

import enum
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from p2pforum.core import envelope, limits, plain_cbor, signature, text
from p2pforum.core.errors import InvalidPost
from p2pforum.core.limits import NetworkParams
from p2pforum.core.post_id import ID_SIZE, post_id
from p2pforum.core.stamp import NONCE_SIZE, Stamp, is_stamped

VERSION = 1


class Kind(enum.IntEnum):
    """Others are kept and passed on if the outer rules hold, and shown as a newer format."""

    POST = 0  #: content [subject, body] in a root, [body] in a reply
    RETRACT = 1  #: content [ID of a post by the same key]
    SUPERSEDE = 2  #: content [ID of a post by the same key, new body]
    REVEAL = 5  #: content [the secret seed of the author's own key]: from then on anybody can sign with it


@dataclass(frozen=True, slots=True)
class Payload:
    """The signed fields, as values. `root` is empty in a root; `hour` counts hours since 1970."""

    kind: int
    board: str
    root: bytes
    parents: tuple[bytes, ...]
    hour: int
    content: tuple[Any, ...]
    stamp: Stamp
    version: int = VERSION

    def encode(self) -> bytes:
        """The one encoding. The nonce is the last NONCE_SIZE bytes: minting changes only those."""
        fields = [
            self.version,
            self.kind,
            self.board,
            self.root,
            list(self.parents),
            self.hour,
            _as_lists(self.content),
            [self.stamp.algorithm, self.stamp.bits, self.stamp.nonce],
        ]
        return cbor2.dumps(fields, canonical=True)


@dataclass(frozen=True)
class Post:
    """A decoded post. `raw` is what travels, `id` what it is called, `author` its pseudonym's key.

    Decoded means: well-formed. Only `verify_signature` and `verify_stamp` make it valid.
    """

    raw: bytes
    id: bytes
    author: bytes
    payload: Payload
    _sig_structure: bytes
    _signature: bytes

    @property
    def is_root(self) -> bool:
        return not self.payload.root

    @property
    def thread(self) -> bytes:
        """The ID of the root of this post's thread: its own, for a root."""
        return self.payload.root or self.id

    @property
    def is_understood(self) -> bool:
        """Whether this version knows what the content means."""
        return self.payload.version == VERSION and self.payload.kind in _CONTENT_RULES

    @property
    def subject(self) -> str:
        return str(self.payload.content[0]) if self._is_post and self.is_root else ""

    @property
    def body(self) -> str:
        has_body = self.is_understood and self.payload.kind in (Kind.POST, Kind.SUPERSEDE)
        return str(self.payload.content[-1]) if has_body else ""

    @property
    def _is_post(self) -> bool:
        return self.is_understood and self.payload.kind == Kind.POST

    @property
    def target(self) -> bytes:
        """What a retract or supersede is about; empty for other kinds."""
        if self.is_understood and self.payload.kind in (Kind.RETRACT, Kind.SUPERSEDE):
            return bytes(self.payload.content[0])
        return b""

    def verify_signature(self) -> None:
        """Raises InvalidPost. About 60 microseconds, twice that for a key not seen lately."""
        if not signature.verify(self._sig_structure, self._signature, self.author):
            raise InvalidPost("the signature is not the author's")

    def verify_stamp(self, params: NetworkParams) -> None:
        """Raises InvalidPost. About 140 microseconds."""
        stamp = self.payload.stamp
        if stamp.bits < params.stamp_floor:
            raise InvalidPost(f"a stamp of {stamp.bits} bits, and this network asks for {params.stamp_floor}")
        if not is_stamped(self.id, stamp, self.payload.hour):
            raise InvalidPost("the stamp is not worth what it claims")


def _as_lists(value: Any) -> Any:
    return [_as_lists(v) for v in value] if isinstance(value, (tuple, list)) else value


def sig_structure(author: bytes, payload: bytes, params: NetworkParams) -> bytes:
    """What is hashed and signed."""
    return envelope.to_be_signed(author, payload, params.post_aad)


def sign(payload: Payload, seed: bytes, author: bytes, params: NetworkParams) -> Post:
    """Sign with the 32-byte `seed` whose public key is `author`. Raises InvalidPost for bad fields."""
    encoded = payload.encode()
    to_sign = sig_structure(author, encoded, params)
    from nacl.bindings import crypto_sign  # see signature.py

    sig = crypto_sign(to_sign, seed + author)[: signature.SIGNATURE_SIZE]
    return decode(envelope.close(author, encoded, sig), params)


def decode(raw: bytes, params: NetworkParams) -> Post:
    """Decode strictly. Raises InvalidPost for anything but the one encoding of a well-formed post."""
    if len(raw) > limits.MAX_POST:
        raise InvalidPost(f"{len(raw)} bytes; a post has at most {limits.MAX_POST}")
    raw = bytes(raw)
    author, encoded, sig = envelope.open_up(raw)
    payload = decode_payload(encoded)
    if payload.kind == Kind.REVEAL and payload.version == VERSION:
        _check_seed(payload.content[0], author)
    structure = sig_structure(author, encoded, params)
    return Post(raw, post_id(structure), author, payload, structure, sig)


def decode_payload(encoded: bytes) -> Payload:
    """Raises InvalidPost unless every outer rule holds, whatever the version and the kind."""
    fields = plain_cbor.loads(encoded, limits.MAX_NESTING + 1)
    if not _is_list(fields, 8):
        raise InvalidPost("the payload is not an array of eight fields")
    version, kind, board, root, parents, hour, content, stamp = fields
    if not (_is_uint(version) and _is_uint(kind) and _is_uint(hour) and hour < limits.MAX_HOUR):
        raise InvalidPost("version, kind and hour are whole numbers from 0, the hour below 2^31")
    if version < 1 or version >= 2**16 or kind >= 2**16:
        raise InvalidPost("version or kind out of range")
    if type(board) is not str or not text.is_valid_board(board):
        raise InvalidPost("the board's name is not made of 1 to 64 of a-z 0-9 . -")
    _check_parents(root, parents)
    if type(content) is not list or not _has_valid_texts(content):  # what else may be in it: plain_cbor
        raise InvalidPost("the content is not an array, or a text has characters that may not travel")
    payload = Payload(
        kind, board, root, tuple(parents), hour, _as_tuples(content), _decode_stamp(stamp), version
    )
    if version == VERSION and kind in _CONTENT_RULES and not _CONTENT_RULES[kind](payload):
        raise InvalidPost(f"the content is not that of a {Kind(kind).name.lower()}")
    return payload


def _check_seed(seed: bytes, author: bytes) -> None:
    """Only a key's own seed reveals it, or anybody could say so of anybody's. 20 microseconds."""
    from nacl.bindings import crypto_sign_seed_keypair

    if crypto_sign_seed_keypair(seed)[0] != author:
        raise InvalidPost("the seed is not that of the author's key")


def _check_parents(root: Any, parents: Any) -> None:
    """A root has neither root nor parents; a reply has a root and 1-4 distinct, sorted parents."""
    if type(root) is not bytes or len(root) not in (0, ID_SIZE):
        raise InvalidPost("the root is not an ID")
    if type(parents) is not list or len(parents) > limits.MAX_PARENTS:
        raise InvalidPost(f"more than {limits.MAX_PARENTS} parents")
    if any(type(p) is not bytes or len(p) != ID_SIZE for p in parents):
        raise InvalidPost("a parent is not an ID")
    if any(a >= b for a, b in itertools.pairwise(parents)):
        raise InvalidPost("parents are not sorted, or one is named twice")
    if bool(root) != bool(parents):
        raise InvalidPost("a reply names its root and its parents, a root names neither")


def _decode_stamp(stamp: Any) -> Stamp:
    if not _is_list(stamp, 3) or not (_is_uint(stamp[0]) and _is_uint(stamp[1])):
        raise InvalidPost("the stamp is not [algorithm, bits, nonce]")
    algorithm, bits, nonce = stamp
    if (
        type(nonce) is not bytes
        or len(nonce) != NONCE_SIZE
        or bits > limits.MAX_STAMP_BITS
        or algorithm > 255
    ):
        raise InvalidPost("the stamp is out of range")
    return Stamp(algorithm, bits, nonce)


# That the texts of the content are valid was seen before any of these rules is asked.
def _is_body(value: Any) -> bool:
    return type(value) is str and len(value.encode()) <= limits.MAX_BODY


def _is_subject(value: Any) -> bool:
    return type(value) is str and len(value.encode()) <= limits.MAX_SUBJECT and "\n" not in value


def _is_id(value: Any) -> bool:
    return type(value) is bytes and len(value) == ID_SIZE


def _post_rule(p: Payload) -> bool:
    c = p.content
    if not p.root:
        return len(c) == 2 and _is_subject(c[0]) and _is_body(c[1])
    return len(c) == 1 and _is_body(c[0])


def _retract_rule(p: Payload) -> bool:
    return bool(p.root) and len(p.content) == 1 and _is_id(p.content[0])


def _supersede_rule(p: Payload) -> bool:
    return bool(p.root) and len(p.content) == 2 and _is_id(p.content[0]) and _is_body(p.content[1])


def _reveal_rule(p: Payload) -> bool:
    """That the seed is the author's, `decode` checks: the payload does not say who signs."""
    return bool(p.root) and len(p.content) == 1 and type(p.content[0]) is bytes and len(p.content[0]) == 32


_CONTENT_RULES = {
    Kind.POST: _post_rule,
    Kind.RETRACT: _retract_rule,
    Kind.SUPERSEDE: _supersede_rule,
    Kind.REVEAL: _reveal_rule,
}


def _is_list(value: Any, length: int) -> bool:
    return type(value) is list and len(value) == length


def _is_uint(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**64


def _has_valid_texts(value: list[Any]) -> bool:
    """In this array and in those within."""
    for item in value:
        if type(item) is str:
            if not text.is_valid_text(item):
                return False
        elif type(item) is list and not _has_valid_texts(item):
            return False
    return True


def _as_tuples(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_as_tuples(v) if isinstance(v, list) else v for v in value)
