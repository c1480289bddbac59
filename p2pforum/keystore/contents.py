"""What a keystore holds: everything that says "mine", as values and as CBOR.

Not how it is sealed or written (format.py, keystore.py). Decoding is strict: one spelling, exact types, and a
version that this program knows.
"""

from dataclasses import astuple, dataclass, field
from typing import Any

import cbor2
from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.core.errors import KeystoreError

VERSION = 3  # 1 had no `sent`; 1 and 2 had one draft for each destination, and no IDs
SEED_SIZE = 32  # bytes
MARK_SIZE = 8  # bytes of a post ID that a read mark keeps: an attacker needs 2^64 work to forge one


# No repr shows a secret, because a traceback or a log line would keep it.


@dataclass(slots=True)
class AuthorKey:
    """One pseudonym's secret. `root` is its thread, empty for a named pseudonym; times are
    hours since 1970.
    """

    public: bytes
    seed: bytes = field(repr=False)
    root: bytes = field(repr=False)
    name: str = field(repr=False)
    made: int
    used: int
    posts: int = 0
    keep: bool = False  #: not to be burnt when idle
    warned: int = 0  #: hour when the user was warned that it will be burnt; 0 if not warned


@dataclass(slots=True, repr=False)
class OutboxPost:
    """A post that was signed and that no store has acknowledged yet."""

    id: bytes
    network: str
    raw: bytes


@dataclass(slots=True, repr=False)
class Draft:
    """Text not sent yet. `destination` says where it is to go; `hour` is the hour of the last change."""

    destination: str
    subject: str
    body: str
    hour: int


@dataclass(frozen=True, slots=True, repr=False)
class SentRecord:
    """How a post of mine left this machine. The node told it to the front end that handed the
    post in, and then forgot it.

    `author` is the key, `hour` the hour of leaving. Numbers of peers: the node `handed` it to so many, `told`
    so many of it, and `heard` it from so many. The latter two count the `seconds` after it left.
    """

    author: bytes
    root: bytes
    hour: int
    handed: int
    told: int
    heard: int
    seconds: int


@dataclass(repr=False)
class Contents:
    """An open keystore. Change it inside `Keystore.transaction()`; elsewhere it is a copy."""

    keys: dict[bytes, AuthorKey] = field(default_factory=dict)  #: by public key
    speaking: dict[bytes, bytes] = field(default_factory=dict)  #: root of a thread -> key I use in it
    outbox: list[OutboxPost] = field(default_factory=list)  #: in the order of signing
    drafts: dict[str, Draft] = field(default_factory=dict)  #: by ID: 8 random letters
    read: dict[bytes, set[bytes]] = field(default_factory=dict)  #: root -> marks (heads of post IDs)
    petnames: dict[tuple[bytes, bytes], str] = field(default_factory=dict)  #: (root or b"", key) -> name
    sent: dict[bytes, SentRecord] = field(default_factory=dict)  #: by post ID

    def key_for_thread(self, root: bytes) -> AuthorKey | None:
        """The key that I use in this thread, if I wrote there and have not burnt it."""
        return self.keys.get(self.speaking.get(root, b""))

    def pseudonym(self, name: str) -> AuthorKey | None:
        """The named pseudonym of that name."""
        return next((key for key in self.keys.values() if name and key.name == name), None)

    def is_mine(self, public_key: bytes) -> bool:
        return public_key in self.keys

    def petname(self, root: bytes, public_key: bytes) -> str:
        """My name for this pseudonym: that of the thread first, then the one that holds in all threads."""
        return self.petnames.get((root, public_key)) or self.petnames.get((b"", public_key), "")

    def mark_read(self, root: bytes, post_ids: list[bytes]) -> None:
        self.read.setdefault(root, set()).update(post_id[:MARK_SIZE] for post_id in post_ids)

    def is_read(self, root: bytes, post_id: bytes) -> bool:
        return post_id[:MARK_SIZE] in self.read.get(root, ())


_SENT_TYPES = (bytes, bytes, bytes, int, int, int, int, int)
_KEY_TYPES = (bytes, bytes, bytes, str, int, int, int, bool, int)


def _key_fields(key: AuthorKey) -> list[Any]:
    return [key.seed, key.root, key.name, key.made, key.used, key.posts, key.keep, key.warned]


def new_key(seed: bytes, root: bytes, name: str, hour: int) -> AuthorKey:
    """The pseudonym of a 32-byte random seed."""
    return AuthorKey(public_key(seed), seed, root, name, hour, hour)


def public_key(seed: bytes) -> bytes:
    return bytes(crypto_sign_seed_keypair(seed)[0])


def encode(contents: Contents) -> bytes:
    """Deterministic: the same contents give the same bytes, in whatever order they were put in."""
    return _encoded(contents, VERSION)


def _encoded(contents: Contents, version: int) -> bytes:
    fields = [version, *_fields(contents)]
    if version < 3:
        fields[4] = [row[1:] for row in fields[4]]
    return cbor2.dumps(fields[:7] if version < 2 else fields, canonical=True)


def _fields(contents: Contents) -> list[Any]:
    return [
        [[public, *_key_fields(key)] for public, key in sorted(contents.keys.items())],
        sorted([root, key] for root, key in contents.speaking.items()),
        [[post.id, post.network, post.raw] for post in contents.outbox],
        [[draft_id, *astuple(draft)] for draft_id, draft in sorted(contents.drafts.items())],
        [[root, b"".join(sorted(marks))] for root, marks in sorted(contents.read.items())],
        [[root, key, name] for (root, key), name in sorted(contents.petnames.items())],
        [[post_id, *astuple(sent)] for post_id, sent in sorted(contents.sent.items())],
    ]


def decode(raw: bytes) -> Contents:
    """The contents in CBOR bytes. Raises KeystoreError for any bytes that `encode` does not write."""
    try:
        fields = cbor2.loads(raw)
        canonical = cbor2.dumps(fields, canonical=True)
    except Exception as error:  # cbor2 raises many kinds; all mean the same here
        raise _damaged() from error
    if type(fields) is not list or not fields or type(fields[0]) is not int:
        raise _damaged()
    if fields[0] > VERSION:
        raise KeystoreError("the keystore was written by a newer version of p2pforum; update this one")
    if fields[0] < 1 or len(fields) != (7 if fields[0] == 1 else 8) or canonical != raw:
        raise _damaged()
    contents = Contents()
    contents.keys = {row[0]: AuthorKey(*row) for row in _rows(fields[1], *_KEY_TYPES)}
    contents.speaking = dict(_rows(fields[2], bytes, bytes))
    contents.outbox = [OutboxPost(*row) for row in _rows(fields[3], bytes, str, bytes)]
    contents.drafts = _drafts(fields[4], fields[0])
    contents.read = {root: _marks(packed) for root, packed in _rows(fields[5], bytes, bytes)}
    contents.petnames = {(root, key): name for root, key, name in _rows(fields[6], bytes, bytes, str)}
    if fields[0] > 1:
        contents.sent = {row[0]: SentRecord(*row[1:]) for row in _rows(fields[7], *_SENT_TYPES)}
    if _encoded(contents, fields[0]) != raw:  # order, doubles: a second spelling
        raise _damaged()
    return contents


def _drafts(rows: Any, version: int) -> dict[str, Draft]:
    if version < 3:  # numbered in their order, so that each reading gives the same IDs until it is written
        return {f"{n:08}": Draft(*row) for n, row in enumerate(_rows(rows, str, str, str, int), 1)}
    return {row[0]: Draft(*row[1:]) for row in _rows(rows, str, str, str, str, int)}


def _damaged() -> KeystoreError:
    return KeystoreError("the contents of the keystore are damaged; restore a backup")


def _rows(value: Any, *types: type) -> list[list[Any]]:
    if type(value) is not list:
        raise _damaged()
    for row in value:
        if type(row) is not list or tuple(map(type, row)) != types:
            raise _damaged()
    return value


def _marks(packed: bytes) -> set[bytes]:
    if len(packed) % MARK_SIZE:
        raise _damaged()
    return {packed[i : i + MARK_SIZE] for i in range(0, len(packed), MARK_SIZE)}
