"""What peers could learn about my posts: what the node answered when they were handed in.

Kept in the keystore; the node keeps none of it. Numbers of peers, never which peers. They
burn with the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.errors import NotFound
from p2pforum.core.post import Post
from p2pforum.keystore.contents import Contents, SentRecord
from p2pforum.keystore.keystore import Keystore


@dataclass(frozen=True, slots=True)
class SentReport:
    """A post of mine and how it left this machine."""

    post_id: bytes
    sent: SentRecord


def remember(keystore: Keystore, post: Post, spread: Mapping[str, int] | None, seconds: float) -> None:
    """Keep the node's answer, if there is one and if the key of the post is kept, too."""
    if spread is None or post.author not in keystore.read().keys:
        return
    hour = post.payload.hour
    counts = (spread["handed"], spread["told"], spread["heard"])
    with keystore.transaction() as box:
        if post.author in box.keys:  # it may have been burnt meanwhile
            box.sent[post.id] = SentRecord(post.author, post.thread, hour, *counts, int(seconds))
        for old in [post_id for post_id, sent in box.sent.items() if sent.hour < hour - limits.SENT_HOURS]:
            del box.sent[old]


def all_left(box: Contents) -> list[SentReport]:
    """All of them, the last first."""
    return sorted(
        (SentReport(post_id, sent) for post_id, sent in box.sent.items()),
        key=lambda left: (-left.sent.hour, left.post_id),
    )


def left(box: Contents, post_id: bytes) -> SentReport:
    """How one post left. Raises NotFound for a post of another author, or one whose leaving
    was not recorded.
    """
    sent = box.sent.get(post_id)
    if sent is None:
        raise NotFound(
            "the keystore does not know how that post left: it is not yours, you used its key once or burnt "
            "it, or no node ran when you wrote it and it left later"
        )
    return SentReport(post_id, sent)


def what_it_tells(sent: SentRecord) -> list[str]:
    """In plain words: what each kind of peer could learn."""
    said = []
    if sent.handed:
        said.append(
            f"{_peers(sent.handed)} got the post from this node, in the hour that it carries. Each can guess "
            "from the timing that you wrote it; several that work together can be nearly sure."
            + (
                " If it was one peer, it is your guard, unless hide_origin is false."
                if sent.handed == 1
                else ""
            )
        )
    else:
        said.append(
            "No peer was connected, or the post waited for a guard. It left later, and your node did not "
            "count the peers."
        )
    if not sent.seconds:
        said.append(
            "To count more, use post --listen 5: it also counts the peers that are told of the post or that "
            "offer it back."
        )
        return said
    if sent.told:
        said.append(
            f"{_peers(sent.told)} learnt within {sent.seconds} s that this node has the post, but not "
            "since when."
        )
    said.append(
        f"{_peers(sent.heard)} offered it back to this node within {sent.seconds} s"
        + (
            ": to them it looks as if the post came from elsewhere, too."
            if sent.heard
            else ": the post had not come back yet."
        )
    )
    return said


def _peers(number: int) -> str:
    return f"{number} peer{'' if number == 1 else 's'}"


ALWAYS = (
    (
        "identify",
        "the same words as every node: the program's name without a version, its protocols, no address",
    ),
    ("subscriptions", "the one topic that every node joins: nothing about boards"),
    ("the connection", "your address on the network, and for how long your node is connected"),
    (
        "the exchange of addresses",
        "some nodes that your node reached, and its own address if `run` says so",
    ),
    (
        "sync",
        "which posts your node has by now, yours among all others, without their order and times of arrival",
    ),
    ("the post itself", "its text, its board, the hour, the key of its thread, and no peer"),
)
"""What every peer is told, whether or not any post is mine. Each line has its own test: see THREATS.md."""
