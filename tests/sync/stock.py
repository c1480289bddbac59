"""Negentropy v1 as others speak it: sums as fingerprints, split as the references do, one message an answer.

What the node does is p2pforum/sync/reconcile.py; this is what makes it comparable with the reference
implementations, byte for byte, and it is the control for what sums do not withstand.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from typing import Protocol, cast

from list_items import result_of

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.post_id import ID_SIZE
from p2pforum.sync.reconcile import Items, Policy, Reconciler, Span
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.negentropy import (
    FINGERPRINT,
    FINGERPRINT_SIZE,
    HIGHEST,
    ID_LIST,
    Bound,
    Range,
    encode_varint,
)

STOCK = Policy(16, 32, 16, quiet=False, tail=False, limit=0)


def write(writer: negentropy.MessageWriter, lower: Bound, ranges: Iterable[Range]) -> None:
    """Append ranges that follow each other, the first from `lower` on."""
    for found in ranges:
        writer.add(lower, found)
        lower = found[0]


class Summed(Protocol):
    """Items that know their sums."""

    def sum(self, lo: int, hi: int) -> int:
        """The sum, mod 2^256, of the IDs in [lo, hi) as little-endian numbers."""
        ...


def sum_fingerprint(items: Items, lo: int, hi: int) -> bytes:
    """What Negentropy v1 hashes: a sum, which can be forged."""
    total = cast("Summed", items).sum(lo, hi)
    return sha256(total.to_bytes(32, "little") + encode_varint(hi - lo)).digest()[:FINGERPRINT_SIZE]


TOY = 24  # bits: in so many, sums that are equal are found at once; in 256, by 2^33 additions


def toy_sum(items: Items, lo: int, hi: int) -> bytes:
    """Sums as Negentropy has them, of few bits."""
    total = sum(int.from_bytes(id_[:32], "little") for _, id_ in items.keys(lo, hi))
    return (total % 2**TOY).to_bytes(4, "big") + (hi - lo).to_bytes(12, "big")


class Stock(Reconciler):
    """Answers in one message; if the policy has a limit, the rest becomes one fingerprint and a round trip
    more, as in the reference implementations."""

    def __init__(self, items: Items, policy: Policy = STOCK, *, initiator: bool) -> None:
        super().__init__(items, policy, sum_fingerprint, initiator=initiator)

    def initiate(self) -> bytes:
        """The first message."""
        return self._join(self.opening())

    def reconcile(self, message: bytes) -> bytes | None:
        """One message in, one out; None when the initiator has finished."""
        if not message or not 0x60 <= message[0] <= 0x6F:
            raise RemoteProtocolError("not a message of any protocol version")
        if message[0] != negentropy.VERSION and not self._initiator:
            return bytes([negentropy.VERSION])
        ranges, learnt = negentropy.decode(message), (list(self.have), list(self.need))
        spans = result_of(self._examine(ranges))
        if not self._policy.limit:
            answer = self._join(spans)
        else:
            answer, reached = self._limited(spans)
            if reached != HIGHEST:  # what lies above comes again: to be learnt then
                self.have, self.need = learnt
                result_of(self._examine([found for found in ranges if found[0] <= reached]))
        return None if self._initiator and len(answer) == 1 else answer

    def _join(self, spans: Sequence[Span]) -> bytes:
        whole, self._policy = self._policy, replace(self._policy, limit=0)
        message = b"".join(self.emit(spans)) or bytes([negentropy.VERSION])
        self._policy = whole
        return message

    def _limited(self, spans: Sequence[Span]) -> tuple[bytes, Bound]:
        """Byte for byte what the references do about a frame limit, wasteful corners included.

        Also the bound up to which they would have looked at the message.
        """
        full = self._policy.limit - 200
        out = negentropy.MessageWriter()
        for span in spans:
            trial, hi = deepcopy(out), span.hi
            if span.fan == 0:
                hi = min(hi, span.lo + (full - len(out)) // ID_SIZE + 1)
            if hi < span.hi:
                trial.add(span.lower, (self._items.key(hi), ID_LIST, self._items.ids(span.lo, hi)))
            else:
                write(trial, span.lower, self._answer(span))
            if len(trial) > full:
                last = trial if span.fan == 0 else out
                rest = self._fingerprint(hi, len(self._items))
                last.add(last.reached, (HIGHEST, FINGERPRINT, rest))
                return last.message(), span.upper
            out = trial
        return out.message(), HIGHEST

    def _list(self, span: Span) -> Iterator[Range]:
        yield span.upper, ID_LIST, self._items.ids(span.lo, span.hi)

    def _near_hour(self, cut: int, reach: int) -> int:
        return cut
