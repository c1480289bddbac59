"""Back up all that is mine, and bring it back: on a clean machine all of it, elsewhere what is missing.

A backup outlives a burn: a thief who has it and its passphrase has the keys in it. Burn backups too.
"""

from dataclasses import dataclass
from pathlib import Path

from p2pforum.forum import drafts
from p2pforum.keystore.backup import read_backup, write_backup
from p2pforum.keystore.contents import AuthorKey, Contents
from p2pforum.keystore.format import KdfCost
from p2pforum.keystore.keystore import Keystore, Passphrase


@dataclass(frozen=True, slots=True)
class Restored:
    """How many of each the keystore gained."""

    keys: int
    drafts: int
    petnames: int
    threads: int  #: those with read marks
    outbox: int


def back_up(keystore: Keystore, path: Path, passphrase: bytes | None, cost: KdfCost | None = None) -> None:
    """Write a new file under a passphrase of its own. With None, every person who has the
    file can read it.
    """
    write_backup(path, keystore.read(), passphrase, cost)


def restore(keystore: Keystore, path: Path, passphrase: Passphrase, cost: KdfCost | None = None) -> Restored:
    """Add the contents of the backup that the keystore lacks. Where both have one, the keystore's stays;
    nothing is removed.

    The keystore exists already (Keystore.create). Raises WrongPassphrase and KeystoreError.
    """
    saved = read_backup(path, passphrase, cost)
    with keystore.transaction() as box:
        before = _counts(box)
        merge(box, saved)
        after = _counts(box)
    return Restored(*(b - a for a, b in zip(before, after, strict=True)))


def _counts(box: Contents) -> tuple[int, ...]:
    return len(box.keys), len(box.drafts), len(box.petnames), len(box.read), len(box.outbox)


def merge(box: Contents, saved: Contents) -> None:
    """Add to `box` what `saved` has and `box` lacks. A draft that differs from the keystore's is added. A key
    that both have keeps the earlier hour of making and the later hour of use.
    """
    for key in saved.keys.values():
        _merge_key(box, key)
    box.speaking = saved.speaking | box.speaking
    box.petnames = saved.petnames | box.petnames
    for draft_id, draft in saved.drafts.items():
        if box.drafts.setdefault(draft_id, draft) != draft:
            drafts.keep(box, draft)
    for root, marks in saved.read.items():
        box.read[root] = box.read.get(root, set()) | marks
    box.sent = saved.sent | box.sent
    waiting = {post.id for post in box.outbox}
    box.outbox += [post for post in saved.outbox if post.id not in waiting]


def _merge_key(box: Contents, saved: AuthorKey) -> None:
    here = box.keys.get(saved.public)
    if here is None:
        saved.name = _free_name(box, saved.name)
        saved.warned = 0  # an old warning must not burn a key that was just restored
        box.keys[saved.public] = saved
        return
    here.made, here.used = min(here.made, saved.made), max(here.used, saved.used)
    here.posts, here.keep = max(here.posts, saved.posts), here.keep or saved.keep


def _free_name(box: Contents, name: str) -> str:
    """The name, with a number if another pseudonym has it, because a name means one key."""
    taken = {key.name for key in box.keys.values()}
    free, number = name, 2
    while free and free in taken:
        free, number = f"{name} ({number})", number + 1
    return free
