"""Discussions from elsewhere, and bundles: the kind of a file, which of its posts are known
here, and taking it in.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from p2pforum.app.delivery import Delivery
from p2pforum.app.session import Session
from p2pforum.core import bundle, limits
from p2pforum.core.errors import Refused
from p2pforum.forum import bundling, import_jsonl, import_mail, import_text, params
from p2pforum.forum.bundling import Imported
from p2pforum.forum.importing import ImportedPost, cut, read_text, split_body
from p2pforum.forum.writing import clean_subject

HEAD = 64 * limits.KIB  # bytes by which a format is guessed
BUNDLE = "bundle"
FORMATS = (BUNDLE, "text", "mbox", "jsonl")


def format_of(name: Path, head: bytes) -> str:
    """The format of a file, by its name and its first HEAD bytes: one of FORMATS."""
    suffix = name.suffix.lower()
    if head.startswith(bundle.MAGIC):
        return BUNDLE
    if suffix == ".mbox" or head.lstrip(b"\r\n").startswith(b"From "):
        return "mbox"
    if suffix in (".jsonl", ".ndjson") or head.lstrip().startswith(b"{"):
        return "jsonl"
    return "text"


def parse(name: Path, head: bytes, opened: BinaryIO, form: str) -> list[ImportedPost]:
    """The posts in a file. `head` is the part that was read already. Reads no more than the
    format may have. Raises Refused.
    """
    try:
        if form == "mbox":
            return import_mail.parse_mbox(itertools.chain([head], iter(partial(opened.read, HEAD), b"")))
        if form == "jsonl":
            return import_jsonl.parse_jsonl(read_text(head, opened.read, params.MAX_IMPORT_JSONL))
        return import_text.parse_text(read_text(head, opened.read, params.MAX_IMPORT_TEXT))
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is not UTF-8 (byte {error.start})") from error
    except Refused as error:
        raise Refused(f"{name}: {error}") from error


def without_known(session: Session, board: str, posts: Sequence[ImportedPost]) -> list[ImportedPost]:
    """Leave out threads whose first post is on the board already. A thread is published as a whole or not at
    all, so no other record of an import is needed. There is none, so that nobody can find one later.
    """
    here = _first_posts(session, board)
    roots: list[int] = []
    for index, post in enumerate(posts):
        roots.append(index if post.reply_to is None else roots[post.reply_to])

    def is_known(root: int) -> bool:
        subject = clean_subject(cut(posts[root].subject, limits.MAX_SUBJECT))
        return (subject, split_body(posts[root].body)[0]) in here

    known = {root for root in set(roots) if is_known(root)}
    kept = [i for i in range(len(posts)) if roots[i] not in known]
    place = {index: new for new, index in enumerate(kept)}
    return [
        posts[i] if posts[i].reply_to is None else replace(posts[i], reply_to=place[posts[i].reply_to or 0])
        for i in kept
    ]


def _first_posts(session: Session, board: str) -> set[tuple[str, str]]:
    rows = session.reader.threads(board, limit=1_000_000)
    found = (session.reader.post(row.root) for row in rows)
    return {(row.subject, row.body) for row in found if row is not None}


def take_in_bundle(
    session: Session, head: bytes, opened: BinaryIO, progress: Callable[[Imported, float], None]
) -> Imported:
    """Keep the valid posts of a bundle of this network. `progress` gets what is done so far,
    and the fraction.

    If the user stops it, the posts taken so far stay, and `progress` was told of them. Raises Refused for a
    file that is no bundle.
    """
    heads = [head]
    size = 0
    with suppress(OSError):  # a pipe has no size
        size = os.fstat(opened.fileno()).st_size

    def read(most: int) -> bytes:
        return heads.pop() if heads else opened.read(most)

    def show(now: Imported, offset: int) -> None:
        progress(now, offset / size if size else now.done / max(1, now.promised))

    with Delivery(session) as delivery:
        return bundling.import_bundle(read, session.config.params.name, delivery.take_bundle, show)


def subjects(posts: Sequence[ImportedPost]) -> Iterator[str]:
    """The subjects of the threads among the posts."""
    yield from (post.subject for post in posts if post.reply_to is None)
