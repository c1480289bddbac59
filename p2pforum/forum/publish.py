"""Write: choose the key, check the text, mint, sign, keep in the outbox, hand in.

Nothing of a post is kept before it is signed, so an interruption while it is minted leaves no trace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from p2pforum.core import limits
from p2pforum.core.errors import NotFound, Refused
from p2pforum.core.kinds import Kind, Meaning, is_counted
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post
from p2pforum.core.pseudonym import name_of
from p2pforum.core.thread import latest
from p2pforum.core.verdict import Outcome
from p2pforum.forum import authors, outbox
from p2pforum.forum.authors import Author
from p2pforum.forum.minting import MintProgress
from p2pforum.forum.outbox import Submit
from p2pforum.forum.writing import PostSigner, UnsignedPost, clean_board, clean_body, clean_subject
from p2pforum.keystore.contents import AuthorKey, Contents
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.queries import PostRow, Reader


@dataclass(frozen=True, slots=True)
class Published:
    """A post of mine and what became of it.

    `name` is the pseudonym as others see it, `key` is "thread", "once" or the name of a pseudonym. `outcome`
    None or TOO_EARLY: it waits in the outbox, `problem` says why. REFUSED or INVALID: its text is a draft.
    `unsettled` says why this could not be written down (forum/outbox.py).
    """

    post: Post
    name: str
    key: str
    outcome: Outcome | None
    problem: str = ""
    unsettled: str = ""


@dataclass(frozen=True)
class Publisher:
    """Publishes with the keys of one keystore. `now` gives the hour since 1970.

    `key` everywhere: None for the thread's own key (made if need be), "once", or a pseudonym's name.
    """

    keystore: Keystore
    reader: Reader
    submit: Submit
    params: NetworkParams
    now: Callable[[], int]
    progress: MintProgress | None = None

    def new_thread(self, board: str, subject: str, body: str, *, key: str | None = None) -> Published:
        """Begin a thread. Raises Refused for a text or a board that can't be published,
        NotFound for an unknown key.
        """
        content = (clean_subject(subject), clean_body(body))
        writing = UnsignedPost(clean_board(board), b"", (), content)
        return self._publish(lambda box: (authors.choose(box, b"", key), writing))

    def reply(
        self,
        to: bytes,
        body: str,
        *,
        also: Sequence[bytes] = (),
        key: str | None = None,
        visibly: bool = False,
    ) -> Published:
        """Answer the post `to` and those in `also`, and no others; `last_said` finds what to join.

        Raises NotFound. Raises Refused for parents in different threads, and for a post of mine that the
        network has not seen yet, if another key of mine answers it: only its author can know that post.
        `visibly` allows that.
        """
        rows = [self._post(post_id) for post_id in dict.fromkeys((to, *also))]
        check_parents(rows)
        content = (clean_body(body),)

        def prepare(box: Contents) -> tuple[Author, UnsignedPost]:
            author = authors.choose(box, rows[0].root, key)
            if not all(visibly or _may_name(row, author) for row in rows):
                raise Refused(
                    "that post has not come back from the network yet. An answer under another key now "
                    "would show that this node sent both"
                )
            parents = tuple(sorted(row.id for row in rows))
            return author, UnsignedPost(rows[0].board, rows[0].root, parents, content)

        return self._publish(prepare)

    def retract(self, target: bytes) -> Published:
        """Withdraw a post of mine: other nodes hide it if they follow the rules. Raises
        NotFound if its key is gone.
        """
        return self._amend(target, Kind.RETRACT, (target,))

    def supersede(self, target: bytes, body: str) -> Published:
        """Give a post of mine a new text. Raises NotFound if its key is gone.

        The earlier edits become parents of the new one. Otherwise readers would see that of two edits in one
        hour which has the greater ID. Only edits by the same key become parents: an attacker could send each
        node a different edit by a stem, and see which one an edit names.
        """
        post = self._post(target)
        mine = [row for row in self.reader.thread(post.root) if row.author == post.author]
        edits = latest(row for row in mine if row.meaning is Meaning.EDITS and row.target == target)
        before = [row.id for row in edits][1 - limits.MAX_PARENTS :]
        return self._amend(target, Kind.SUPERSEDE, (target, clean_body(body)), before)

    def reveal(self, public: bytes) -> Published:
        """Publish the secret of a key of mine, where it last wrote. Then the key proves
        nothing about anybody.

        Raises NotFound for a key that is not mine, or of which the network has no post: the reveal would be
        the first post to show the key.
        """
        key = self.keystore.read().keys.get(public)
        if key is None:
            raise NotFound("that key is not in the keystore")
        rows = [row for row in self._posts_of(key) if row.released]
        row = max(rows, key=lambda row: (row.hour, row.id), default=None)
        if row is None:
            raise NotFound("the network has no post by that key, so revealing it would change nothing")
        writing = UnsignedPost(row.board, row.root, (row.id,), (key.seed,), Kind.REVEAL)
        return self._publish(lambda box: (authors.owner(box, public), writing))

    def find_reveal(self, public: bytes) -> bytes:
        """The ID of a post that publishes that key of mine; empty if none is in its threads here."""
        key = self.keystore.read().keys.get(public)
        rows = self._posts_of(key) if key else []
        return next((row.id for row in rows if row.meaning is Meaning.REVEALS), b"")

    def _posts_of(self, key: AuthorKey) -> list[PostRow]:
        """The posts by the key, in the threads that the keystore remembers it in."""
        box = self.keystore.read()
        roots = {root for root, public in box.speaking.items() if public == key.public} | ({key.root} - {b""})
        return [row for root in roots for row in self.reader.thread(root) if row.author == key.public]

    def _amend(
        self, target: bytes, kind: Kind, content: tuple[Any, ...], before: Sequence[bytes] = ()
    ) -> Published:
        row = self._post(target)
        if row.meaning is not Meaning.TEXT:
            raise Refused("only a post can be withdrawn or edited")
        writing = UnsignedPost(row.board, row.root, tuple(sorted((target, *before))), content, kind)
        return self._publish(lambda box: (authors.owner(box, row.author), writing))

    def _post(self, post_id: bytes) -> PostRow:
        row = self.reader.post(post_id)
        if row is None:
            raise NotFound("that post is not here")
        return row

    def _publish(self, prepare: Callable[[Contents], tuple[Author, UnsignedPost]]) -> Published:
        signer = PostSigner(self.params, self.now, self.progress)
        while True:
            author, writing = prepare(self.keystore.read())
            post = signer.make(writing, author, is_own_thread=self._is_own_thread(writing, author))
            with self.keystore.transaction() as box:
                if not authors.is_current(box, author, writing.root):
                    continue  # another process wrote in this thread, or burnt the key: choose again
                authors.record(box, author, post)
                outbox.put(box, post, self.params)
            (handed,) = outbox.hand_in(self.keystore, [post], self.submit)
            name = name_of(author.public, post.thread)
            return Published(post, name, author.label, handed.outcome, handed.problem, handed.unsettled)

    def _is_own_thread(self, writing: UnsignedPost, author: Author) -> bool:
        root = self.reader.post(writing.root) if writing.root else None
        return root is not None and root.author == author.public


def check_parents(rows: Sequence[PostRow]) -> None:
    """Raises Refused if no reply can answer all of these."""
    if len({row.root for row in rows}) > 1:
        raise Refused("a reply answers posts of one thread, and these posts are in different threads")
    if len(rows) > limits.MAX_PARENTS:
        raise Refused(f"a reply answers at most {limits.MAX_PARENTS} posts")


def last_said(
    reader: Reader, box: Contents, root: bytes, *, key: str | None = None, visibly: bool = False
) -> list[PostRow]:
    """The posts of a thread that no other answers, the latest last: what a reply by `key` may join.

    Raises NotFound for an unknown key.
    """
    author = authors.choose(box, root, key)
    rows = [row for row in reader.thread(root) if is_counted(row.kind)]
    return latest(row for row in rows if visibly or _may_name(row, author))


def _may_name(row: PostRow, author: Author) -> bool:
    """Another key of mine must not name a post that only my node has: peers would see that both keys are
    mine.
    """
    return row.released or row.author == author.public
