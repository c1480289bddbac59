"""What says on this machine that something was mine: which posts, and which bytes to look for
after a burn.

Not the search itself (scanning.py), nor the destruction (burning.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from p2pforum.core.network_params import params_for
from p2pforum.core.post import decode
from p2pforum.core.post_id import format_id
from p2pforum.forum import drafts
from p2pforum.forum.scanning import Finding, Secret, plain_files
from p2pforum.keystore.contents import AuthorKey, Contents
from p2pforum.keystore.format import MAGIC
from p2pforum.store.queries import PostRow, Reader

_SIGNATURE = 64  # bytes at the end of every post


@dataclass(frozen=True, slots=True)
class BurnTargets:
    """What to burn: these keys, and what says that I was in these threads."""

    keys: frozenset[bytes]
    roots: frozenset[bytes]
    everything: bool = False


def unsent(reader: Reader, targets: BurnTargets) -> list[PostRow]:
    """Posts in the store that are not public: with `everything` all, else those by the keys or in the
    threads. With them go posts of other people that pass through this node, because nothing tells them from
    mine. The authors' nodes make sure that those arrive.
    """
    return [
        row
        for row in reader.unreleased()
        if targets.everything or row.author in targets.keys or row.root in targets.roots
    ]


def thread_finder(reader: Reader) -> Callable[[str], bytes]:
    """From the destination of a draft to its thread. It remembers the answers, for when the
    posts are gone.
    """

    @cache
    def thread_of(destination: str) -> bytes:
        """The root of the thread, or the post that the draft answers, if that post is not (or
        no longer) here.
        """
        post_id = drafts.post_of(destination)
        row = reader.post(post_id) if post_id else None
        return post_id if row is None else row.root

    return thread_of


def secrets_of(gone: Contents, lost: Sequence[PostRow], reader: Reader) -> list[Secret]:
    """Bytes that must not be in any file after a burn: seeds in every form we write, and texts never sent.

    `lost` are the unsent posts. Call it while the store still has them.
    """
    secrets = [secret for key in gone.keys.values() for secret in _of_key(key, reader)]
    for waiting in gone.outbox:
        post = decode(waiting.raw, params_for(waiting.network))
        secrets.append(Secret("a post from the outbox", post.raw[-_SIGNATURE:]))
        secrets += _texts("a post from the outbox", post.subject, post.body)
    for row in lost:
        secrets.append(Secret("an unsent post", row.id))
        secrets += _texts("an unsent post", row.subject, row.body)
    for draft in gone.drafts.values():
        secrets += _texts("the text of a draft", draft.subject, draft.body)
    secrets += [Secret("a petname", name.encode()) for name in gone.petnames.values()]
    return secrets


def _of_key(key: AuthorKey, reader: Reader) -> Iterator[Secret]:
    for form in (key.seed, key.seed.hex().encode(), format_id(key.seed).encode()):
        yield Secret("the secret of a key", form)
    if is_unseen(key, reader):
        yield Secret("a key that nobody has seen", key.public)


def is_unseen(key: AuthorKey, reader: Reader) -> bool:
    """Whether it is a key for one thread, and no post by it there is public (any more)."""
    rows = reader.thread(key.root) if key.root else ()
    return bool(key.root) and not any(row.author == key.public and row.released for row in rows)


def _texts(what: str, subject: str, body: str) -> list[Secret]:
    """A text without the lines that it quotes: those are in the store for everyone to read."""
    own = re.split(r"^>.*$", body, flags=re.MULTILINE)
    return [Secret(what, text.encode()) for text in (subject, *own)]


def sealed_elsewhere(paths: Iterable[Path], keystore: Path) -> list[Finding]:
    """Backups and other keystores, which outlive a burn. An encrypted one may hold what was
    burnt; it can't be read.
    """
    return [
        Finding(path, -1, 0, "a backup or another keystore: it may hold this, too")
        for path in plain_files(paths)
        if path != keystore and _begins(path, MAGIC)
    ]


def _begins(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(len(magic)) == magic
    except OSError:  # the search itself reports files that can't be read
        return False
