"""Messages of an mbox file as posts: threads by Message-ID, In-Reply-To and References.

Takes what mail programs really write: unknown charsets, HTML only, missing headers, references to what is not
there. Attachments are left behind.
"""

import email
import email.header
import email.message
import email.utils
import re
from html.parser import HTMLParser

from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize
from p2pforum.forum.importing import ImportedPost, in_order

_ID = re.compile(r"<[^<>\s]+>")
_REPLY_MARK = re.compile(r"^(\s*(re|aw|fwd?|antw|sv|odp)(\[\d+\])?\s*:)+\s*", re.IGNORECASE)
_BLOCK_TAGS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre"}
_NESTED = "message {}: its parts lie too deep in one another"  # Python's parser calls itself for each
_SILENT_TAGS = {"script", "style", "head", "title"}


def parse_mbox(data: bytes) -> list[ImportedPost]:
    """Raises Refused if it is no mbox file."""
    messages = [_parse(number, raw) for number, raw in enumerate(split_mbox(data), 1)]
    by_id: dict[str, int] = {}
    for index, message in enumerate(messages):
        for message_id in _ids(message, "Message-ID")[:1]:
            by_id.setdefault(message_id, index)
    posts = []
    for index, message in enumerate(messages):
        body = _body(index + 1, message)
        reply_to = _parent(message, by_id, index)
        posts.append(ImportedPost(_subject(message), body, _author(message), reply_to))
    return in_order(posts)


def split_mbox(data: bytes) -> list[bytes]:
    """The messages between the "From " lines, with ">From " put back (mboxrd)."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None or not lines[first].startswith(b"From "):
        raise Refused(f'line {(first or 0) + 1}: not an mbox file, which begins with "From "')
    messages: list[list[bytes]] = []
    was_blank = True
    for line in lines[first:]:
        if line.startswith(b"From ") and was_blank:
            messages.append([])
        else:
            messages[-1].append(line[1:] if re.match(rb">+From ", line) else line)
        was_blank = not line.strip()
    return [b"\n".join(message) for message in messages]


def _parse(number: int, raw: bytes) -> email.message.Message:
    try:
        return email.message_from_bytes(raw)
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


def _parent(message: email.message.Message, by_id: dict[str, int], index: int) -> int | None:
    """The nearest message that is here: what it answers, or else the last one that it refers to."""
    named = _ids(message, "In-Reply-To")[:1] + _ids(message, "References")[::-1]
    return next((by_id[i] for i in named if by_id.get(i, index) != index), None)


def _subject(message: email.message.Message) -> str:
    subject = _REPLY_MARK.sub("", " ".join(normalize(_printable(_header(message, "Subject"))).split()))
    return subject or "(no subject)"


def _author(message: email.message.Message) -> str:
    """A label to tell authors apart; never published."""
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
    """Without lone surrogates, which some codecs let through."""
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
    parser.feed(html)
    parser.close()
    lines = "".join(parser.pieces).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()
