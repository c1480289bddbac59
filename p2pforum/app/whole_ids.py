"""What an ID that was typed means, and whether it was typed in full.

An attacker can make a post or a key whose ID begins with the same letters as another. So nothing that lasts
is done by a beginning alone: the front end shows what it means, and asks the user.
"""

from dataclasses import dataclass

from p2pforum.app.session import Session
from p2pforum.core.errors import NotFound, Refused
from p2pforum.core.post_id import parse_id
from p2pforum.core.signature import is_valid_key
from p2pforum.store.queries import PostRow


@dataclass(frozen=True, slots=True)
class Meant:
    """A thread and, if the user asked for it, a pseudonym. `post` is the thread's first post, or the
    pseudonym's; None if it is not here. `is_whole`: the ID was typed in full, so the user need not be asked.
    """

    root: bytes
    key: bytes
    post: PostRow | None
    is_whole: bool


def thread_meant(session: Session, typed: str) -> Meant:
    """A thread by its ID or by that of a post in it. Raises NotFound or Ambiguous."""
    whole = _whole(typed)
    asked = whole or session.reader.resolve(typed)
    post = session.reader.post(asked)
    root = post.root if post else asked
    return Meant(root, b"", session.reader.post(root), bool(whole))


def pseudonym_meant(session: Session, typed: str, *, may_be_key: bool) -> Meant:
    """A pseudonym by one of its posts, or by its whole key; then `root` is empty. Raises
    NotFound or Ambiguous.
    """
    whole = _whole(typed)
    row = session.reader.post(whole or session.reader.resolve(typed))
    if row is None and whole and may_be_key:
        return Meant(b"", whole, None, True)
    if row is None:
        raise NotFound("that post is not here; to name a key, add --everywhere")
    return Meant(row.root, row.author, row, bool(whole))


def whole_key(session: Session, typed: str) -> bytes:
    """A key, typed itself or as the ID of a post that it signed. Raises Refused for a beginning, and NotFound
    for a whole ID that is no key and no post here.
    """
    value = _whole(typed)
    if not value:
        raise Refused(
            f'"{typed}" is not a whole key or post ID (52 letters; read --json shows them). Give the whole: '
            "an attacker can make an ID that begins the same"
        )
    post = session.reader.post(value)
    if post is not None:
        return post.author
    if not is_valid_key(value):
        raise NotFound("that is no key, and no post here has that ID")
    return value


def _whole(typed: str) -> bytes:
    """The bytes of a whole ID; empty if it is a beginning."""
    try:
        return parse_id(typed)
    except ValueError:
        return b""
