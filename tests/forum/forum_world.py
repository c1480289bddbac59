"""A person with a keystore, and a shelf of posts that takes only what the door would take.

The shelf is the store's reader and the node's `submit` in one, in memory: the real ones are in
test_forum_store.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keystore_samples import a_keystore
from strategies import HOUR, TEST_NETWORK

from p2pforum.core.errors import P2PForumError
from p2pforum.core.kinds import Meaning
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Outcome
from p2pforum.forum.publish import Publisher
from p2pforum.keystore.keystore import Keystore

STAMPED = NetworkParams("stamped-net", stamp_floor=1, stamp_default=4, stamp_first=5, stamp_own_thread=3)


@dataclass(frozen=True)
class Row:
    """A post as the store gives it."""

    post: Post
    released: bool = True

    @property
    def id(self) -> bytes:
        return self.post.id

    @property
    def root(self) -> bytes:
        return self.post.thread

    @property
    def board(self) -> str:
        return self.post.payload.board

    @property
    def author(self) -> bytes:
        return self.post.author

    @property
    def hour(self) -> int:
        return self.post.payload.hour

    @property
    def parents(self) -> tuple[bytes, ...]:
        return self.post.payload.parents

    @property
    def kind(self) -> int:
        return self.post.payload.kind

    @property
    def subject(self) -> str:
        return self.post.subject

    @property
    def body(self) -> str:
        return self.post.body

    @property
    def target(self) -> bytes:
        return self.post.target

    @property
    def meaning(self) -> Meaning | None:
        return self.post.meaning


@dataclass
class Shelf:
    params: NetworkParams = TEST_NETWORK
    rows: dict[bytes, Row] = field(default_factory=dict)
    released: bool = True  #: whether what is handed in counts as heard back at once
    trouble: P2PForumError | None = None
    answer: Outcome = Outcome.STORED
    path: Path = Path("shelf")

    def put(self, *posts: Post) -> None:
        for post in posts:
            self.rows[post.id] = Row(post)

    def post(self, post_id: bytes) -> Row | None:
        return self.rows.get(post_id)

    def pinned(self) -> list[bytes]:
        return []

    def unreleased(self) -> list[Row]:
        return [row for row in self.rows.values() if not row.released]

    def thread(self, root: bytes) -> Sequence[Row]:
        return [row for row in self.rows.values() if row.root == root]

    def revealed(self, keys: Iterable[bytes]) -> set[bytes]:
        published = {row.author for row in self.rows.values() if row.meaning is Meaning.REVEALS}
        return published & set(keys)

    def submit(self, raw: bytes) -> Outcome:
        if self.trouble is not None:
            raise self.trouble
        post = decode(raw, self.params)
        post.verify_signature()
        post.verify_stamp(self.params)
        if self.answer is not Outcome.STORED:
            return self.answer
        if post.id in self.rows:
            return Outcome.DUPLICATE
        self.rows[post.id] = Row(post, self.released)
        return Outcome.STORED


@dataclass
class Person:
    """A keystore of their own, and the clock of their machine."""

    keystore: Keystore
    shelf: Shelf
    hour: int = HOUR

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.keystore, self.shelf, self.shelf.submit, self.shelf.params, lambda: self.hour)


def a_person(directory: Path, shelf: Shelf | None = None, passphrase: bytes | None = None) -> Person:
    return Person(a_keystore(directory, passphrase), shelf or Shelf())
