"""The kinds of posts: one table, a row a kind. All other code asks here what a kind is.

The four founding kinds have content rules that decide whether a post is valid. The content
rule of a kind that is added later decides whether a post is *understood*, never whether it is
valid. Nodes that do not know the kind keep such posts and pass them on, and nodes that know
it must not punish them for that. Nothing that a store derives from a post may depend on this
table either: an upgrade would find it wrong (see `is_counted`).

To add a kind: its number into `Kind` (docs/PROTOCOL.md has set numbers aside), its row into TABLE.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from p2pforum.core import limits
from p2pforum.core.post_id import ID_SIZE

Content = tuple[Any, ...]
LARGEST = 2**16 - 1  # rule: of all numbers
REMARKS = 2**15  # rule: kinds from here on say something of other posts, and are not read by themselves


class Kind(enum.IntEnum):
    """The numbers."""

    POST = 0  #: content [subject, body] in a root, [body] in a reply
    RETRACT = 1  #: content [ID of a post by the same key]
    SUPERSEDE = 2  #: content [ID of a post by the same key, new body]
    REVEAL = 5  #: content [the secret seed of the author's own key]: from then on anybody can sign with it


class Meaning(enum.Enum):
    """What a post does to the thread that a user reads. Code that acts on it names every one,
    and ends with `assert_never`.
    """

    TEXT = enum.auto()  #: nothing: it is read as it is
    WITHDRAWS = enum.auto()  #: its target is not shown any more
    EDITS = enum.auto()  #: its body replaces that of its target
    REVEALS = enum.auto()  #: its key proves nothing from now on


@dataclass(frozen=True, slots=True)
class Row:
    """`fits(is_root, content)` is the content rule. The texts in the content were found valid
    before it is asked.

    A body is the last item of the content, and in a root the first item is the subject. A
    target is the first.
    """

    number: int
    name: str
    meaning: Meaning
    has_body: bool
    has_target: bool
    fits: Callable[[bool, Content], bool]
    is_founding: bool = False  #: the rule decides validity; rows that are added leave it False, see above


def is_body(value: Any) -> bool:
    return type(value) is str and len(value.encode()) <= limits.MAX_BODY


def is_subject(value: Any) -> bool:
    return type(value) is str and len(value.encode()) <= limits.MAX_SUBJECT and "\n" not in value


def is_id(value: Any) -> bool:
    return type(value) is bytes and len(value) == ID_SIZE


def _fits_post(is_root: bool, content: Content) -> bool:
    if is_root:
        return len(content) == 2 and is_subject(content[0]) and is_body(content[1])
    return len(content) == 1 and is_body(content[0])


def _fits_retract(is_root: bool, content: Content) -> bool:
    return not is_root and len(content) == 1 and is_id(content[0])


def _fits_supersede(is_root: bool, content: Content) -> bool:
    return not is_root and len(content) == 2 and is_id(content[0]) and is_body(content[1])


def _fits_reveal(is_root: bool, content: Content) -> bool:
    """`post.decode` checks that the seed is the author's: the payload does not say which key signs."""
    return not is_root and len(content) == 1 and type(content[0]) is bytes and len(content[0]) == 32


TABLE: dict[int, Row] = {
    row.number: row
    for row in (
        Row(Kind.POST, "post", Meaning.TEXT, True, False, _fits_post, is_founding=True),
        Row(Kind.RETRACT, "retract", Meaning.WITHDRAWS, False, True, _fits_retract, is_founding=True),
        Row(Kind.SUPERSEDE, "supersede", Meaning.EDITS, True, True, _fits_supersede, is_founding=True),
        Row(Kind.REVEAL, "reveal", Meaning.REVEALS, False, False, _fits_reveal, is_founding=True),
    )
}

UNCOUNTED = (Kind.RETRACT, Kind.SUPERSEDE)  # rule: these are remarks, though their numbers are below REMARKS


def is_counted(number: int) -> bool:
    """Whether posts of a kind are read by themselves, and so are counted in their thread.

    Only the number decides, and every version reads it alike. A node that does not know a kind counts its
    posts as a node that does. So it need not count again when an upgrade teaches it the kind.
    """
    return number < REMARKS and number not in UNCOUNTED


def name_of(number: int) -> str:
    """The name of a kind, for the user."""
    row = TABLE.get(number)
    return f"kind {number}" if row is None else row.name
