"""Burn: destroy keys and all that says here that they were mine; before that, show what holds them.

The keystore is written once, so a process that is killed leaves all of it or nothing. Posts
that were never sent are removed before that: the user can repeat a burn that was cut short,
because the key is still there. Not a recall: the posts stay where the network has them. What
is gone is this machine's proof of who wrote them.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from p2pforum.core.errors import NotFound, P2PForumError
from p2pforum.core.network_params import params_for
from p2pforum.core.post import decode
from p2pforum.forum.scanning import Finding, Scan, Secret, scan
from p2pforum.forum.traces import BurnTargets, is_unseen, sealed_elsewhere, secrets_of, thread_finder, unsent
from p2pforum.keystore.contents import Contents, OutboxPost
from p2pforum.keystore.keystore import Keystore
from p2pforum.store.queries import PostRow, Reader

K = TypeVar("K")
V = TypeVar("V")

Choice = Callable[[Contents], BurnTargets]
"""Called with the contents as they are when the burn happens."""


class StoreTraces(Protocol):
    """The process that may write the store: the running node, or a front end that holds the store's lock."""

    def forget(self, ids: Sequence[bytes]) -> None:
        """Remove posts that were never released. Raises P2PForumError."""
        ...

    def unpin(self, roots: Sequence[bytes]) -> None:
        """Unpin these threads, because a pin shows that the user read them. Raises P2PForumError."""
        ...

    def scrub(self) -> None:
        """Leave nothing of the removed posts in the files. Raises P2PForumError."""
        ...


@dataclass(frozen=True, slots=True)
class BurnReport:
    """What is gone, and what a look at every file found of it afterwards.

    `unsent` posts are gone from the store, unless `problem` says why they are not.
    """

    keys: int
    outbox: int
    drafts: int
    threads: int
    unsent: int
    scan: Scan
    problem: str = ""


def the_key(public: bytes) -> Choice:
    """A key, and the traces of the threads that it wrote in. The choice raises NotFound if
    the key is not in the keystore.
    """

    def choose(box: Contents) -> BurnTargets:
        if public not in box.keys:
            raise NotFound("that key is not in the keystore")
        spoken = {root for root, key in box.speaking.items() if key == public}
        made_for = {box.keys[public].root} - {b""}
        return BurnTargets(frozenset({public}), frozenset(spoken | made_for))

    return choose


def the_thread(root: bytes) -> Choice:
    """The traces of a thread, and the keys made for it. A named pseudonym that wrote there stays."""

    def choose(box: Contents) -> BurnTargets:
        keys = frozenset(public for public, key in box.keys.items() if key.root == root)
        return BurnTargets(keys, frozenset({root}))

    return choose


def everything(box: Contents) -> BurnTargets:
    """All keys and all traces; the keystore stays, empty, with its passphrase."""
    return BurnTargets(frozenset(box.keys), frozenset(), everything=True)


def burn(
    keystore: Keystore,
    choose: Choice,
    reader: Reader,
    paths: Sequence[Path],
    posts: StoreTraces | None = None,
    revealed: bytes = b"",
) -> BurnReport:
    """Destroy, then read every file in `paths` for bytes that should be gone. Raises NotFound.

    Keys are destroyed even if their posts can't be removed from the store. `revealed` is the ID of a post
    that publishes the secret of the key: it stays, and the search leaves that secret out.
    """
    plan = _plan(keystore, choose, reader, revealed)
    problem = "" if posts is None else _forget(posts, plan)
    with keystore.transaction() as box:
        gone = take_out(box, choose(box), plan.thread_of)
    found = scan(paths, plan.secrets)
    found.findings += sealed_elsewhere(paths, keystore.path)
    threads = gone.speaking.keys() | gone.read.keys()
    counts = (len(gone.keys), len(gone.outbox), len(gone.drafts), len(threads), len(plan.lost))
    return BurnReport(*counts, found, problem)


def rehearse(keystore: Keystore, choose: Choice, reader: Reader, paths: Sequence[Path]) -> Scan:
    """Change nothing; list every file and offset that holds what a burn would destroy. Raises NotFound.

    An offset of -1: somewhere in this file, but in another form (sealed, or as words of an index).
    """
    plan = _plan(keystore, choose, reader)
    found = scan(paths, plan.secrets)
    if keystore.is_encrypted and plan.gone != Contents():
        found.findings.insert(0, Finding(keystore.path, -1, 0, "sealed in the keystore"))
    if plan.lost:
        found.findings.append(Finding(reader.path, -1, 0, "words of unsent posts in the search index"))
    if plan.pins:
        found.findings.append(Finding(reader.path, -1, 0, "a pin of the thread"))
    found.findings += sealed_elsewhere(paths, keystore.path)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    gone: Contents
    lost: list[PostRow]
    pins: list[bytes]
    was_begun: bool  #: perhaps: a burn that was killed may have removed the posts, and left them in the log
    secrets: list[Secret]
    thread_of: Callable[[str], bytes]


def _plan(keystore: Keystore, choose: Choice, reader: Reader, revealed: bytes = b"") -> _Plan:
    box = keystore.read()
    targets, thread_of = choose(box), thread_finder(reader)
    gone = take_out(box, targets, thread_of)
    lost = [row for row in unsent(reader, targets) if row.id != revealed]
    sought = replace(gone, keys={}) if revealed else gone
    pins = [root for root in reader.pinned() if targets.everything or root in targets.roots]
    was_begun = reader.path.exists() and any(is_unseen(key, reader) for key in gone.keys.values())
    return _Plan(gone, lost, pins, was_begun, secrets_of(sought, lost, reader), thread_of)


def _forget(posts: StoreTraces, plan: _Plan) -> str:
    """Remove the posts from the store. Returns why it failed; empty if it went well."""
    if not plan.lost and not plan.pins and not plan.was_begun:
        return ""
    try:
        posts.unpin(plan.pins)
        posts.forget([row.id for row in plan.lost])
        posts.scrub()
    except P2PForumError as error:
        return str(error)
    return ""


def take_out(box: Contents, targets: BurnTargets, thread_of: Callable[[str], bytes]) -> Contents:
    """Move what is to be burnt out of `box`, and return it. `thread_of` gives the root for a
    draft's destination.
    """
    if targets.everything:
        gone = copy.copy(box)
        vars(box).update(vars(Contents()))
        return gone
    keys, roots = targets.keys, targets.roots
    gone = Contents()
    gone.keys = _pop(box.keys, lambda public, _: public in keys)
    gone.speaking = _pop(box.speaking, lambda root, public: root in roots or public in keys)
    gone.read = _pop(box.read, lambda root, _: root in roots)
    gone.petnames = _pop(box.petnames, lambda where, _: where[0] in roots)
    gone.sent = _pop(box.sent, lambda _, sent: sent.author in keys or sent.root in roots)
    gone.drafts = _pop(box.drafts, lambda _, draft: thread_of(draft.destination) in roots)
    gone.outbox = [post for post in box.outbox if _is_target(post, targets)]
    box.outbox = [post for post in box.outbox if post not in gone.outbox]
    return gone


def _pop(found: dict[K, V], test: Callable[[K, V], bool]) -> dict[K, V]:
    return {key: found.pop(key) for key in [key for key, value in found.items() if test(key, value)]}


def _is_target(post: OutboxPost, targets: BurnTargets) -> bool:
    decoded = decode(post.raw, params_for(post.network))
    return decoded.author in targets.keys or decoded.thread in targets.roots
