"""The stempool: posts on their way that are not public."""

from dataclasses import dataclass, field

from p2pforum.stem.params import StemParams

OWN = ""  # where an own post comes from, among the peers that bring the others


@dataclass(eq=False, slots=True)
class Travelling:
    """One post. `edges` are where it came from: a second arrival from one of them is a duplicate.

    After a restart every post is `own`: which were, nothing on disk says.
    """

    post_id: bytes
    raw: bytes
    own: bool
    slot: int = 0  #: of an own one: whose guards it goes through
    edges: set[str] = field(default_factory=set)
    is_sent: bool = False
    is_fluffing: bool = False


class Pool:
    """Bounded in posts and bytes; others' posts may take a part of it only."""

    def __init__(self, params: StemParams) -> None:
        self._params = params
        self._posts: dict[bytes, Travelling] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._posts)

    def __contains__(self, post_id: object) -> bool:
        return post_id in self._posts

    def get(self, post_id: bytes) -> Travelling | None:
        return self._posts.get(post_id)

    def ids(self) -> list[bytes]:
        return list(self._posts)

    @property
    def own(self) -> int:
        return sum(post.own for post in self._posts.values())

    @property
    def queued(self) -> int:
        """Own ones that no peer has got yet."""
        return sum(post.own and not post.is_sent for post in self._posts.values())

    def has_room(self, size: int, *, own: bool) -> bool:
        part = 1.0 if own else self._params.pool_relayed
        return (
            len(self._posts) < part * self._params.pool_posts
            and self._bytes + size <= part * self._params.pool_bytes
        )

    def add(self, post: Travelling) -> None:
        self._posts[post.post_id] = post
        self._bytes += len(post.raw)

    def remove(self, post_id: bytes) -> None:
        post = self._posts.pop(post_id, None)
        if post is not None:
            self._bytes -= len(post.raw)
