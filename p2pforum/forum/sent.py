"""Where my posts are: signed only, kept here and not public, or public. Known by the keys that I have.

Only the keystore says what is "mine". When a key is gone, nothing here says that its posts were mine. A peer
counts as having a post only if it offered the post back while the node listened, because a peer that was
handed a post may have refused it.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from p2pforum.core.kinds import name_of
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import decode
from p2pforum.keystore.contents import Contents
from p2pforum.store.queries import PostRow, Reader, row_of

_EXCERPT = 200  # characters: as many as a wide terminal has columns for


class SentState(enum.Enum):
    WAITING = "waiting"  #: signed; no store has it
    KEPT = "kept"  #: in the store, and not offered back: on its way, if the node runs
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class SentPost:
    row: PostRow
    state: SentState
    held: int = 0  #: peers that hold it, at least: so many offered it back
    petname: str = ""  #: what I call the pseudonym that wrote it

    @property
    def title(self) -> str:
        """The subject, or the beginning of the text, or the kind in brackets if it has none."""
        row = self.row
        text = row.subject or " ".join(row.body.split()) or f"({name_of(row.kind)})"
        return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


def my_posts(box: Contents, reader: Reader, params: NetworkParams) -> list[SentPost]:
    """Waiting ones first, then kept ones, then public ones with the newest first."""
    waiting = [
        _sent(row_of(decode(kept.raw, params), released=False), box, SentState.WAITING)
        for kept in box.outbox
        if kept.network == params.name
    ]
    known = {sent.row.id for sent in waiting}
    rows = {row.id: row for row in _rows(box, reader) if row.id not in known and box.is_mine(row.author)}
    newest = sorted(rows.values(), key=lambda row: (row.released, -row.hour, row.id))
    return waiting + [_sent(row, box, SentState.PUBLIC if row.released else SentState.KEPT) for row in newest]


def _rows(box: Contents, reader: Reader) -> Iterable[PostRow]:
    yield from reader.unreleased()
    for root in {key.root for key in box.keys.values() if key.root} | set(box.speaking):
        yield from reader.thread(root)


def _sent(row: PostRow, box: Contents, state: SentState) -> SentPost:
    left, key = box.sent.get(row.id), box.keys.get(row.author)
    name = (key.name if key else "") or box.petname(row.root, row.author)
    return SentPost(row, state, left.heard if left else 0, name)
