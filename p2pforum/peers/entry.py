"""One address of the book, and the row that keeps it. No field names the teller, and no field has a precise
time."""

from collections.abc import Sequence
from dataclasses import dataclass

from p2pforum.core import limits

Row = tuple[str, int, int, int, int, int, int, bytes | None]
"""address, is tried, bucket, heard (hour), day of the last success, failures, is an anchor, record"""


@dataclass(slots=True)
class Entry:
    """`bucket` is its place among the new ones. The teller's group decides it, so it has to be stored."""

    address: str
    peer: str
    group: str
    host: str  #: the book holds one address of each host; of "" any number
    bucket: int
    heard: int  #: hour since 1970, the first of its day, when a peer told it
    is_tried: bool = False
    day: int = 0  #: since 1970, of the last time that this peer answered there; 0: never
    failures: int = 0  #: in a row
    is_anchor: bool = False
    record: bytes | None = None
    counted: int = 0  #: this node's count of successes when the last failure was counted

    def is_terrible(self, hour: int) -> bool:
        """Whether the book may drop it at `hour`, or give its place to another."""
        today = hour // 24
        if not self.day:
            is_stale = today - self.heard // 24 > limits.BOOK_HORIZON_DAYS
            return is_stale or self.failures >= limits.BOOK_NEW_FAILURES
        return self.failures >= limits.BOOK_FAILURES and today - self.day > limits.BOOK_FAIL_DAYS

    @property
    def answers(self) -> bool:
        """Whether the peer answered when it was last dialled."""
        return self.day > 0 and self.failures == 0

    @property
    def chance(self) -> float:
        """Weight in a draw: a third less for each failure, as in Bitcoin."""
        return float(0.66 ** min(self.failures, 8))

    def row(self) -> Row:
        return (
            self.address,
            int(self.is_tried),
            self.bucket,
            self.heard,
            self.day,
            self.failures,
            int(self.is_anchor),
            self.record,
        )


def read_row(row: Sequence[object]) -> Entry | None:
    """An entry without peer, group and host, which the caller derives from the address. None for a damaged or
    foreign row."""
    match row:
        case [
            str(address),
            0 | 1 as tried,
            int(bucket),
            int(heard),
            int(day),
            int(failures),
            0 | 1 as anchor,
            record,
        ]:
            pass
        case _:
            return None
    in_range = 0 <= bucket < limits.BOOK_NEW_BUCKETS and all(0 <= n < 2**31 for n in (heard, day, failures))
    if not in_range or not (record is None or isinstance(record, bytes)):
        return None
    if record is not None and len(record) > limits.MAX_BOOK_RECORD:
        return None
    return Entry(address, "", "", "", bucket, heard, bool(tried), day, failures, bool(anchor), record)
