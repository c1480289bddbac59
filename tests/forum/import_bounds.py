"""Each number of forum/params.py: a file with `n` of what it counts."""

import io
from pathlib import Path

from bounds import Row

from p2pforum.app.archives import parse
from p2pforum.forum.import_mail import parse_mbox
from p2pforum.forum.import_mbox import split_mbox
from p2pforum.forum.importing import check_count, hours_back

MAIL = b"From a\nSubject: S\n\n"
PARTS = b"From a\nSubject: S\nContent-Type: multipart/mixed; boundary=b\n\n"


class Said(bytes):
    """Few bytes that pass for many."""

    size: int

    def __len__(self) -> int:
        return self.size


def of_size(n: int, form: str, post: bytes) -> None:
    """One post, and blanks behind it."""
    parse(Path("file"), b"", io.BytesIO(post.ljust(n)), form)


def mailbox(n: int) -> None:
    piece = Said(MAIL)
    piece.size = n
    parse_mbox([piece])


ROWS = [
    Row("forum.MAX_IMPORT_POSTS", "an import", check_count),
    Row("forum.MAX_IMPORT_HOURS", "answers", lambda n: len(set(hours_back([None, *[0] * n])[1:])) == n),
    Row("forum.MAX_IMPORT_TEXT", "a web page", lambda n: of_size(n, "text", b"Title\nText.")),
    Row("forum.MAX_IMPORT_JSONL", "a file", lambda n: of_size(n, "jsonl", b'{"subject": "S", "body": "x"}')),
    Row("forum.MAX_IMPORT_MBOX", "a mailbox", mailbox),
    Row("forum.MAX_IMPORT_MAIL", "a message", lambda n: list(split_mbox([MAIL + b"x" * (n - 14) + b"\n"]))),
    Row(
        "forum.MAX_IMPORT_PARTS",
        "a message",
        lambda n: parse_mbox([PARTS + b"--b\n\nx\n" * (n - 1) + b"--b--\n"]),
    ),
]
