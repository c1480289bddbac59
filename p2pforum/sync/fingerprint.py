"""What stands for the posts of a range in one session: a hash that nobody could prepare for.

Its key are both sides' nonces, so no two sets can be made up beforehand to look alike in it, and what two
sessions show can't be linked.
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
        """Of the items in [lo, hi)."""
        return self.of(items.cells(lo, hi))

    def of(self, cells: bytes) -> bytes:
        state = self._keyed.copy()
        state.update(cells)
        return state.digest()
