"""One post, one encoding: a COSE_Sign1 (RFC 9052) over a deterministic CBOR array (RFC 8949 §4.2.1).

    18([ <<{1: -19, 4: key}>>, {}, <<payload>>, signature ])      external_aad = "<network>/post/1"
    payload = [version, kind, board, root, parents, hour, content, [algorithm, bits, nonce]]

The node hashes and verifies the bytes as they came in. It encodes nothing again to check a post, except to
see that the encoding was canonical.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from p2pforum.core import envelope, kinds, limits, plain_cbor, signature, text
from p2pforum.core.errors import InvalidPost
from p2pforum.core.kinds import Meaning, Row
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post_id import ID_SIZE, post_id
from p2pforum.core.stamp import NONCE_SIZE, Stamp, is_stamped

VERSION = 1


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
        """The one encoding. The nonce is the last NONCE_SIZE bytes, so minting changes only those."""
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
    """A decoded post. `raw` are the bytes that travel, `id` is its ID, `author` the key of its pseudonym.

    Decoded means well-formed. A post is valid only after `verify_signature` and `verify_stamp`.
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
    def _row(self) -> Row | None:
        """The row of its kind, if this version understands the content."""
        row = _row_of(self.payload)
        if row is None or row.is_founding or row.fits(self.is_root, self.payload.content):
            return row
        return None

    @property
    def meaning(self) -> Meaning | None:
        """None if this version does not understand the content."""
        row = self._row
        return None if row is None else row.meaning

    @property
    def subject(self) -> str:
        row = self._row
        return str(self.payload.content[0]) if row is not None and row.has_body and self.is_root else ""

    @property
    def body(self) -> str:
        row = self._row
        return str(self.payload.content[-1]) if row is not None and row.has_body else ""

    @property
    def target(self) -> bytes:
        """The ID of the post that it is about; empty for kinds that have no target."""
        row = self._row
        return bytes(self.payload.content[0]) if row is not None and row.has_target else b""

    @property
    def texts(self) -> list[str]:
        """All texts in the content, in their order, whether this version knows what they mean or not."""
        return list(_texts(self.payload.content))

    @property
    def is_reveal(self) -> bool:
        """Whether it publishes the secret seed of its own key."""
        return _is_reveal(self.payload)

    def verify_signature(self) -> None:
        """Check the signature (rule: signature.py). Raises InvalidPost. Takes about 60 microseconds, and
        twice that for a key that was not seen lately.
        """
        if not signature.verify(self._sig_structure, self._signature, self.author):
            raise InvalidPost("the signature is not the author's")

    def verify_stamp(self, params: NetworkParams) -> None:
        """Check the proof of work (stamp.py). Raises InvalidPost. About 140 microseconds."""
        stamp = self.payload.stamp
        if stamp.bits < params.stamp_floor:
            raise InvalidPost(f"a stamp of {stamp.bits} bits, and this network asks for {params.stamp_floor}")
        if not is_stamped(self.id, stamp, self.payload.hour):
            raise InvalidPost("the stamp is not worth what it claims")


def _row_of(payload: Payload) -> Row | None:
    return kinds.TABLE.get(payload.kind) if payload.version == VERSION else None


def _is_reveal(payload: Payload) -> bool:
    row = _row_of(payload)
    return row is not None and row.is_founding and row.meaning is Meaning.REVEALS


def _texts(content: tuple[Any, ...]) -> Iterator[str]:
    for item in content:
        if isinstance(item, str):
            yield item
        elif isinstance(item, tuple):
            yield from _texts(item)


def _as_lists(value: Any) -> Any:
    return [_as_lists(v) for v in value] if isinstance(value, (tuple, list)) else value


def sig_structure(author: bytes, payload: bytes, params: NetworkParams) -> bytes:
    """The bytes that are hashed for the ID and signed."""
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
    if _is_reveal(payload):
        _check_seed(payload.content[0], author)
    structure = sig_structure(author, encoded, params)
    return Post(raw, post_id(structure), author, payload, structure, sig)


def decode_payload(encoded: bytes) -> Payload:
    """Decode the payload of a post. Raises InvalidPost unless every outer rule holds,
    whatever the version and kind.

    Besides these, only the content rules of the founding kinds of version 1 decide validity, and they do so
    for ever. The content rule of a later version or kind only decides whether a post is understood.
    """
    fields = plain_cbor.loads(encoded, limits.MAX_NESTING + 1)
    if not _is_list(fields, 8):
        raise InvalidPost("the payload is not an array of eight fields")
    version, kind, board, root, parents, hour, content, stamp = fields
    if not (_is_uint(version) and _is_uint(kind) and _is_uint(hour) and hour < limits.MAX_HOUR):
        raise InvalidPost("version, kind and hour are whole numbers from 0, the hour below 2^31")
    if version < 1 or version >= 2**16 or kind > kinds.LARGEST:
        raise InvalidPost("version or kind out of range")
    if type(board) is not str or not text.is_valid_board(board):
        raise InvalidPost("the board's name is not made of 1 to 64 of a-z 0-9 . -")
    _check_parents(root, parents)
    if type(content) is not list or not _has_valid_texts(content):  # plain_cbor checks the rest
        raise InvalidPost("the content is not an array, or a text has characters that may not travel")
    payload = Payload(
        kind, board, root, tuple(parents), hour, _as_tuples(content), _decode_stamp(stamp), version
    )
    row = _row_of(payload)
    if row is not None and row.is_founding and not row.fits(not root, payload.content):
        raise InvalidPost(f"the content is not that of a {row.name}")
    return payload


def _check_seed(seed: bytes, author: bytes) -> None:
    """Only the key's own seed reveals a key. Otherwise an attacker could publish a reveal of another person's
    key. Takes 20 microseconds.
    """
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


def _is_list(value: Any, length: int) -> bool:
    return type(value) is list and len(value) == length


def _is_uint(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**64


def _has_valid_texts(value: list[Any]) -> bool:
    """Whether all texts are valid, in this array and in the arrays inside."""
    for item in value:
        if type(item) is str:
            if not text.is_valid_text(item):
                return False
        elif type(item) is list and not _has_valid_texts(item):
            return False
    return True


def _as_tuples(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_as_tuples(v) if isinstance(v, list) else v for v in value)
