"""Where in the book an address lies. A secret decides it, so that an attacker can't aim at a place.

As in Bitcoin's address manager. The group of a new address and the group of its teller choose a few buckets,
and the address lies in one of them. The group of a tried address chooses fewer still.
"""

import hashlib

from p2pforum.core import limits

Spot = tuple[bool, int, int]
"""Is tried, bucket, place in the bucket."""


class Buckets:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new(self, group: str, source: str) -> int:
        """One bucket for each pair of groups, of the few that the teller's group (`source`) can reach."""
        which = self._number("pair", group, source) % limits.BOOK_SOURCE_BUCKETS
        return self._number("new", source, str(which)) % limits.BOOK_NEW_BUCKETS

    def tried(self, group: str, address: str) -> int:
        which = self._number("share", address) % limits.BOOK_GROUP_BUCKETS
        return self._number("tried", group, str(which)) % limits.BOOK_TRIED_BUCKETS

    def spot(self, is_tried: bool, bucket: int, address: str) -> Spot:
        place = self._number("place", str(is_tried), str(bucket), address) % limits.BOOK_BUCKET
        return is_tried, bucket, place

    def _number(self, *parts: str) -> int:
        text = "\0".join(parts).encode()
        return int.from_bytes(hashlib.blake2b(text, key=self._secret, digest_size=8).digest())
