"""Keystores for tests: a KDF that costs nothing, and contents with every field in use."""

from pathlib import Path

from hypothesis import strategies as st

from p2pforum.keystore.contents import AuthorKey, Contents, Draft, OutboxPost, SentRecord, new_key
from p2pforum.keystore.format import KdfCost
from p2pforum.keystore.keystore import Keystore

CHEAP = KdfCost(passes=1, memory=64 * 1024)
PASSPHRASE = b"correct horse"

ids = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 2**31)
texts = st.text(max_size=40)

keys = st.builds(
    AuthorKey, ids, ids, ids | st.just(b""), texts, numbers, numbers, numbers, st.booleans(), numbers
)

contents = st.builds(
    Contents,
    keys=st.lists(keys, max_size=5).map(lambda found: {key.public: key for key in found}),
    speaking=st.dictionaries(ids, ids, max_size=4),
    outbox=st.lists(st.builds(OutboxPost, ids, texts, st.binary(max_size=80)), max_size=4),
    drafts=st.dictionaries(texts, st.builds(Draft, texts, texts, texts, numbers), max_size=4),
    read=st.dictionaries(ids, st.sets(st.binary(min_size=8, max_size=8)), max_size=4),
    petnames=st.dictionaries(st.tuples(ids | st.just(b""), ids), texts, max_size=4),
    sent=st.dictionaries(ids, st.builds(SentRecord, ids, ids, *[numbers] * 5), max_size=4),
)


def some_key(n: int, root: bytes = b"", name: str = "") -> AuthorKey:
    return new_key(bytes([n % 256, n // 256]) * 16, root, name, 498_000)


def a_keystore(directory: Path, passphrase: bytes | None = PASSPHRASE) -> Keystore:
    """A new one, and a second object as another process would have it."""
    Keystore(directory, cost=CHEAP).create(passphrase)
    return reopened(directory, passphrase)


def reopened(directory: Path, passphrase: bytes | None = PASSPHRASE) -> Keystore:
    return Keystore(directory, None if passphrase is None else lambda: passphrase, CHEAP)
