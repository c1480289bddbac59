"""A hash that stands for the posts of a range in one session, and that no attacker can prepare for.

Its key is made of both sides' nonces. So an attacker can't prepare two different sets with the same
fingerprint, and an observer can't link two sessions by what they show.
"""

import hashlib

from p2pforum.sync.reconcile import Items
from p2pforum.sync.wire.negentropy import FINGERPRINT_SIZE

_PERSON = b"p2pforum/sync/fp"


class Fingerprint:
    """BLAKE2b-16 of cells (see Items.cells), keyed with the initiator's nonce and then the responder's."""

    def __init__(self, nonces: bytes) -> None:
        self._keyed = hashlib.blake2b(digest_size=FINGERPRINT_SIZE, key=nonces, person=_PERSON)

    def __call__(self, items: Items, lo: int, hi: int) -> bytes:
        """The fingerprint, 16 bytes, of the items in [lo, hi)."""
        return self.of(items.cells(lo, hi))

    def of(self, cells: bytes) -> bytes:
        state = self._keyed.copy()
        state.update(cells)
        return state.digest()
