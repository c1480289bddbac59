"""Burn: destroy keys and all that says here that they were mine; before that, show what holds them.

A burn is one rewrite of the keystore: a process that is killed leaves it whole or gone. Not a recall: the
posts stay where the network has them. What is gone is this machine's proof of who wrote them.
"""

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from p2pforum.core.errors import NotFound
from p2pforum.core.limits import NetworkParams
from p2pforum.core.post import decode
from p2pforum.core.post_id import format_id
from p2pforum.forum import drafts
from p2pforum.forum.scanning import Finding, Scan, Secret, scan
from p2pforum.store.keystore import Keystore
from p2pforum.store.keystore_contents import Contents, OutboxPost
from p2pforum.store.queries import Reader

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is to go: these keys, and what says that I was in these threads."""

    keys: frozenset[bytes]
    roots: frozenset[bytes]
    everything: bool = False


Choice = Callable[[Contents], Doomed]
"""Made on the contents as they are when the burn happens."""


@dataclass(frozen=True, slots=True)
class Burnt:
    """What is gone from the keystore, and what a look at every file found of it afterwards."""

    keys: int
    outbox: int
    drafts: int
    threads: int
    scan: Scan


def the_key(public: bytes) -> Choice:
    """A key, and the traces of the threads that it speaks in."""

    def choose(box: Contents) -> Doomed:
        if public not in box.keys:
            raise NotFound("that key is not in the keystore")
        spoken = {root for root, key in box.speaking.items() if key == public}
        made_for = {box.keys[public].root} - {b""}
        return Doomed(frozenset({public}), frozenset(spoken | made_for))

    return choose


def the_thread(root: bytes) -> Choice:
    """The traces of a thread, and the keys made for it. A named pseudonym that spoke there stays."""

    def choose(box: Contents) -> Doomed:
        keys = frozenset(public for public, key in box.keys.items() if key.root == root)
        return Doomed(keys, frozenset({root}))

    return choose


def everything(box: Contents) -> Doomed:
    """All keys and all traces; the keystore stays, empty, with its passphrase."""
    return Doomed(frozenset(box.keys), frozenset(), everything=True)


def burn(keystore: Keystore, choose: Choice, reader: Reader, places: Sequence[Path]) -> Burnt:
    """Destroy, then read every file in `places` for what should be gone. Raises NotFound."""
    with keystore.transaction() as box:
        gone = take(box, choose(box), reader)
    threads = gone.speaking.keys() | gone.read.keys()
    return Burnt(
        len(gone.keys), len(gone.outbox), len(gone.drafts), len(threads), scan(places, secrets_of(gone))
    )


def rehearse(keystore: Keystore, choose: Choice, reader: Reader, places: Iterable[Path]) -> Scan:
    """Change nothing; list every file and offset that holds what a burn would destroy. Raises NotFound."""
    box = keystore.read()
    gone = take(box, choose(box), reader)
    found = scan(places, secrets_of(gone))
    if keystore.is_encrypted and gone != Contents():
        found.findings.insert(0, Finding(keystore.path, -1, 0, "sealed in the keystore"))
    return found


def take(box: Contents, doomed: Doomed, reader: Reader) -> Contents:
    """Move what is doomed out of the box, and give it back."""
    if doomed.everything:
        gone = copy.copy(box)
        vars(box).update(vars(Contents()))
        return gone
    keys, roots = doomed.keys, doomed.roots
    gone = Contents()
    gone.keys = _pop(box.keys, lambda public, _: public in keys)
    gone.speaking = _pop(box.speaking, lambda root, public: root in roots or public in keys)
    gone.read = _pop(box.read, lambda root, _: root in roots)
    gone.petnames = _pop(box.petnames, lambda where, _: where[0] in roots)
    gone.drafts = _pop(box.drafts, lambda place, _: _thread_of(place, reader) in roots)
    gone.outbox = [post for post in box.outbox if _is_doomed(post, doomed)]
    box.outbox = [post for post in box.outbox if post not in gone.outbox]
    return gone


def _pop(found: dict[K, V], test: Callable[[K, V], bool]) -> dict[K, V]:
    return {key: found.pop(key) for key in [key for key, value in found.items() if test(key, value)]}


def _thread_of(place: str, reader: Reader) -> bytes:
    """The thread that a draft is for; the post it answers, if that is not here (any more)."""
    post_id = drafts.post_of(place)
    row = reader.post(post_id) if post_id else None
    return post_id if row is None else row.root


def _is_doomed(post: OutboxPost, doomed: Doomed) -> bool:
    decoded = decode(post.raw, NetworkParams(post.network))
    return decoded.author in doomed.keys or decoded.thread in doomed.roots


def secrets_of(gone: Contents) -> list[Secret]:
    """What must not be in any file after a burn: seeds in every form we write, and texts never sent."""
    secrets = []
    for key in gone.keys.values():
        forms = (key.seed, key.seed.hex().encode(), format_id(key.seed).encode())
        secrets += [Secret("the secret of a key", form) for form in forms]
    secrets += [Secret("a post from the outbox", post.raw) for post in gone.outbox]
    for draft in gone.drafts.values():
        texts = [draft.subject, *_own_words(draft.body)]
        secrets += [Secret("the text of a draft", text.encode()) for text in texts]
    secrets += [Secret("a petname", name.encode()) for name in gone.petnames.values()]
    return secrets


def _own_words(body: str) -> list[str]:
    """The text between the lines that it quotes: those are in the store for everyone to read."""
    return re.split(r"^>.*$", body, flags=re.MULTILINE)
