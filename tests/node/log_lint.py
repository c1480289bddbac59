"""What no line of a log may hold: a post or an author, in any writing; and no peer beside a board."""

import base64
from collections.abc import Iterable, Iterator

from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id
from p2pforum.gossip.seen import message_id

_SIZE = 8  # characters: so many are shown of an ID


def _texts(value: bytes) -> Iterator[str]:
    yield value.hex()
    yield format_id(value)
    yield base64.b32encode(value).decode().rstrip("=")
    yield base64.b64encode(value).decode().rstrip("=")
    yield base64.urlsafe_b64encode(value).decode().rstrip("=")
    yield repr(value)[2:-1]


class LogLint:
    """Knows all posts of a run, its boards and its peers."""

    def __init__(self, posts: Iterable[Post], peers: Iterable[str]) -> None:
        self._ends: set[str] = set()
        self._boards: set[str] = set()
        self._peers = list(peers)
        for post in posts:
            self._boards.add(post.payload.board)
            for value in (post.id, message_id(post.raw), post.author):
                for text in map(str.lower, _texts(value)):
                    self._ends |= {text[:_SIZE], text[-_SIZE:]}

    def complaints(self, text: str) -> list[str]:
        """The lines of this text that say too much."""
        return [line for line in text.splitlines() if self._names_post(line) or self._joins(line)]

    def _names_post(self, line: str) -> bool:
        low = line.lower()
        return any(low[n : n + _SIZE] in self._ends for n in range(len(low) - _SIZE + 1))

    def _joins(self, line: str) -> bool:
        return any(peer in line for peer in self._peers) and any(board in line for board in self._boards)
