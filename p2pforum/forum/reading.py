"""A thread as the user reads it: in order, with names, edits and withdrawals applied.

Not how it is printed. Only the keystore, if it is open, says what is "mine" or "read".
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from p2pforum.core import limits
from p2pforum.core.errors import NotFound
from p2pforum.core.kinds import Meaning, is_counted
from p2pforum.core.pseudonym import name_of
from p2pforum.core.thread import Placed, latest, reading_order
from p2pforum.store.queries import PostRow, Reader

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents


@dataclass(frozen=True, slots=True)
class PostView:
    """One post to show. `name` is always the pseudonym's own; `petname` is what I call it, or empty."""

    id: bytes
    author: bytes
    name: str
    petname: str
    hour: int
    depth: int
    parents: tuple[bytes, ...]  #: at most MAX_PARENTS, those that are here first
    missing: tuple[bytes, ...]  #: those of the parents that are not here (yet)
    subject: str
    body: str  #: empty if retracted or not understood
    edited: int  #: hour of the edit that is shown; 0 if none
    is_retracted: bool
    kind: int  #: its number: core/kinds.py
    is_reveal: bool  #: it publishes the secret of its own key, and says nothing else
    is_revealed: bool  #: its key was published, here or in another thread: anybody can have signed it
    is_understood: bool  #: False: a newer version wrote it; only that can be shown
    is_released: bool  #: False: mine or passing through, and not yet offered back by the network
    is_mine: bool
    is_unread: bool


@dataclass(frozen=True, slots=True)
class ThreadView:
    """`subject` is empty if the root is not here. `newer` counts the remarks that this version does not
    understand. They say something of other posts, and are not shown among them.
    """

    root: bytes
    board: str
    subject: str
    posts: tuple[PostView, ...]
    has_root: bool
    is_complete: bool  #: the root is here, and every post that another post of the thread answers
    newer: int = 0


@dataclass(frozen=True, slots=True)
class _Node:
    """A row with the parents it is shown under."""

    row: PostRow
    parents: tuple[bytes, ...]

    @property
    def id(self) -> bytes:
        return self.row.id

    @property
    def hour(self) -> int:
        return self.row.hour


@dataclass(slots=True)
class _Amendments:
    """What authors said later about their own posts, by the ID of the post."""

    revealed: set[bytes]  #: keys, not posts
    retracted: set[bytes] = field(default_factory=set)
    edits: dict[bytes, PostRow] = field(default_factory=dict)


def thread_view(reader: Reader, root: bytes, contents: "Contents | None" = None) -> ThreadView:
    """The thread as it is shown. Raises NotFound if no post of it is here. Without `contents`
    no post is mine or unread.
    """
    rows = reader.thread(root)
    if not rows:
        raise NotFound("no post of that thread is here")
    amendments = _amendments(rows, reader.revealed({row.author for row in rows}))
    views = tuple(_view(placed, root, amendments, contents) for placed in _place(rows))
    if not views:
        raise NotFound("only remarks on posts of that thread are here, without the posts")
    first = next((row for row in rows if row.id == root), None)
    subject = "" if first is None or root in amendments.retracted else first.subject
    here = {row.id for row in rows}
    is_complete = root in here and all(parent in here for row in rows for parent in row.parents)
    newer = sum(row.meaning is None and not is_counted(row.kind) for row in rows)
    return ThreadView(root, rows[0].board, subject, views, first is not None, is_complete, newer)


def _amendments(rows: Iterable[PostRow], revealed: set[bytes]) -> _Amendments:
    """Only the key of a post can withdraw or edit it. The last edit counts, and a withdrawal
    counts before all edits.

    The last edit is found by which edit names which as a parent, then by hour and ID: of two edits in one
    hour the later one names the other.

    Edits by a published key count for nothing, whenever they are dated, because an attacker
    could put words into its posts. Withdrawals by it count: the author may have made them,
    and a forger can say nothing by one.
    """
    known = {row.id: row for row in rows}
    found = _Amendments(revealed)
    edits: dict[bytes, list[PostRow]] = defaultdict(list)
    for row in known.values():
        target = known.get(row.target)
        if target is None or target.author != row.author or target.meaning is not Meaning.TEXT:
            continue
        match row.meaning:
            case Meaning.WITHDRAWS:
                found.retracted.add(target.id)
            case Meaning.EDITS:
                if row.author not in revealed:
                    edits[target.id].append(row)
            case Meaning.TEXT | Meaning.REVEALS | None:
                pass
            case _:
                assert_never(row.meaning)
    found.edits = {target: latest(rows)[-1] for target, rows in edits.items()}
    return found


def _place(rows: Iterable[PostRow]) -> list[Placed[_Node]]:
    """The order of what is shown. Remarks are not shown; a post that answers a remark is shown as an answer
    to what the remark answers.

    A post keeps at most MAX_PARENTS of these, as on the wire. Otherwise, in a chain of remarks, each would
    stand for all parents of those before it.
    """
    stands_for: dict[bytes, tuple[bytes, ...]] = {}
    shown: dict[bytes, _Node] = {}
    for placed in reading_order(rows):
        row = placed.post
        parents = dict.fromkeys(up for p in row.parents for up in stands_for.get(p, (p,)))
        kept = tuple(sorted(parents, key=lambda up: up not in shown)[: limits.MAX_PARENTS])
        if is_counted(row.kind):
            shown[row.id] = _Node(row, kept)
        else:
            stands_for[row.id] = kept
    return reading_order(shown.values())


def _view(
    placed: Placed[_Node], root: bytes, amendments: _Amendments, contents: "Contents | None"
) -> PostView:
    row = placed.post.row
    is_retracted = row.id in amendments.retracted
    edit = None if is_retracted else amendments.edits.get(row.id)
    return PostView(
        id=row.id,
        author=row.author,
        name=name_of(row.author, root),
        petname=contents.petname(root, row.author) if contents else "",
        hour=row.hour,
        depth=placed.depth,
        parents=placed.post.parents,
        missing=placed.missing,
        subject="" if is_retracted else row.subject,
        body="" if is_retracted else (edit or row).body,
        edited=edit.hour if edit else 0,
        is_retracted=is_retracted,
        kind=row.kind,
        is_reveal=row.meaning is Meaning.REVEALS,
        is_revealed=row.author in amendments.revealed,
        is_understood=row.meaning is not None,
        is_released=row.released,
        is_mine=contents is not None and contents.is_mine(row.author),
        is_unread=contents is not None and not contents.is_read(root, row.id),
    )
