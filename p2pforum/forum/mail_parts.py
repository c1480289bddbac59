"""Which parts of a mail are its text, and that text as plain text."""

from collections import Counter
from collections.abc import Iterator
from email.message import Message

from p2pforum.core.text import normalize
from p2pforum.forum.mail_charset import decoded
from p2pforum.forum.mail_html import html_text

ATTACHMENT = "attachment"

_SHOWN = ("text/plain", "text/html")


def mail_text(message: Message, left_out: Counter[str]) -> str:
    """What a mail program shows of it; `left_out` counts what is attached. Raises RecursionError."""
    return normalize("\n\n".join(text for text in _texts(message, left_out) if text.strip()))


def _texts(part: Message, left_out: Counter[str]) -> Iterator[str]:
    """What a mail program shows, in its order: of alternatives one, and nothing that is attached."""
    kind = part.get_content_type()
    if _is_attached(part, kind):
        left_out[ATTACHMENT] += 1
    elif not part.is_multipart():
        yield _text(part, kind)
    elif kind == "multipart/alternative":
        yield _best(part, left_out)
    else:
        inner = [sub for sub in part.get_payload() if isinstance(sub, Message)]
        if kind == "multipart/related":  # the first is the text, and the others are what it shows
            left_out[ATTACHMENT] += len(inner) - 1
            inner = inner[:1]
        for sub in inner:
            yield from _texts(sub, left_out)


def _best(part: Message, left_out: Counter[str]) -> str:
    """Plain text if there is any, else the last of the others: a sender puts the poorest first."""
    offered = [sub for sub in part.get_payload() if isinstance(sub, Message)]
    plain = [sub for sub in offered if sub.get_content_type() == "text/plain"]
    for sub in (*plain, *(sub for sub in reversed(offered) if sub not in plain)):
        lost: Counter[str] = Counter()
        text = "\n\n".join(text for text in _texts(sub, lost) if text.strip())
        if text:
            left_out.update(lost)
            return text
    return ""


def _is_attached(part: Message, kind: str) -> bool:
    """A named part is a file, also if it says "inline"; a mail within a mail is a letter of somebody else."""
    if part.is_multipart():
        return kind.startswith("message/") or part.get_content_disposition() == "attachment"
    named = part.get_filename() is not None or part.get_content_disposition() == "attachment"
    return named or kind not in _SHOWN


def _text(part: Message, kind: str) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    text = decoded(raw, _label(part))
    if kind == "text/html":
        return html_text(text)
    is_flowed = str(part.get_param("format", "")).lower() == "flowed"
    return _unflowed(text, str(part.get_param("delsp", "")).lower() == "yes") if is_flowed else text


def _label(part: Message) -> str:
    found = part.get_param("charset", "")
    return str(found[2] if isinstance(found, tuple) else found or "")


def _unflowed(text: str, delsp: bool) -> str:
    """Lines that end with a blank go on in the next one of the same depth (RFC 3676, 4.2)."""
    lines: list[str] = []
    joins = -1  # the depth at which the last line goes on
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        rest = line[depth:].removeprefix(" ")
        if joins == depth:
            lines[-1] += rest
        else:
            lines.append(">" * depth + (" " if depth else "") + rest)
        flows = rest.endswith(" ") and rest != "-- "
        joins = depth if flows else -1
        if flows and delsp:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
