"""What the user sees: a thread by what was typed, own posts, the boards and threads the user follows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from p2pforum.app.session import Session
from p2pforum.core.errors import NotFound, Refused
from p2pforum.forum.reading import PostView, ThreadView, thread_view
from p2pforum.store.queries import ThreadRow

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents


@dataclass(frozen=True, slots=True)
class Asked:
    """A thread, and the post in it that the user asked for (its root, or one that is shown in it)."""

    thread: ThreadView
    post_id: bytes


def root_of(session: Session, typed: str) -> bytes:
    """The root of the thread whose ID begins so, or of the thread of that post. Raises
    NotFound or Ambiguous.
    """
    asked = session.reader.resolve(typed)
    post = session.reader.post(asked)  # None: the root of a thread of which only answers are here
    return post.root if post else asked


def read_thread(session: Session, typed: str, contents: "Contents | None" = None) -> Asked:
    """`contents` say which posts are mine and what I call others. Raises NotFound or Ambiguous."""
    asked = session.reader.resolve(typed)
    return Asked(thread_view(session.reader, root_of(session, typed), contents), asked)


def own_post(session: Session, typed: str, contents: "Contents") -> PostView:
    """A post that I can edit or withdraw, as it is shown now. Raises NotFound, Ambiguous or Refused."""
    found = read_thread(session, typed, contents)
    post = next((post for post in found.thread.posts if post.id == found.post_id), None)
    if post is None or not post.is_mine:
        raise NotFound("that post is not yours, or you burnt its key")
    if post.is_retracted:
        raise Refused("you withdrew that post already, and can't undo it")
    return post


def threads_seen(session: Session, board: str | None, limit: int, offset: int = 0) -> list[ThreadRow]:
    """Threads, the latest first, after the first `offset`: of one board, or of those that the config
    file names, or of all.
    """
    boards = _boards_seen(session, board)
    if not boards:
        return session.reader.threads(None, limit, offset=offset)
    found = [row for name in boards for row in session.reader.threads(name, offset + limit)]
    # Threads of one board and hour stay in the order of the store, so that pages fit together.
    return sorted(found, key=lambda row: row.last_hour, reverse=True)[offset : offset + limit]


def count_threads_seen(session: Session, board: str | None) -> int:
    """How many there are."""
    boards = _boards_seen(session, board)
    return sum(row.threads for row in session.reader.boards() if not boards or row.name in boards)


def _boards_seen(session: Session, board: str | None) -> list[str]:
    """Empty for all boards."""
    return [board] if board else list(session.config.boards)


def pinned_threads(session: Session, board: str | None, limit: int, offset: int = 0) -> list[ThreadRow]:
    """The threads that the user pinned, the latest first; those of which nothing is here come last."""
    return _pinned(session, board)[offset : offset + limit]


def count_threads_pinned(session: Session, board: str | None) -> int:
    """How many there are."""
    return len(_pinned(session, board))


def _pinned(session: Session, board: str | None) -> list[ThreadRow]:
    return [row for row in session.reader.pinned_threads() if board in (None, row.board)]


def nearest_boards(session: Session, board: str) -> list[str] | None:
    """Boards that are here and whose names look like this one, the nearest first. None if the user's node
    knows the board: it has posts of it, or the config file or an accepted invite names it.
    """
    import difflib

    here = [row.name for row in session.reader.boards()]
    config = session.config
    if board in {*here, *config.boards, *config.retention, *invited_boards(session)}:
        return None
    return difflib.get_close_matches(board, here, 3)


def invited_boards(session: Session) -> list[str]:
    """Boards that an accepted invite names and that are not here."""
    if not session.paths.invites_dir.is_dir():  # saves reading the config
        return []
    from p2pforum.config.invites import accepted_invites, is_for

    here = {row.name for row in session.reader.boards()}
    invites = [a.invite for a in accepted_invites(session.paths) if is_for(a.invite, session.config)]
    return sorted({board for invite in invites for board in invite.boards} - here)
