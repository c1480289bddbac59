"""Which key signs a post, and what the keystore remembers of it.

By default each thread has a fresh random key, the same one as long as the thread lasts. The keys are not
derived from a common secret, so no stolen secret can join them.
"""

from dataclasses import dataclass, field

from nacl.utils import random

from p2pforum.core.errors import NotFound
from p2pforum.core.post import Post
from p2pforum.keystore.contents import SEED_SIZE, AuthorKey, Contents, new_key, public_key

ONCE = "once"  # a key that signs one post and is then forgotten
THREAD = "thread"  # the thread's own key


@dataclass(frozen=True, slots=True)
class Author:
    """The key that signs one post. `label` is the kind of the key ("thread", "once"), or its name."""

    seed: bytes = field(repr=False)
    public: bytes
    label: str
    is_known: bool  #: whether it is in the keystore
    is_first: bool  #: whether it has no post yet: its first stamp costs more


def fresh(label: str = ONCE) -> Author:
    seed = random(SEED_SIZE)
    return Author(seed, public_key(seed), label, is_known=False, is_first=True)


def choose(box: Contents, root: bytes, key: str | None) -> Author:
    """`key` is None (the thread's own), ONCE, or the name of a pseudonym. `root` is empty for a new thread.

    Raises NotFound.
    """
    if key == ONCE:
        return fresh()
    if key is None or key == THREAD:
        known = box.key_for_thread(root)
        return fresh(THREAD) if known is None else _known(known)
    known = box.pseudonym(key)
    if known is None:
        raise NotFound(f'there is no pseudonym named "{key}" in the keystore')
    return _known(known)


def owner(box: Contents, public: bytes) -> Author:
    """The author of a post of mine. Raises NotFound if its key is not (or no longer) here."""
    if public not in box.keys:
        raise NotFound(
            "the key of that post is not in the keystore: another person wrote the post, "
            "or you used the key once or burnt it"
        )
    return _known(box.keys[public])


def _known(key: AuthorKey) -> Author:
    return Author(key.seed, key.public, key.name or THREAD, is_known=True, is_first=not key.posts)


def is_current(box: Contents, author: Author, root: bytes) -> bool:
    """Whether the choice still holds. Minting takes seconds, and meanwhile another process may have written
    in the thread or burnt the key.
    """
    if author.is_known:
        return author.public in box.keys
    return author.label == ONCE or box.key_for_thread(root) is None


def record(box: Contents, author: Author, post: Post) -> None:
    """Remember the key, and that it wrote in this thread. A key for once is not kept."""
    if author.label == ONCE:
        return
    hour = post.payload.hour
    if not author.is_known:
        box.keys[author.public] = new_key(author.seed, post.thread, "", hour)
    key = box.keys[author.public]
    key.used, key.posts, key.warned = hour, key.posts + 1, 0
    box.speaking.setdefault(post.thread, author.public)
