"""Names that I give: to my own pseudonyms, and to others (petnames). They never leave the keystore.

Not the names that all readers see, which are drawn from keys (core/pseudonym.py).
"""

import itertools
import re

from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.core.text import is_valid_line, normalize
from p2pforum.forum.authors import ONCE, THREAD
from p2pforum.forum.reading import PostView, ThreadView
from p2pforum.keystore.contents import Contents

_PART = "[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]"
_DRAWN = re.compile(f"{_PART}(-{_PART})+", re.IGNORECASE)


def clean_name(name: str) -> str:
    """The name, cleaned. Raises Refused for one that could be taken for something else: a word of the
    commands, or a name drawn from a key.
    """
    name = " ".join(normalize(name.encode("utf-8", "replace").decode()).split())
    if not name or not is_valid_line(name):
        raise Refused("a name has at least one letter")
    if len(name) > limits.MAX_LOCAL_NAME:
        raise Refused(f"a name has at most {limits.MAX_LOCAL_NAME} characters")
    if name.lower() in (ONCE, THREAD):
        raise Refused(f'"{name}" is a word that commands use; take another name')
    if _DRAWN.fullmatch(name):
        raise Refused(f'"{name}" looks like a name drawn from a key; take another name')
    return name


def set_petname(box: Contents, root: bytes, key: bytes, name: str) -> None:
    """Call this pseudonym by a name in this thread; in every thread, if `root` is empty.

    `key` must be whole, because an attacker can make a key with a given beginning. Raises Refused, also for a
    name that another pseudonym has there.
    """
    name = clean_name(name)
    for (where, other), taken in box.petnames.items():
        overlap = where == root or not where or not root
        if overlap and other != key and taken.casefold() == name.casefold():
            raise Refused(f'you call another pseudonym "{taken}" there')
    box.petnames[root, key] = name


def drop_petname(box: Contents, root: bytes, key: bytes) -> bool:
    """True if there was one."""
    return box.petnames.pop((root, key), None) is not None


def lookalikes(view: ThreadView) -> list[tuple[PostView, PostView]]:
    """Pairs of pseudonyms in a thread that a reader could take for one another, by their first posts.

    Two parts of three in the same position are alike. By chance that happens once in 10^9 pairs; otherwise an
    attacker searched for such a key.
    """
    first: dict[bytes, PostView] = {}
    for post in view.posts:
        first.setdefault(post.author, post)
    seen: dict[tuple[int, str, int, str], PostView] = {}
    pairs: dict[tuple[bytes, bytes], tuple[PostView, PostView]] = {}
    for post in first.values():
        parts = post.name.split("-")
        for i, j in itertools.combinations(range(len(parts)), 2):
            like = seen.setdefault((i, parts[i], j, parts[j]), post)
            if like is not post:
                pairs[like.author, post.author] = (like, post)
    return list(pairs.values())
