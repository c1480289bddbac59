"""Write as the user: posts, replies, edits, withdrawals, revealed keys, imports. The only
code that does it.

Check the clock; hand in posts that wait in the outbox; publish; remember for leak-report what the node says
of the post; drop the draft that has the text once the post is out, or signed and in the outbox; look at
idle keys. A front end keeps the text as a draft before it writes (drafting.py), so that no text is lost,
however the process ends.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from p2pforum.app.clock import clock_problem
from p2pforum.app.delivery import Delivery
from p2pforum.app.session import Session
from p2pforum.core.errors import NodeUnreachable, P2PForumError, Refused, StoreBusy
from p2pforum.core.text import fold_board
from p2pforum.core.verdict import Outcome
from p2pforum.forum import drafts
from p2pforum.forum.expiry import Review, is_anything_due, review_idle
from p2pforum.forum.importing import ImportedPost, publish_import
from p2pforum.forum.leak_report import remember
from p2pforum.forum.minting import MintProgress
from p2pforum.forum.outbox import resubmit_outbox
from p2pforum.forum.publish import Published, Publisher
from p2pforum.forum.writing import PostSigner
from p2pforum.keystore.keystore import Keystore

TAKEN = (Outcome.STORED, Outcome.DUPLICATE)
REFUSED = (Outcome.REFUSED, Outcome.INVALID)


_NOTHING_IDLE = Review((), ())


@dataclass(frozen=True, slots=True)
class Done:
    """A post of mine and what became of it: see `Published`. It is out, or waits in the outbox.

    `unremembered`: why leak-report won't know of it. `undropped`: why its draft is still there.
    """

    published: Published
    node_was_off: bool  #: it is kept here, and goes out when the node runs
    is_nobody_there: bool = False  #: no node answers and the store is in use, so it was not taken
    unremembered: str = ""
    undropped: str = ""
    idle: Review = _NOTHING_IDLE


class Writer:
    """Writes for one user. Use it in a `with`: without a node the store stays open between posts.

    `progress` is told how many stamps were tried, and after how many one is found on average. For `listen`
    seconds the node counts the peers that offer a post back. `draft` has the text, and goes when the text is
    signed. Methods that write raise Refused for a text that can't be published, NotFound for a key or a post
    that is not here, and KeystoreError. Then the draft stays.
    """

    def __init__(
        self,
        session: Session,
        keystore: Keystore,
        *,
        draft: drafts.Kept | None = None,
        progress: MintProgress | None = None,
        listen: float = 0.0,
    ) -> None:
        self._session = session
        self._keystore = keystore
        self._draft = draft
        self._listen = listen
        self._delivery = Delivery(session)
        self._publisher = Publisher(
            keystore, session.reader, self._delivery.submit, session.config.params, session.now, progress
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._delivery.__exit__(kind, error, trace)

    @property
    def node_was_off(self) -> bool:
        return self._delivery.node_was_off

    def post(self, board: str, subject: str, body: str, *, key: str | None = None) -> Done:
        """Start a thread. `key`: None for a fresh one, "once", or a pseudonym's name. Raises
        as the class says.
        """
        board = fold_board(board)

        def act() -> Published:
            if not body:
                raise Refused("the first line is the subject, and no text follows it")
            return self._publisher.new_thread(board, subject, body, key=key)

        return self._write(act)

    def reply(self, to: Sequence[bytes], body: str, *, key: str | None = None, visibly: bool = False) -> Done:
        """Answer these posts of one thread, and no others. `visibly`: do so even if it shows that two
        pseudonyms are one person.
        """

        return self._write(lambda: self._publisher.reply(to[0], body, also=to[1:], key=key, visibly=visibly))

    def edit(self, target: bytes, body: str) -> Done:
        """Give a post of mine a new text. Nodes and readers that have the old one keep it."""
        return self._write(lambda: self._publisher.supersede(target, body))

    def retract(self, target: bytes) -> Done:
        """Withdraw a post of mine. Programs that follow the rules hide it; nodes that have it keep it."""
        return self._write(lambda: self._publisher.retract(target))

    def reveal(self, public: bytes) -> bytes:
        """Publish the secret of a key of mine; returns the ID of the post that does. Raises
        Refused if it fails.

        It hands in no other posts of the outbox, and remembers nothing: the key will be burnt next.
        """
        if before := self._publisher.find_reveal(public):
            return before  # by an earlier try that was interrupted
        self._check_clock()
        published = self._publisher.reveal(public)
        if published.outcome not in TAKEN:
            raise Refused(f"the secret was not published, and nothing was burnt: {published.problem}")
        return published.post.id

    def publish_import(
        self, posts: Sequence[ImportedPost], board: str, progress: Callable[[int, int], None]
    ) -> Iterator[Published]:
        """Publish a discussion from elsewhere, thread by thread; `progress` gets posts minted
        and posts in all.
        """
        submit, params = self._delivery.submit, self._session.config.params
        resubmit_outbox(self._keystore, submit, params)
        signer = PostSigner(params, self._session.now)
        yield from publish_import(posts, board, self._keystore, submit, signer, progress)

    def _write(self, act: Callable[[], Published]) -> Done:
        self._check_clock()
        resubmit_outbox(self._keystore, self._delivery.submit, self._session.config.params)
        self._delivery.listen = self._listen  # not for those that waited in the outbox
        done = self._done(act())
        if self._draft is not None and done.published.outcome not in REFUSED:
            done = replace(done, undropped=self._drop(self._draft))
        return replace(done, idle=review(self._session, self._keystore))

    def _done(self, published: Published) -> Done:
        """Follow up a post that is out. Errors here must not make it look as if it were not."""
        failure, problem = self._delivery.failure, ""
        try:
            remember(self._keystore, published.post, self._delivery.spread, self._listen)
        except P2PForumError as error:
            problem = str(error)
        is_nobody_there = isinstance(failure, (NodeUnreachable, StoreBusy))
        return Done(published, self.node_was_off, is_nobody_there, problem)

    def _check_clock(self) -> None:
        if wrong := clock_problem(self._session):
            raise Refused(f"{wrong}. Your post would carry that hour, and peers would refuse it")

    def _drop(self, draft: drafts.Kept) -> str:
        """Drop the draft. Returns why that failed: the post is signed, so it is no failure of the post."""
        try:
            with self._keystore.transaction() as box:
                drafts.drop(box, draft)
        except (P2PForumError, OSError) as error:
            return str(error)
        return ""


def review(session: Session, keystore: Keystore) -> Review:
    """Burn the idle keys that the user was warned of three days ago. Returns those, and the
    ones to warn of now.

    Call it after writing, not before: then a key that has just signed does not burn.
    """
    if not is_anything_due(keystore.read(), session.now()):
        return _NOTHING_IDLE
    with keystore.transaction() as box:
        return review_idle(box, session.now(), session.reader)
