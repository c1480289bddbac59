"""The stempool: posts on their way that are not public."""

from dataclasses import dataclass, field

from p2pforum.stem.params import StemParams

OWN = ""  # stands for this node in the place of the peer that brought a post


@dataclass(eq=False, slots=True)
class StemPost:
    """One post. `edges` are the peers that brought it: a second arrival from one of them is a duplicate.
    `holder` is the first of them; the post counts in its share.

    After a restart every post is `own`, because no file says which were.
    """

    post_id: bytes
    raw: bytes
    own: bool
    holder: str
    slot: int = 0  #: of an own post: it goes through this slot's guards
    edges: set[str] = field(default_factory=set)
    is_sent: bool = False
    is_fluffing: bool = False


@dataclass(slots=True)
class _Share:
    posts: int = 0
    bytes: int = 0

    def change(self, posts: int, size: int) -> None:
        self.posts += posts
        self.bytes += size


class Pool:
    """Own posts and other users', each bounded in posts and bytes by themselves, so that no flood takes room
    from own posts. When there are too many others, those of the peer that has brought most are crowded out.
    """

    def __init__(self, params: StemParams) -> None:
        self._params = params
        self._posts: dict[bytes, StemPost] = {}
        self._shares: dict[str, _Share] = {}  # by holder; none is empty

    def __len__(self) -> int:
        return len(self._posts)

    def __contains__(self, post_id: object) -> bool:
        return post_id in self._posts

    def get(self, post_id: bytes) -> StemPost | None:
        return self._posts.get(post_id)

    def ids(self) -> list[bytes]:
        return list(self._posts)

    @property
    def own(self) -> int:
        return sum(post.own for post in self._posts.values())

    @property
    def queued(self) -> int:
        """Own posts that no peer has got yet."""
        return sum(post.own and not post.is_sent for post in self._posts.values())

    def has_room(self, size: int) -> bool:
        """Whether there is room for one more own post of `size` bytes."""
        own = self._shares.get(OWN, _Share())
        return own.posts < self._params.pool_posts and own.bytes + size <= self._params.pool_bytes

    def add(self, post: StemPost) -> None:
        self._posts[post.post_id] = post
        self._shares.setdefault(post.holder, _Share()).change(1, len(post.raw))

    def remove(self, post_id: bytes) -> None:
        """Take a post out, if it is here, and out of its holder's share."""
        post = self._posts.pop(post_id, None)
        if post is not None:
            share = self._shares[post.holder]
            share.change(-1, -len(post.raw))
            if not share.posts:
                del self._shares[post.holder]

    def crowd_out(self) -> list[StemPost]:
        """Remove others' posts until they fit: the oldest post of the peer that has most, again and again.

        If several peers have most, it is the oldest of all their posts. A choice by peer ID would let an
        attacker keep its own posts here.
        """
        out: list[StemPost] = []
        while self._is_crowded():
            parts = {holder: self._part(s) for holder, s in self._shares.items() if holder != OWN}
            most = max(parts.values())
            out.append(next(post for post in self._posts.values() if parts.get(post.holder) == most))
            self.remove(out[-1].post_id)
        return out

    def _part(self, share: _Share) -> float:
        return max(share.posts / self._params.pool_posts, share.bytes / self._params.pool_bytes)

    def _is_crowded(self) -> bool:
        others = [share for holder, share in self._shares.items() if holder != OWN]
        return (
            sum(share.posts for share in others) > self._params.pool_posts
            or sum(share.bytes for share in others) > self._params.pool_bytes
        )
