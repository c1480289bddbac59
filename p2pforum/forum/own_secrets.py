"""Refuse to publish this program's own secrets: a post can't be taken back, and a key in it is everybody's.

Looks for what `key export` prints and for keystores and backups, as text encodes them (base64, hex), anywhere
in a text. Pure: a secret in a form of somebody else's making is not found.
"""

import base64
import re
from collections.abc import Iterable, Iterator

from p2pforum.core.errors import Refused
from p2pforum.forum.keys import EXPORT_HEAD
from p2pforum.keystore.format import MAGIC, VERSION

_EXPORTED = re.compile(
    rf"{EXPORT_HEAD.rstrip('0123456789')}\d+\s{{0,2}}:[\s>]{{0,4}}[a-z0-9]{{16}}", re.IGNORECASE
)


def _encoded(magic: bytes) -> Iterator[str]:
    """The beginning of a keystore in hex, and in base64 at each of its three offsets."""
    yield magic.hex()
    for offset in range(3):
        digits = base64.b64encode(bytes(offset) + magic).decode()
        # without the digits that depend on bytes before and behind
        yield digits[-(-offset * 8 // 6) : (offset + len(magic)) * 8 // 6]


_KEYSTORE = re.compile("|".join(map(re.escape, _encoded(MAGIC + bytes([VERSION])))))


def refuse_own_secrets(texts: Iterable[str]) -> None:
    """Raises Refused if one of them holds an exported key, a keystore or a backup."""
    for text in texts:
        if _EXPORTED.search(text):
            raise Refused("the text holds an exported key: anybody who reads it could sign as you")
        unbroken = re.sub(r"[\s>]", "", text)
        if _KEYSTORE.search(unbroken) or _KEYSTORE.search(unbroken.lower()):
            raise Refused("the text holds a keystore or a backup of one, with your keys in it")
