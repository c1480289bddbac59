"""Posts for benchmarks: text with the word frequencies of a language, a key for each thread's authors.

The same `seed` gives the same posts. Signing takes 0.03 ms, minting a stamp of 1 bit 0.3 ms.
"""

import random
from collections.abc import Iterator
from itertools import accumulate

from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, Post, sig_structure, sign
from p2pforum.core.stamp import ARGON2ID_256K, Stamp, blank_stamp, grind, stamp_salt

HOUR = 498_000  # late 2026
_VOCABULARY = 30_000
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_AUTHORS = 6  # in one thread


class Writer:
    """Makes threads: `spread` hours of history, the posts of a thread within a week."""

    def __init__(
        self, params: NetworkParams, *, seed: int = 1, boards: int = 20, spread: int = 4_000
    ) -> None:
        self._params = params
        self._rng = random.Random(seed)
        self._boards = [f"board-{n}" for n in range(boards)]
        self._spread = spread
        self.words = [self._word() for _ in range(_VOCABULARY)]
        self._weights = list(
            accumulate(1 / (n + 2.7) for n in range(_VOCABULARY))
        )  # Zipf, as in any language

    def posts(self, count: int, thread_size: int = 12) -> Iterator[Post]:
        """Thread after thread, each with a new key for each author."""
        while count > 0:
            size = min(count, self._rng.randint(1, 2 * thread_size - 1))
            yield from self.thread(size)
            count -= size

    def thread(self, size: int) -> list[Post]:
        """A thread of `size` posts by up to six authors, at most 14 hours between two posts."""
        board = self._rng.choice(self._boards)
        hour = HOUR - self._rng.randrange(self._spread)
        seeds = [self._rng.randbytes(32) for _ in range(min(size, _AUTHORS))]
        posts: list[Post] = []
        for _ in range(size):
            hour = min(HOUR, hour + self._rng.randrange(15))
            posts.append(self._post(posts, board, hour, self._rng.choice(seeds)))
        return posts

    def text(self, words: int) -> str:
        return " ".join(self._rng.choices(self.words, cum_weights=self._weights, k=words))

    def _post(self, before: list[Post], board: str, hour: int, seed: bytes) -> Post:
        root = before[0].id if before else b""
        parents = (self._rng.choice(before[-5:]).id,) if before else ()
        body = self.text(self._rng.randint(5, 60))
        content = (body,) if before else (self.text(6), body)
        author = bytes(crypto_sign_seed_keypair(seed)[0])
        fields = Payload(
            Kind.POST, board, root, parents, hour, content, blank_stamp(self._params.stamp_floor)
        )
        if self._params.stamp_floor:
            fields = self._stamped(fields, author)
        return sign(fields, seed, author, self._params)

    def _stamped(self, fields: Payload, author: bytes) -> Payload:
        bits = self._params.stamp_floor
        salt = stamp_salt(fields.hour)
        nonce = None
        start = 0
        while nonce is None:
            nonce = grind(sig_structure(author, fields.encode(), self._params), salt, bits, start, 64)
            start += 64
        stamp = Stamp(ARGON2ID_256K, bits, nonce.to_bytes(8, "big"))
        return Payload(
            fields.kind, fields.board, fields.root, fields.parents, fields.hour, fields.content, stamp
        )

    def _word(self) -> str:
        letters = _LETTERS[: self._rng.randint(6, 26)]
        return "".join(self._rng.choice(letters) for _ in range(self._rng.randint(2, 10)))
