"""Bytes of mails as text: what their labels mean in practice, and what to do without one.

Mail means by a label what browsers mean by it: "iso-8859-1" and "us-ascii" are windows-1252, "gb2312" is gbk.
The table is that of the WHATWG Encoding standard (https://encoding.spec.whatwg.org/#names-and-labels). A
character that can't be read costs one character, and never the text around it.
"""

import codecs
import re

import webencodings  # type: ignore[import-untyped]  # it has no types

_NOTHING_SAID = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "8bit", "x-unknown", "default"}
_FALLBACK = "windows-1252"
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")


def decoded(raw: bytes, label: str) -> str:
    """`raw` by its charset `label` (empty: there is none). Never fails; U+FFFD stands for what can't be read.

    Bytes that claim to be ASCII, or claim nothing, and are not, are UTF-8 if they can be: by chance no other
    text is.
    """
    name = label.partition("*")[0].strip().strip("\"'").lower()  # RFC 2231 adds a language behind a star
    if name in _NOTHING_SAID:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return _known(_FALLBACK, raw)
    return _known(name, raw)


def _known(name: str, raw: bytes) -> str:
    if webencodings.lookup(name) is not None:
        return _printable(webencodings.decode(raw, name, "replace")[0])
    try:  # what mail has, and the web has not: utf-7, code pages of DOS
        found = codecs.lookup(name)
        if found._is_text_encoding:
            return _printable(found.decode(raw, "replace")[0])
    except (LookupError, ValueError):
        pass
    return decoded(raw, "")


def _printable(text: str) -> str:
    """Without lone surrogates, which some codecs let through."""
    return text.encode("utf-8", "replace").decode()


def header_text(raw: bytes) -> str:
    """A header's value: encoded words (RFC 2047), and bytes above 127 as they are (RFC 6532, or older).

    Between two encoded words blanks count for nothing. A character may be split between two of one charset.
    """
    value = raw.decode("latin-1")
    pieces: list[tuple[str, bytes]] = []  # (label, bytes); what is not encoded has no label
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        if between.strip() or (between and not (pieces and pieces[-1][0])):
            pieces.append(("", between.encode("latin-1")))
        label, bare = word[1].lower(), _word_bytes(word[2], word[3].encode("latin-1"))
        if pieces and pieces[-1][0] == label:
            pieces[-1] = label, pieces[-1][1] + bare
        else:
            pieces.append((label, bare))
        end = word.end()
    pieces.append(("", value[end:].encode("latin-1")))
    return "".join(decoded(piece, label) for label, piece in pieces)


def _word_bytes(encoding: str, text: bytes) -> bytes:
    if encoding in "qQ":
        return _HEX.sub(lambda m: bytes([int(m[1], 16)]), text.replace(b"_", b" "))
    try:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
        return codecs.decode(kept + b"=" * (-len(kept) % 4), "base64")
    except ValueError:
        return text
