"""From typed text to a signed post: check, mint, sign. Keeps nothing and sends nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from p2pforum.core import limits, text
from p2pforum.core.errors import InvalidPost, Refused
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, Post, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.forum.authors import Author
from p2pforum.forum.minting import MintProgress, mint
from p2pforum.forum.own_secrets import refuse_own_secrets

_MINT_TRIES = 3  # the hour may end while a stamp is minted; a stamp of the hour before is still good


@dataclass(frozen=True, slots=True)
class UnsignedPost:
    """What will be signed, except the hour and the stamp. `root` is empty for a new thread."""

    board: str
    root: bytes
    parents: tuple[bytes, ...]
    content: tuple[Any, ...]
    kind: Kind = Kind.POST


@dataclass(frozen=True)
class PostSigner:
    """Turns writings into posts of one network. `now` gives the hour since 1970."""

    params: NetworkParams
    now: Callable[[], int]
    progress: MintProgress | None = None

    def back(self, hours: int) -> "PostSigner":
        """One that dates posts so many hours before now."""
        return replace(self, now=lambda: self.now() - hours)

    def make(self, writing: UnsignedPost, author: Author, *, is_own_thread: bool = False) -> Post:
        """Mint and sign. It takes seconds, with progress, and the user can interrupt it.
        Raises Refused for bad fields, and for a text that holds a key of this program.
        """
        refuse_own_secrets(text for text in writing.content if isinstance(text, str))
        bits = self._bits(author, is_own_thread)
        self._sign(self._payload(writing, bits), author)  # refuse before minting, not after
        payload = self._mint(writing, author, bits)
        for _ in range(_MINT_TRIES - 1):
            if payload.hour == self.now():
                break
            payload = self._mint(writing, author, bits)
        return self._sign(payload, author)

    def _bits(self, author: Author, is_own_thread: bool) -> int:
        """The bits follow from what everyone can see, so that the stamp says nothing more."""
        if author.is_first:
            return self.params.stamp_first
        return self.params.stamp_own_thread if is_own_thread else self.params.stamp_default

    def _payload(self, writing: UnsignedPost, bits: int) -> Payload:
        w = writing
        return Payload(w.kind, w.board, w.root, w.parents, self.now(), w.content, blank_stamp(bits))

    def _mint(self, writing: UnsignedPost, author: Author, bits: int) -> Payload:
        return mint(self._payload(writing, bits), author.public, self.params, self.progress)

    def _sign(self, payload: Payload, author: Author) -> Post:
        try:
            return sign(payload, author.seed, author.public, self.params)
        except InvalidPost as error:
            raise Refused(f"this can't be published: {error}") from error


def clean_board(name: str) -> str:
    """The name of a board, its capitals folded. Raises Refused for a text that is no board's name."""
    board = text.fold_board(name)
    if not text.is_valid_board(board):
        raise Refused(f'"{name}" is not a board: a name has 1 to {limits.MAX_BOARD_NAME} of a-z 0-9 . -')
    return board


def clean_subject(subject: str) -> str:
    """The subject as one line, written in the same way for all authors. Raises Refused if it
    is empty or too long.
    """
    subject = " ".join(_normalize(subject).split())
    if not subject:
        raise Refused("a thread needs a subject")
    size = len(subject.encode())
    if size > limits.MAX_SUBJECT:
        raise Refused(f"the subject has {size} bytes; {limits.MAX_SUBJECT} at most")
    return subject


def clean_body(body: str) -> str:
    """The text, written in the same way for all authors. Raises Refused if it is empty or too long."""
    body = clean_text(body)
    size = len(body.encode())
    if size > limits.MAX_BODY:
        raise Refused(f"the text has {size} bytes; {limits.MAX_BODY} at most (about four pages)")
    return body


def clean_text(body: str) -> str:
    """As `clean_body`, for a text of any length. Raises Refused if it is empty."""
    body = _normalize(body)
    if not body:
        raise Refused("the text is empty")
    return body


def _normalize(typed: str) -> str:
    try:
        typed.encode()
    except UnicodeEncodeError:  # a lone surrogate: the bytes that were read were no UTF-8
        raise Refused("the text is not UTF-8") from None
    return text.normalize(typed)
