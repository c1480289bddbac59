"""Discussions from elsewhere: what a file is, what it holds, and what of that is here already."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from p2pforum.app.session import Session
from p2pforum.core import bundle, limits
from p2pforum.core.errors import Refused
from p2pforum.forum import import_jsonl, import_mail, import_text, params
from p2pforum.forum.importing import Discussions, ImportedPost, cut, read_text, split_body, with_claimed_dates
from p2pforum.forum.leak_patterns import leaks_of_text
from p2pforum.forum.writing import clean_subject

HEAD = 64 * limits.KIB  # bytes by which a format is guessed
_MAIL_FIELDS = re.compile(
    rb"(?:return-path|received|from|to|subject|date|message-id|mime-version|delivered-to|path|newsgroups"
    rb"|content-type|reply-to|sender|references|in-reply-to|x-[a-z-]+|dkim-signature|arc-[a-z-]+)[ \t]*:",
    re.IGNORECASE,
)
_LEAST_FIELDS = 2  # header fields in a row, with which a mail begins
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)*<(?:!doctype|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_NOT_TEXT = (  # by their first bytes
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"PK\x03\x04", "compressed, or an office document (zip): unpack it, or save it as text"),
    (b"BZh", "compressed (bzip2): unpack it first"),
    (b"\xfd7zXZ\x00", "compressed (xz): unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd): unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "compressed (7z): unpack it first"),
    (b"%PDF", "a PDF: copy its text"),
    (b"{\\rtf", "rich text (RTF): save it as text"),
    (b"\xd0\xcf\x11\xe0", "an Office or Outlook file: save it as text, or the mail as .eml"),
    (b"SQLite format 3\x00", "a database"),
    (b"BABYL OPTIONS:", "a mailbox of Rmail (Babyl): save it as mbox"),
    (b"\xff\xfe", "UTF-16: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16: save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be published of a file, and what would not.

    `known` counts posts and threads that are here already; `grown` names by their subjects threads that are
    here and have more posts in the file, with how many. `finds` counts by kind the posts whose text names
    somebody or something, with the first such place of each.
    """

    posts: list[ImportedPost]
    left_out: Counter[str] = field(default_factory=Counter)
    known_posts: int = 0
    known_threads: int = 0
    grown: list[tuple[str, int]] = field(default_factory=list)
    finds: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        """One for each thread."""
        return [post.subject for post in self.posts if post.reply_to is None]


def format_of(name: Path, head: bytes) -> str:
    """One of params.FORMATS, by a file's name and first HEAD bytes. Raises Refused, which says what it is."""
    if head.startswith(bundle.MAGIC):
        raise Refused(f"{name} is a bundle of signed posts: `import` takes it in")
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            raise Refused(f"{name} is {what}")
    if _HTML.match(head):
        raise Refused(f"{name} is HTML: copy the page's text as a browser shows it")
    suffix = name.suffix.lower()
    if suffix == ".mbox" or head.lstrip(b"\r\n").startswith(b"From "):
        return "mbox"
    if suffix in (".eml", ".emlx") or _is_mail(head):
        return "mail"
    if suffix in (".jsonl", ".ndjson") or head.lstrip().startswith(b"{"):
        return "jsonl"
    return "text"


def _is_mail(head: bytes) -> bool:
    """Whether it begins with header fields of mails or news; Apple's files have a size in front of them."""
    lines = head.split(b"\n", 20)
    if lines[0].strip().isdigit():
        del lines[0]
    fields = 0
    for line in lines:
        if not line[:1].isspace():
            if not _MAIL_FIELDS.match(line):
                break
            fields += 1
    return fields >= _LEAST_FIELDS


def parse(name: Path, head: bytes, opened: BinaryIO, form: str) -> Discussions:
    """`head` is what was read of it already. Reads no more than the format may have. Raises Refused."""
    try:
        if form == "mbox":
            return import_mail.parse_mbox(itertools.chain([head], iter(partial(opened.read, HEAD), b"")))
        if form == "mail":
            return import_mail.parse_mail(_whole(head, opened))
        if form == "jsonl":
            return Discussions(
                import_jsonl.parse_jsonl(read_text(head, opened.read, params.MAX_IMPORT_JSONL))
            )
        return Discussions(import_text.parse_text(read_text(head, opened.read, params.MAX_IMPORT_TEXT)))
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is not UTF-8 (byte {error.start})") from error
    except Refused as error:
        raise Refused(f"{name}: {error}") from error


def _whole(head: bytes, opened: BinaryIO) -> bytes:
    rest = opened.read(params.MAX_IMPORT_MAIL + 1 - len(head)) if len(head) <= params.MAX_IMPORT_MAIL else b""
    if len(head) + len(rest) > params.MAX_IMPORT_MAIL:
        raise Refused(f"larger than {params.MAX_IMPORT_MAIL >> 20} MiB")
    return head + rest


def plan(
    session: Session, board: str, found: Discussions, *, with_dates: bool = True, again: bool = False
) -> Plan:
    """`again`: threads that are here already count as new, too."""
    posts = with_claimed_dates(found.posts) if with_dates else list(found.posts)
    if again:
        return Plan(posts, found.left_out, finds=_finds(posts))
    threads: dict[int, list[int]] = defaultdict(list)
    roots: list[int] = []
    for index, post in enumerate(posts):
        roots.append(index if post.reply_to is None else roots[post.reply_to])
        threads[roots[index]].append(index)
    here = _first_posts(session, board)
    known: set[int] = set()
    grown: list[tuple[str, int]] = []
    for root, members in threads.items():
        news = _news(session, [posts[i] for i in members], here)
        if news is not None:
            known.add(root)
            if news:
                grown.append((posts[root].subject, news))
    kept = [i for i in range(len(posts)) if roots[i] not in known]
    at = {index: new for new, index in enumerate(kept)}
    todo = [
        posts[i] if (up := posts[i].reply_to) is None else replace(posts[i], reply_to=at[up]) for i in kept
    ]
    return Plan(todo, found.left_out, len(posts) - len(todo), len(known), grown, _finds(todo))


def _first_posts(session: Session, board: str) -> dict[tuple[str, str], list[bytes]]:
    """The roots of the board's threads, by subject and text."""
    rows = session.reader.threads(board, limit=1_000_000)
    found: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for row in (session.reader.post(row.root) for row in rows):
        if row is not None:
            found[row.subject, row.body].append(row.root)
    return found


def _news(
    session: Session, thread: Sequence[ImportedPost], here: dict[tuple[str, str], list[bytes]]
) -> int | None:
    """How many posts of this thread are not in the thread that is here; None if it is not here at all.

    Two discussions may begin alike. They are one if an answer is in both, or if one of them has none.
    """
    first = thread[0]
    subject = clean_subject(cut(first.subject, limits.MAX_SUBJECT))
    answers = Counter(split_body(post.body)[0] for post in thread[1:])
    for root in here.get((subject, split_body(first.body)[0]), ()):
        stored = Counter(row.body for row in session.reader.thread(root) if row.id != root)
        missing = answers - stored
        if not answers or not stored or missing.total() < answers.total():
            return missing.total()
    return None


def _finds(posts: Sequence[ImportedPost]) -> dict[str, tuple[int, str]]:
    """What in the texts names people or machines; advice, as before one's own posts."""
    found: dict[str, tuple[int, str]] = {}
    for post in posts:
        for leak in leaks_of_text(f"{post.subject}\n{post.body}"):
            count, place = found.get(leak.kind, (0, leak.found[0]))
            found[leak.kind] = count + 1, place
    return found
