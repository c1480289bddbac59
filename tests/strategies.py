"""Builders with defaults and hypothesis strategies for posts; nothing here reads a clock."""

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.core import limits
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams, params_for
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.text import is_valid_text

TEST_NETWORK = params_for("test.net")
HOUR = 498_000  # late 2026


def a_seed(n: int) -> bytes:
    return n.to_bytes(32, "big")


def a_key(n: int) -> bytes:
    return bytes(crypto_sign_seed_keypair(a_seed(n))[0])


def a_post(
    body: str = "A body.",
    *,
    key: int = 1,
    subject: str = "A subject",
    board: str = "general",
    root: bytes = b"",
    parents: Sequence[bytes] = (),
    hour: int = HOUR,
    params: NetworkParams = TEST_NETWORK,
    **other: Any,
) -> Post:
    """A signed post; a reply if `root` is given (then the root is its parent unless others are named)."""
    kept = tuple(sorted(parents)) or ((root,) if root else ())
    content = other.pop("content", (body,) if root else (subject, body))
    fields = {"kind": Kind.POST, "stamp": blank_stamp(0), "version": 1} | other
    payload = Payload(board=board, root=root, parents=kept, hour=hour, content=content, **fields)
    return sign(payload, a_seed(key), a_key(key), params)


def cut_up(stream: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The stream in pieces of these sizes, and what is left."""
    for size in sizes:
        yield stream[:size]
        stream = stream[size:]
    yield stream


def a_thread(size: int, *, board: str = "general", keys: int = 3, hour: int = HOUR) -> list[Post]:
    """A root and replies, each to the one before."""
    posts = [a_post("The first.", subject=f"A thread of {size}", board=board, hour=hour)]
    for n in range(1, size):
        posts.append(
            a_post(
                f"Reply {n}.",
                key=1 + n % keys,
                board=board,
                root=posts[0].id,
                parents=[posts[-1].id],
                hour=hour + n // 10,
            )
        )
    return posts


texts = st.text(max_size=300).filter(is_valid_text)
ids = st.binary(min_size=32, max_size=32)
boards = st.from_regex(r"[a-z0-9.-]{1,64}", fullmatch=True)
hours = st.integers(0, limits.MAX_HOUR - 1)


@st.composite
def posts(draw: st.DrawFn) -> Post:
    """Any well-formed post of a kind that this version knows."""
    root = draw(st.just(b"") | ids)
    parents = draw(st.lists(ids, min_size=1, max_size=limits.MAX_PARENTS, unique=True)) if root else []
    kind = draw(st.sampled_from(list(Kind))) if root else Kind.POST
    key = draw(st.integers(1, 50))
    body = draw(texts)
    subject = draw(texts.filter(lambda t: "\n" not in t and len(t.encode()) <= limits.MAX_SUBJECT))
    content = {
        Kind.POST: (body,) if root else (subject, body),
        Kind.RETRACT: (draw(ids),),
        Kind.SUPERSEDE: (draw(ids), body),
        Kind.REVEAL: (a_seed(key),),
    }[kind]
    return a_post(
        key=key,
        board=draw(boards),
        root=root,
        parents=parents,
        hour=draw(hours),
        kind=kind,
        content=content,
    )
