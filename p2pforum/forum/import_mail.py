"""Messages of an mbox file as posts: threads by Message-ID, In-Reply-To and References.

Takes what mail programs really write: unknown charsets, HTML only, missing headers, references to messages
that are not there. Attachments are left out.
"""

import email
import email.header
import email.message
import email.policy
import email.utils
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize
from p2pforum.forum import params
from p2pforum.forum.importing import ImportedPost, check_count, in_order

_ID = re.compile(r"<[^<>\s]+>")
_REPLY_MARK = re.compile(r"^(\s*(re|aw|fwd?|antw|sv|odp)(\[\d+\])?\s*:)+\s*", re.IGNORECASE)
_BLOCK_TAGS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre"}
_NESTED = "message {}: its parts are nested too deep"  # Python's parser calls itself for each
_NAMED = 100  # references looked at: the nearest that is here counts
_BLANKS = 1_000  # empty lines before the first message: a file with more is no mailbox
_QUOTED_FROM = re.compile(rb">+From ")
_SILENT_TAGS = {"script", "style", "head", "title"}


def parse_mbox(pieces: Iterable[bytes]) -> list[ImportedPost]:
    """`pieces` are the bytes of the mailbox, as they are read. Raises Refused if it is no mbox file.

    Of a message only its text and its place in the thread are kept. Attachments, the largest part of a
    mailbox, are skipped one by one.
    """
    by_id: dict[str, int] = {}
    read: list[tuple[ImportedPost, list[str]]] = []
    text = 0
    for index, raw in enumerate(split_mbox(pieces)):
        check_count(index + 1)
        message = _parse(index + 1, raw)
        for message_id in _ids(message, "Message-ID")[:1]:
            by_id.setdefault(message_id, index)
        post = ImportedPost(_subject(message), _body(index + 1, message), _author(message))
        text += len(post.subject) + len(post.body)
        if text > params.MAX_IMPORT_JSONL:
            raise Refused(f"message {index + 1}: more text than one import may have; split it")
        read.append((post, _answered(message)))
    return in_order(
        [replace(post, reply_to=_parent(named, by_id, index)) for index, (post, named) in enumerate(read)]
    )


def split_mbox(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The messages between the "From " lines, with ">From " put back (mboxrd). Holds one at a time. Raises
    Refused if it is no mbox file, or if a message is too large.
    """
    number, was_blank = 0, True
    message = bytearray()
    for at, line in enumerate(_lines(pieces), 1):
        if not number and (at > _BLANKS or (line.strip() and not line.startswith(b"From "))):
            raise Refused(f'line {at}: not an mbox file, which begins with "From "')
        if line.startswith(b"From ") and was_blank:
            if number:
                yield bytes(message).removesuffix(b"\n")
            number += 1
            message.clear()
        elif number:
            message += line[1:] if _QUOTED_FROM.match(line) else line
            message += b"\n"
        was_blank = not line.strip()
        if len(message) > params.MAX_IMPORT_MAIL:
            raise Refused(f"message {number}: larger than {params.MAX_IMPORT_MAIL >> 20} MiB")
    if not number:
        raise Refused('line 1: not an mbox file, which begins with "From "')
    yield bytes(message).removesuffix(b"\n")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Without their ends. Raises Refused for a line that is longer than a message, and for too many bytes."""
    rest = bytearray()
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > params.MAX_IMPORT_MBOX:
            raise Refused(f"larger than {params.MAX_IMPORT_MBOX >> 30} GiB; split it")
        rest += piece
        if b"\n" in piece:
            *lines, last = bytes(rest).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in lines)
            rest = bytearray(last)
        if len(rest) > params.MAX_IMPORT_MAIL:
            raise Refused("a line without end: not an mbox file")
    yield bytes(rest).removesuffix(b"\r")


def _parse(number: int, raw: bytes) -> email.message.Message:
    parts = -1  # the parser makes one to see what it is given

    def part(**options: Any) -> email.message.Message:
        nonlocal parts
        parts += 1
        if parts > params.MAX_IMPORT_PARTS:
            raise Refused(f"message {number}: more than {params.MAX_IMPORT_PARTS} parts")
        return email.message.Message(**options)

    try:
        return email.message_from_bytes(raw, part, policy=email.policy.compat32)
    except RecursionError as error:
        raise Refused(_NESTED.format(number)) from error


def _header(message: email.message.Message, name: str) -> str:
    """The decoded text of a header; empty if there is none or it can't be read."""
    try:
        return str(email.header.make_header(email.header.decode_header(str(message.get(name, "")))))
    except (LookupError, ValueError, email.errors.MessageError):
        return ""


def _ids(message: email.message.Message, name: str) -> list[str]:
    return _ID.findall(str(message.get(name, "")))


def _answered(message: email.message.Message) -> list[str]:
    """The Message-IDs that it names: those it answers, then those it refers to, the nearest first."""
    return _ids(message, "In-Reply-To")[:1] + _ids(message, "References")[: -_NAMED - 1 : -1]


def _parent(named: list[str], by_id: dict[str, int], index: int) -> int | None:
    """The first of those that is here."""
    return next((by_id[i] for i in named if by_id.get(i, index) != index), None)


def _subject(message: email.message.Message) -> str:
    subject = _REPLY_MARK.sub("", " ".join(normalize(_printable(_header(message, "Subject"))).split()))
    return subject or "(no subject)"


def _author(message: email.message.Message) -> str:
    """A label to tell authors apart. It is never published."""
    name, address = email.utils.parseaddr(str(message.get("From", "")))
    return (address or name).strip().lower()


def _body(number: int, message: email.message.Message) -> str:
    try:
        parts = [part for part in message.walk() if not part.is_multipart()]
    except RecursionError as error:
        raise Refused(_NESTED.format(number)) from error
    shown = [part for part in parts if part.get_content_disposition() != "attachment"]
    for content_type in ("text/plain", "text/html"):
        texts = [_text(part) for part in shown if part.get_content_type() == content_type]
        body = normalize("\n\n".join(_strip_html(t) if content_type == "text/html" else t for t in texts))
        if body.strip():
            return body
    return "(no text)"


def _text(part: email.message.Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return _printable(raw.decode(part.get_content_charset() or "utf-8"))
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _printable(text: str) -> str:
    """The text without lone surrogates, which some codecs let through."""
    return text.encode("utf-8", "replace").decode()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT_TAGS
        if tag in _BLOCK_TAGS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT_TAGS and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def _strip_html(html: str) -> str:
    parser = _Text()
    end = html.rfind(">") + 1  # behind it nothing can be a tag: Python's parser tries from each "<" again
    parser.feed(html[:end])
    parser.close()
    parser.handle_data(html[end:])
    lines = "".join(parser.pieces).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()
