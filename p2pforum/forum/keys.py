"""My keys: list, find, make, choose, keep, carry from one keystore to another.

All work on an open keystore's contents. Not burning (burning.py) and not which key signs (authors.py).
"""

import hashlib
from dataclasses import dataclass

from nacl.utils import random

from p2pforum.core import limits
from p2pforum.core.errors import Ambiguous, NotFound, Refused
from p2pforum.core.post_id import format_id, parse_id, parse_prefix, short_id
from p2pforum.core.pseudonym import name_of
from p2pforum.forum.names import clean_name
from p2pforum.keystore.contents import SEED_SIZE, AuthorKey, Contents, new_key, public_key
from p2pforum.store.queries import Reader

EXPORT_HEAD = "p2pforum-key-1"


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key to show. `name` is mine, empty for a thread's key; `shown` is the name that
    others see in `root`.

    `threads` are those it writes in. `expires` is the hour when it is burnt for idleness, 0 for never.
    """

    public: bytes
    name: str
    shown: str
    root: bytes
    threads: tuple[bytes, ...]
    made: int
    used: int
    posts: int
    expires: int
    is_warned: bool


def list_keys(box: Contents) -> list[KeyView]:
    """All keys, the last used first."""
    return sorted((view_of(box, key) for key in box.keys.values()), key=lambda v: (-v.used, v.public))


def view_of(box: Contents, key: AuthorKey) -> KeyView:
    threads = tuple(sorted(root for root, public in box.speaking.items() if public == key.public))
    shown = name_of(key.public, key.root)
    expires = 0 if key.keep else key.used + limits.KEY_IDLE_HOURS
    warned = bool(key.warned)
    return KeyView(
        key.public, key.name, shown, key.root, threads, key.made, key.used, key.posts, expires, warned
    )


def find_key(box: Contents, typed: str) -> AuthorKey:
    """A key by its name, by its beginning, or by the thread that it writes in.

    Beginnings are safe here, because no other person can put keys into this keystore. Raises
    NotFound or Ambiguous.
    """
    named = box.pseudonym(typed.strip())
    if named is not None:
        return named
    try:
        low, high = parse_prefix(typed)
    except ValueError:
        raise NotFound(f'no key here is named "{typed}"') from None
    found = {public for public, key in box.keys.items() if low <= public <= high or low <= key.root <= high}
    found |= {public for root, public in box.speaking.items() if low <= root <= high and public in box.keys}
    if not found:
        raise NotFound(f'no key here is named "{typed}", begins so, or speaks in a thread that does')
    if len(found) > 1:
        candidates = [
            f"{short_id(public)}  {box.keys[public].name or 'thread key'}" for public in sorted(found)
        ]
        raise Ambiguous(f'several keys fit "{typed}"', candidates)
    return box.keys[found.pop()]


def find_thread(box: Contents, typed: str, reader: Reader) -> bytes:
    """The root of a thread in which I left traces, or of the thread of a post that is here.

    My own threads come first, so a thread that is no longer here can be burnt, too. Raises
    NotFound or Ambiguous.
    """
    try:
        low, high = parse_prefix(typed)
    except ValueError as error:
        raise NotFound(str(error)) from error
    mine = {*box.speaking, *box.read, *(root for root, _ in box.petnames)}
    found = sorted(root for root in mine if low <= root <= high)
    if len(found) > 1:
        raise Ambiguous(f'several of your threads begin with "{typed}"', [short_id(root) for root in found])
    if found:
        return found[0]
    post_id = reader.resolve(typed)
    row = reader.post(post_id)
    return post_id if row is None else row.root


def new_pseudonym(box: Contents, name: str, hour: int) -> AuthorKey:
    """A key for more than one thread. Every reader can see that all its posts are by one
    author. Kept until it is burnt.

    Raises Refused for a name that is taken or means something else.
    """
    key = new_key(random(SEED_SIZE), b"", _free_name(box, name), hour)
    key.keep = True
    box.keys[key.public] = key
    return key


def _free_name(box: Contents, name: str) -> str:
    name = clean_name(name)
    if any(key.name.casefold() == name.casefold() for key in box.keys.values()):
        raise Refused(f'you have a pseudonym named "{name}" already')
    return name


def use(box: Contents, key: AuthorKey, root: bytes) -> None:
    """From now on this key signs for me in that thread, unless I name another.

    Raises Refused for a key that belongs to another thread: using it here would join the two threads.
    """
    if key.root and key.root != root:
        raise Refused(
            "that key was made for another thread; here it would show that one person wrote in both. "
            "Use a named pseudonym"
        )
    box.speaking[root] = key.public
    key.warned = 0  # the user means to use it: warn again before it burns


def set_keep(key: AuthorKey, keep: bool) -> None:
    """Set whether it stays when it is idle."""
    key.keep, key.warned = keep, 0


def export_key(key: AuthorKey) -> str:
    """The key as one line of text. A person who reads the line can sign as you, and can prove
    which posts are yours.
    """
    fields = [EXPORT_HEAD, format_id(key.seed), format_id(key.root) if key.root else "", key.name]
    text = ":".join(fields)
    return f"{text}:{_check(text)}"


def import_key(box: Contents, text: str, hour: int) -> AuthorKey:
    """Take in an exported key. If it is here already, it is left as it is. Raises Refused."""
    body, _, check = text.strip().rpartition(":")
    fields = body.split(":", 3)
    if len(fields) != 4 or fields[0] != EXPORT_HEAD or check != _check(body):
        raise Refused("that is not an exported key, or a letter of it is wrong")
    try:
        seed, root = parse_id(fields[1]), parse_id(fields[2]) if fields[2] else b""
    except ValueError as error:
        raise Refused("that is no exported key") from error
    known = box.keys.get(public_key(seed))
    if known is not None:
        return known
    key = new_key(seed, root, _free_name(box, fields[3]) if fields[3] else "", hour)
    key.posts = 1  # it has signed, as far as we know: its next stamp is no first one
    key.keep = bool(key.name)
    box.keys[key.public] = key
    if root:
        box.speaking.setdefault(root, key.public)
    return key


def _check(text: str) -> str:
    """Catches a letter lost in copying. It protects from no attacker."""
    return format_id(hashlib.sha256(text.encode()).digest())[:6]
