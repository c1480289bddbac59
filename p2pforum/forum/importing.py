"""Discussions from elsewhere, published as posts by pseudonyms of their own.

Subjects, texts, who answers whom, the order of answers and the claimed days are carried over. Names and
addresses are not: they belong to people who never asked to be here. Each author of a thread gets a fresh key
that is forgotten afterwards.
The parsers are import_text.py, import_mail.py and import_jsonl.py.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.core.post import Post
from p2pforum.core.pseudonym import name_of
from p2pforum.forum import authors, outbox, params
from p2pforum.forum.authors import Author
from p2pforum.forum.outbox import Submit
from p2pforum.forum.own_secrets import refuse_own_secrets
from p2pforum.forum.publish import Published
from p2pforum.forum.writing import PostSigner, UnsignedPost, clean_board, clean_subject, clean_text
from p2pforum.keystore.keystore import Keystore

_READ = 64 * limits.KIB  # bytes at once

NOTICE = (
    "Each author gets a new pseudonym in each thread. Names and addresses are carried over only where a text "
    "itself holds them. Your node drops the keys, so neither you nor anybody else can answer, edit or "
    "withdraw as one of them. It sends the posts together, so everybody can see that one node published them."
)


@dataclass(frozen=True, slots=True)
class ImportedPost:
    """A post read from elsewhere. `reply_to` is the index of an earlier one in the same list.

    `author` is a label that joins the posts of one author and is never published; an empty one joins
    nothing. `subject` counts for the first post of a thread only. `date` is the day that the source claims,
    as 2015-01-05, or empty.
    """

    subject: str
    body: str
    author: str = ""
    reply_to: int | None = None
    date: str = ""


@dataclass(frozen=True, slots=True)
class Discussions:
    """What a file held: its posts, and how many things of which kind the reader left out, as words."""

    posts: list[ImportedPost]
    left_out: Counter[str] = field(default_factory=Counter)


def with_claimed_dates(posts: Sequence[ImportedPost]) -> list[ImportedPost]:
    """Each post says at its end which day the source claims. Nobody can check it, so it is called a claim."""
    return [
        replace(post, body=f"{post.body}\n\n[claimed date: {post.date}]") if post.date else post
        for post in posts
    ]


def read_text(head: bytes, read: Callable[[int], bytes], most: int) -> str:
    """UTF-8 of at most `most` bytes: `head`, then what `read` gives. Raises Refused if there is more,
    UnicodeDecodeError.

    It reads at most one byte above `most`, because a device may have no end.
    """
    raw = bytearray(head)
    while len(raw) <= most and (got := read(min(_READ, most + 1 - len(raw)))):
        raw += got
    if len(raw) > most:
        raise Refused(f"larger than {most // limits.KIB // limits.KIB} MiB; split it")
    return raw.decode("utf-8-sig")


def check_count(posts: int) -> None:
    """Raises Refused for more posts than an import may have. Call it before all are in memory."""
    if posts > params.MAX_IMPORT_POSTS:
        raise Refused(f"more than {params.MAX_IMPORT_POSTS} posts; split it")


def publish_import(
    posts: Sequence[ImportedPost],
    board: str,
    keystore: Keystore,
    submit: Submit,
    signer: PostSigner,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Published]:
    """Publish thread by thread; `progress` gets posts minted and posts in all.

    Lazy: each thread is minted as a whole, then kept in the outbox and handed in, so an interruption leaves
    whole threads only. The `key` of each result is the author's label. Raises Refused.
    """
    board = clean_board(board)
    refuse_own_secrets(text for post in posts for text in (post.subject, post.body))
    parts = split_long([_clean(post) for post in posts])
    threads = _threads(parts)
    minted = 0
    for thread in threads:
        keys: dict[str, Author] = {}
        made: dict[int, Post] = {}
        ages = hours_back([parts[index].reply_to for index in thread])
        for index, age in zip(thread, ages, strict=True):
            made[index] = _make(index, parts, made, keys, board, signer.back(age))
            minted += 1
            if progress is not None:
                progress(minted, len(parts))
        with keystore.transaction() as box:
            for post in made.values():
                outbox.put(box, post, signer.params)
        handed = outbox.hand_in(keystore, list(made.values()), submit)
        for index, h in zip(thread, handed, strict=True):
            name = name_of(h.post.author, h.post.thread)
            yield Published(h.post, name, parts[index].author, h.outcome, h.problem, h.unsettled)


def hours_back(replies: Sequence[int | None]) -> list[int]:
    """How many hours before now each post of a thread is dated, so that answers to one post keep their order.

    `replies` names what each answers. Readers sort such answers by hour, and within an hour by their IDs,
    which are hashes. So the last answer to a post is dated now, and each one before it an hour earlier; the
    first post is as old as the oldest answer. Beyond MAX_IMPORT_HOURS several share an hour.
    """
    counts = Counter(replies)
    seen: Counter[int | None] = Counter()
    ages = []
    for reply_to in replies:
        later = counts[reply_to] - 1 - seen[reply_to]
        seen[reply_to] += 1
        ages.append(later * min(counts[reply_to], params.MAX_IMPORT_HOURS) // counts[reply_to])
    oldest = max(ages, default=0)
    return [oldest if reply_to is None else age for reply_to, age in zip(replies, ages, strict=True)]


def _make(
    index: int,
    parts: Sequence[ImportedPost],
    made: dict[int, Post],
    keys: dict[str, Author],
    board: str,
    signer: PostSigner,
) -> Post:
    part = parts[index]
    known = keys.get(part.author) if part.author else None
    author = authors.fresh() if known is None else known
    if part.reply_to is None:
        writing = UnsignedPost(board, b"", (), (part.subject, part.body))
    else:
        parent = made[part.reply_to]
        writing = UnsignedPost(board, parent.thread, (parent.id,), (part.body,))
    root = next(iter(made.values()), None)
    post = signer.make(writing, author, is_own_thread=root is not None and root.author == author.public)
    if part.author:
        keys[part.author] = replace(author, is_first=False)
    return post


def _clean(post: ImportedPost) -> ImportedPost:
    subject = clean_subject(cut(post.subject, limits.MAX_SUBJECT)) if post.reply_to is None else ""
    return replace(post, subject=subject)


def split_long(posts: Sequence[ImportedPost]) -> list[ImportedPost]:
    """Split a text that is too long for one post into several posts, each answering the one before."""
    parts: list[ImportedPost] = []
    first: list[int] = []  # the index of each post's first part
    for number, post in enumerate(posts):
        first.append(len(parts))
        author = post.author or f"\0{number}"  # an own one, but the same for all parts
        bodies = split_body(post.body)
        reply_to = None if post.reply_to is None else first[post.reply_to]
        parts.append(replace(post, body=bodies[0], author=author, reply_to=reply_to))
        for body in bodies[1:]:
            parts.append(ImportedPost("", body, author, len(parts) - 1))
    return parts


def split_body(body: str) -> list[str]:
    """Pieces of at most MAX_BODY bytes, cut at a blank line, a line's end, a blank, or, if
    there is none, anywhere.
    """
    pieces = []
    body = clean_text(body)
    start = 0
    while not _fits(body, start):
        piece = cut(body[start : start + limits.MAX_BODY], limits.MAX_BODY)
        for mark in ("\n\n", "\n", " "):
            at = piece.rfind(mark)
            if at > len(piece) // 2:
                piece = piece[:at]
                break
        pieces.append(clean_text(piece))
        start += len(piece)
        while body[start : start + 1].isspace():
            start += 1
    return [*pieces, body[start:]] if start < len(body) else pieces


def _fits(body: str, start: int) -> bool:
    """Looks at the beginning only. Otherwise a text of a thousand pieces would be encoded a
    thousand times.
    """
    rest = body[start : start + limits.MAX_BODY + 1]
    return len(rest) <= limits.MAX_BODY and len(rest.encode()) <= limits.MAX_BODY


def cut(text: str, size: int) -> str:
    """The longest beginning of at most `size` bytes of UTF-8."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _threads(posts: Sequence[ImportedPost]) -> list[list[int]]:
    """The indexes of each thread's posts, in order."""
    roots: list[int] = []
    threads: dict[int, list[int]] = defaultdict(list)
    for index, post in enumerate(posts):
        roots.append(index if post.reply_to is None else roots[post.reply_to])
        threads[roots[index]].append(index)
    return list(threads.values())


def in_order(posts: Sequence[ImportedPost]) -> list[ImportedPost]:
    """Put answers after the posts they answer, in whatever order the source had them. A post that answers
    itself, directly or round a circle, becomes the first of a thread.
    """
    waiting: dict[int | None, list[int]] = defaultdict(list)
    for index in reversed(range(len(posts))):
        waiting[posts[index].reply_to].append(index)
    place: dict[int, int] = {}
    ordered: list[ImportedPost] = []
    for start in itertools.chain(reversed(waiting.pop(None, [])), range(len(posts))):
        stack = [start]
        while stack:
            index = stack.pop()
            if index in place:
                continue
            reply_to = posts[index].reply_to
            ordered.append(replace(posts[index], reply_to=None if reply_to is None else place.get(reply_to)))
            place[index] = len(place)
            stack.extend(waiting.get(index, ()))
    return ordered
