"""Hand signed posts to the node (or the store). Posts that neither took wait in the keystore.

A post is in the outbox from before it is first handed in until it is acknowledged, so a crash loses none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from p2pforum.core.errors import InvalidPost, KeystoreError, P2PForumError, Refused
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post, decode
from p2pforum.core.verdict import Outcome
from p2pforum.forum import drafts
from p2pforum.keystore.contents import Contents, Draft, OutboxPost
from p2pforum.keystore.keystore import Keystore

Submit = Callable[[bytes], Outcome]
"""Hands in a raw post. May raise Refused with the node's reason, and NodeUnreachable or StoreError."""


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What became of a post that was handed in. `outcome` is None if no node or store took
    it: it stays in the outbox.

    A refused post leaves the outbox, and its text becomes a draft. `unsettled` says why this could not be
    written down (a full disk). Then the post is still in the outbox, and will be handed in once more.
    """

    post: Post
    outcome: Outcome | None
    problem: str = ""
    unsettled: str = ""

    @property
    def is_done(self) -> bool:
        return self.outcome not in (None, Outcome.TOO_EARLY)


def put(box: Contents, post: Post, params: NetworkParams) -> None:
    box.outbox.append(OutboxPost(post.id, params.name, post.raw))


def hand_in(keystore: Keystore, posts: list[Post], submit: Submit) -> list[SubmitResult]:
    """Hand in posts that are in the outbox, in order, and take out those that are done."""
    handed = []
    try:
        for post in posts:
            handed.append(_hand_in(post, submit))
            if handed[-1].outcome is None:
                break  # no node answers: it would not take the next ones either
    finally:
        unsettled = _try_to_settle(keystore, handed)
    left = posts[len(handed) :]
    handed = [replace(h, unsettled=unsettled) if h.is_done else h for h in handed]
    return handed + [SubmitResult(post, None, handed[-1].problem) for post in left]


def resubmit_outbox(keystore: Keystore, submit: Submit, params: NetworkParams) -> list[SubmitResult]:
    """Hand in again the posts that wait in the outbox for this network. Raises KeystoreError."""
    box = keystore.read()
    waiting = [decode(post.raw, params) for post in box.outbox if post.network == params.name]
    return hand_in(keystore, waiting, submit)


def _hand_in(post: Post, submit: Submit) -> SubmitResult:
    try:
        return SubmitResult(post, submit(post.raw))
    except (Refused, InvalidPost) as error:
        return SubmitResult(post, Outcome.REFUSED, str(error))
    except P2PForumError as error:
        return SubmitResult(post, None, str(error))


def _try_to_settle(keystore: Keystore, handed: list[SubmitResult]) -> str:
    """Take posts that are done out of the outbox. Returns what went wrong, if anything. Never raises: if a
    post that was acknowledged looked like one that failed, the user would write it again under the same key.
    """
    done = {h.post.id: h for h in handed if h.is_done}
    if not done:
        return ""
    try:
        with keystore.transaction() as box:
            _settle(box, done)
    except (KeystoreError, OSError) as error:
        return str(error)
    return ""


def _settle(box: Contents, done: dict[bytes, SubmitResult]) -> None:
    box.outbox = [post for post in box.outbox if post.id not in done]
    for handed in done.values():
        if handed.outcome in (Outcome.REFUSED, Outcome.INVALID):
            _keep_text(box, handed.post)


def _keep_text(box: Contents, post: Post) -> None:
    destination = drafts.destination_of(post.payload, post.target)
    draft = Draft(destination, post.subject, post.body, post.payload.hour)
    if post.body and not drafts.has_text(box, draft):
        drafts.keep(box, draft)
