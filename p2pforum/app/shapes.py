"""A post, a thread, a board and a key as JSON: the one spelling of each, for every front end.

docs/json/ has a JSON Schema of each, made from the classes here by docs/json/make.py. `hour` is in hours
since 1970, `time` the beginning of that hour in UTC. IDs and keys have 52 letters. `name` is always the
pseudonym's own, as everybody sees it, and `petname` the user's own name for it.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NotRequired, TypedDict

from p2pforum.app.clock import rfc3339
from p2pforum.core import kinds
from p2pforum.core.errors import InvalidPost
from p2pforum.core.post import decode
from p2pforum.core.post_id import format_id
from p2pforum.core.pseudonym import name_of
from p2pforum.store.queries import BoardRow, PostRow, ThreadRow, row_of

if TYPE_CHECKING:
    from p2pforum.app.writing import Done
    from p2pforum.core.network_params import NetworkParams
    from p2pforum.forum.keys import KeyView
    from p2pforum.forum.publish import Published
    from p2pforum.forum.reading import PostView, ThreadView
    from p2pforum.keystore.contents import Contents, Draft

_KINDS = ", ".join(row.name for row in kinds.TABLE.values())


class PostShape(TypedDict):
    """A post. The optional fields are there if they are known."""

    id: str
    root: Annotated[str, "the thread: the ID of its first post"]
    board: str
    parents: Annotated[list[str], "what it answers"]
    kind: Annotated[str, f"{_KINDS}, or a number of a later version as `kind 7`"]
    key: Annotated[str, "the pseudonym's key, which signed it"]
    name: str
    hour: int
    time: str
    subject: Annotated[str, "of a thread's first post; else empty"]
    body: Annotated[str, "in a thread as it is shown: edited, and empty if it is withdrawn"]
    target: Annotated[str | None, "the post that a retract or supersede is about"]
    understood: Annotated[bool, "false: by a later version, and its body is not shown"]
    released: NotRequired[Annotated[bool, "false: not public yet"]]
    depth: NotRequired[Annotated[int, "in its thread: 0 is the first post"]]
    missing: NotRequired[Annotated[list[str], "parents that are not here"]]
    petname: NotRequired[str | None]
    mine: NotRequired[bool]
    edited: NotRequired[Annotated[int | None, "the hour of the edit that is shown"]]
    retracted: NotRequired[bool]
    key_published: NotRequired[Annotated[bool, "anybody can sign as this pseudonym"]]
    snippet: NotRequired[Annotated[str, "the words around what was searched for"]]
    outcome: NotRequired[Annotated[str, "of writing it: stored, duplicate, refused, ...; or that it waits"]]
    node: NotRequired[Annotated[bool, "it went to a running node"]]
    state: NotRequired[Annotated[str, "of an own post: waiting, travelling, held, public"]]
    why: NotRequired[Annotated[str | None, "why it is held"]]
    how: NotRequired[Annotated[str | None, "what is special in how it leaves"]]
    held_by_at_least: NotRequired[Annotated[int | None, "peers that were seen to have it"]]


class ThreadShape(TypedDict):
    """A thread; with `posts` if it is shown as a whole."""

    id: Annotated[str, "of its first post"]
    board: str
    subject: Annotated[str, "empty if its first post is not here"]
    key: Annotated[str | None, "whose first post it is; null if that is not here"]
    name: str | None
    post_count: int
    hour: Annotated[int | None, "of its latest post; null if none is here"]
    time: str | None
    petname: NotRequired[str | None]
    pinned: NotRequired[Annotated[bool, "neither age nor quota removes it"]]
    complete: NotRequired[Annotated[bool, "whatever its posts answer is here"]]
    newer: NotRequired[Annotated[int, "remarks by later versions, which are not shown"]]
    posts: NotRequired[Annotated[list[PostShape], "in the order in which everybody reads them"]]


class BoardShape(TypedDict):
    """A board. One that only an invite names has no posts here yet."""

    board: str
    thread_count: int
    post_count: int
    hour: Annotated[int | None, "of its latest post"]
    time: str | None


class KeyShape(TypedDict):
    """A key of the user's own, without its secret."""

    key: str
    petname: Annotated[str | None, "of a pseudonym for more than one thread"]
    name: Annotated[str, "as others see it in `root`"]
    root: Annotated[str | None, "the thread that it was made for"]
    threads: Annotated[list[str], "in which it speaks"]
    made: str
    used: str
    post_count: int
    expires: Annotated[str | None, "when it is burnt if it stays idle"]
    warned: bool


class DraftShape(TypedDict):
    """A text that the user wrote and did not publish."""

    id: str
    destination: Annotated[str, "`board NAME`, `reply ID` or `edit ID`"]
    subject: Annotated[str, "of a new thread; else empty"]
    body: str
    hour: Annotated[int, "of the last change"]
    time: str


def post_shape(row: PostRow) -> PostShape:
    return {
        "id": format_id(row.id),
        "root": format_id(row.root),
        "board": row.board,
        "parents": [format_id(parent) for parent in row.parents],
        "kind": kinds.name_of(row.kind),
        "key": format_id(row.author),
        "name": name_of(row.author, row.root),
        "hour": row.hour,
        "time": rfc3339(row.hour),
        "subject": row.subject,
        "body": row.body,
        "target": format_id(row.target) if row.target else None,
        "understood": row.meaning is not None,
    }


def found_shape(row: PostRow, snippet: str) -> PostShape:
    return {**post_shape(row), "snippet": snippet}


def published_shape(published: "Published") -> PostShape:
    outcome = published.outcome.value if published.outcome else "waits in the outbox"
    return {**post_shape(row_of(published.post, released=False)), "outcome": outcome}


def written_shape(done: "Done") -> PostShape:
    return {**published_shape(done.published), "node": not done.node_was_off}


def view_shape(view: "PostView", thread: "ThreadView") -> PostShape:
    """A post as it is shown in its thread."""
    return {
        "id": format_id(view.id),
        "root": format_id(thread.root),
        "board": thread.board,
        "parents": [format_id(parent) for parent in view.parents],
        "kind": kinds.name_of(view.kind),
        "key": format_id(view.author),
        "name": view.name,
        "hour": view.hour,
        "time": rfc3339(view.hour),
        "subject": view.subject,
        "body": view.body,
        "target": None,
        "understood": view.is_understood,
        "released": view.is_released,
        "depth": view.depth,
        "missing": [format_id(parent) for parent in view.missing],
        "petname": view.petname or None,
        "mine": view.is_mine,
        "edited": view.edited or None,
        "retracted": view.is_retracted,
        "key_published": view.is_revealed,
    }


def thread_row_shape(row: ThreadRow, contents: "Contents | None", *, pinned: bool) -> ThreadShape:
    petname = contents.petname(row.root, row.author) if contents else ""
    return {
        "id": format_id(row.root),
        "board": row.board,
        "subject": row.subject,
        "key": format_id(row.author) if row.author else None,
        "name": name_of(row.author, row.root) if row.author else None,
        "petname": petname or None,
        "post_count": row.posts,
        "hour": row.last_hour if row.posts else None,
        "time": rfc3339(row.last_hour) if row.posts else None,
        "pinned": pinned,
    }


def thread_shape(view: "ThreadView") -> ThreadShape:
    first = next((post for post in view.posts if post.id == view.root), None)
    hour = max(post.hour for post in view.posts)
    return {
        "id": format_id(view.root),
        "board": view.board,
        "subject": view.subject,
        "key": format_id(first.author) if first else None,
        "name": first.name if first else None,
        "post_count": len(view.posts),
        "hour": hour,
        "time": rfc3339(hour),
        "complete": view.is_complete,
        "newer": view.newer,
        "posts": [view_shape(post, view) for post in view.posts],
    }


def board_shape(row: BoardRow) -> BoardShape:
    return {
        "board": row.name,
        "thread_count": row.threads,
        "post_count": row.posts,
        "hour": row.last_hour,
        "time": rfc3339(row.last_hour),
    }


def invited_shape(board: str) -> BoardShape:
    return {"board": board, "thread_count": 0, "post_count": 0, "hour": None, "time": None}


def key_shape(view: "KeyView") -> KeyShape:
    return {
        "key": format_id(view.public),
        "petname": view.name or None,
        "name": view.shown,
        "root": format_id(view.root) if view.root else None,
        "threads": [format_id(root) for root in view.threads],
        "made": rfc3339(view.made),
        "used": rfc3339(view.used),
        "post_count": view.posts,
        "expires": rfc3339(view.expires) if view.expires else None,
        "warned": view.is_warned,
    }


def draft_shape(draft_id: str, draft: "Draft") -> DraftShape:
    return {
        "id": draft_id,
        "destination": draft.destination,
        "subject": draft.subject,
        "body": draft.body,
        "hour": draft.hour,
        "time": rfc3339(draft.hour),
    }


def json_lines(raws: Iterator[bytes], params: "NetworkParams") -> Iterator[str]:
    """Each post as one line of JSON, ASCII only. A post that is damaged on disk is left out."""
    for raw in raws:
        try:
            post = decode(raw, params)
        except InvalidPost:
            continue
        yield json.dumps(post_shape(row_of(post, released=True)))
