"""Names and pictures of a pseudonym, drawn from its key and from the thread it writes in.

The author does not choose them, so an impersonator can't choose them either. A name has 48 bits, so finding a
second key with the same name costs an attacker about 10^5 core-days (with 32 bits: two). The reader's own
petnames come first wherever a name is shown.
"""

import hashlib
from dataclasses import dataclass

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
GRID = 5  # cells of an identicon, each way


def _digest(key: bytes, root: bytes) -> bytes:
    """16 bytes: 6 for the name, the rest for the picture."""
    return hashlib.blake2b(key + root, digest_size=16, person=b"p2pforum-name").digest()


def _proquint(word: int) -> str:
    """16 bits as five letters (Wilkerson, arXiv 0901.4016)."""
    return (
        _CONSONANTS[word >> 12]
        + _VOWELS[word >> 10 & 3]
        + _CONSONANTS[word >> 6 & 15]
        + _VOWELS[word >> 4 & 3]
        + _CONSONANTS[word & 15]
    )


def name_of(key: bytes, root: bytes) -> str:
    """Three proquints, such as `lusab-babad-gutih`. One key has different names in different threads."""
    digest = _digest(key, root)
    return "-".join(_proquint(int.from_bytes(digest[i : i + 2], "big")) for i in (0, 2, 4))


@dataclass(frozen=True, slots=True)
class Identicon:
    """A picture of GRID x GRID cells, symmetric about its middle column. `hue` in degrees."""

    cells: tuple[tuple[bool, ...], ...]
    hue: int


def identicon_of(key: bytes, root: bytes) -> Identicon:
    """The picture for a key of 32 bytes in the thread with the root `root`, an ID of 32 bytes."""
    digest = _digest(key, root)
    bits = int.from_bytes(digest[6:8], "big")
    half = (GRID + 1) // 2
    rows = []
    for row in range(GRID):
        left = [bool(bits >> (row * half + column) & 1) for column in range(half)]
        rows.append(tuple(left + left[-2::-1]))
    return Identicon(tuple(rows), int.from_bytes(digest[8:10], "big") % 360)


def svg_of(icon: Identicon) -> str:
    """The same picture as in a terminal, one unit a cell, with a margin of half a cell. Plain shapes only."""
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1" height="1"/>'
        for y, row in enumerate(icon.cells)
        for x, is_set in enumerate(row)
        if is_set
    )
    box = f"-0.5 -0.5 {GRID + 1} {GRID + 1}"
    color = f"hsl({icon.hue},60%,50%)"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" fill="{color}">{cells}</svg>'
