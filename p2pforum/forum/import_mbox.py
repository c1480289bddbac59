"""Where the messages of an mbox file begin and end.

The format has no standard that programs keep to: a line that begins with "From " separates messages, and so
may a line of somebody's text. What follows is the practice of mutt, Thunderbird and formail: a separator
names a sender and a date, and header lines follow it. A blank line before it is usual and not always there.
"""

import re
from collections.abc import Iterable, Iterator

from p2pforum.core.errors import Refused
from p2pforum.forum import params

_BLANKS = 1_000  # empty lines before the first message: more is no mailbox
_QUOTED = re.compile(rb">+From ")
# behind the sender "Mon Jan  5 10:00:00 2015", also with a zone, without seconds, or as in a Date field
_DATED = re.compile(
    rb"From .{1,500}?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +"
    rb"(?:[A-Z][a-z]{2} +\d{1,2}|\d{1,2} +[A-Z][a-z]{2})\b.{0,10}"
    rb"(?:\b\d{1,2}:\d\d.{0,20}\b(?:19|20)\d\d\b|\b(?:19|20)\d\d\b.{0,5}\d{1,2}:\d\d)"
)
_BARE = re.compile(rb"From [^\s]{1,500}\s*")  # a sender alone
_FIELD = re.compile(rb"[!-9;-~]{1,100}:(?!//)")  # RFC 5322, 2.2: how a header field begins


def split_mbox(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The messages, without their separators and with ">From " put back (mboxrd). Holds one at a time.

    Raises Refused for what is no mbox file, and for a file, message or line beyond the bounds of params.py.
    """
    number, was_blank = 0, True
    message = bytearray()
    lines = _lines(pieces)
    line: bytes | None = next(lines)  # there is one, if only an empty one
    at = 0
    while line is not None:
        at += 1
        following = next(lines, None)
        if not number and (at > _BLANKS or (line.strip() and not line.startswith(b"From "))):
            raise Refused(f'line {at}: not an mbox file, which begins with "From "')
        if line.startswith(b"From ") and (not number or _is_separator(line, following, was_blank)):
            if number:
                yield bytes(message).removesuffix(b"\n")
            number += 1
            message.clear()
        elif number:
            message += line[1:] if _QUOTED.match(line) else line
            message += b"\n"
        was_blank = not line.strip()
        if len(message) > params.MAX_IMPORT_MAIL:
            raise Refused(f"message {number}: larger than {params.MAX_IMPORT_MAIL >> 20} MiB")
        line = following
    if not number:
        raise Refused('line 1: not an mbox file, which begins with "From "')
    yield bytes(message).removesuffix(b"\n")


def _is_separator(line: bytes, following: bytes | None, was_blank: bool) -> bool:
    """A sender and a date with a header below; or a sender alone, if a blank line is above it, too."""
    if following is None:
        return was_blank and _DATED.match(line) is not None
    if not _FIELD.match(following.removeprefix(b">")) and following.strip():
        return False
    if _DATED.match(line):
        return bool(following.strip()) or was_blank
    return was_blank and bool(following.strip()) and _BARE.fullmatch(line) is not None


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
