"""Frames of the exchange: records, each with its size before it (2 bytes, big-endian), then zeros.

A question and an answer have one size each, whatever is in them. So an observer on the line learns neither
whether a node publishes its address nor how many addresses it knows.
"""

from collections.abc import Iterable

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError

ASK_SIZE = limits.KIB  # bytes: one record of the largest size, or none
ANSWER_SIZE = 16 * limits.KIB  # bytes: some 60 records of one address, or 16 of the largest
_HEAD = 2


def encode_frame(records: Iterable[bytes], size: int) -> bytes:
    """A frame of `size` bytes with as many of these records as fit, in this order."""
    frame = b""
    for record in records:
        entry = len(record).to_bytes(_HEAD, "big") + record
        if len(frame) + len(entry) <= size:
            frame += entry
    return frame.ljust(size, b"\x00")


def decode_frame(frame: bytes, most: int) -> list[bytes]:
    """The records of a frame, at most `most`. Raises RemoteProtocolError if there are more, or for a bad
    frame."""
    records: list[bytes] = []
    at = 0
    while size := int.from_bytes(frame[at : at + _HEAD], "big"):
        at += _HEAD
        if size > min(limits.MAX_PEER_RECORD, len(frame) - at) or len(records) == most:
            raise RemoteProtocolError("a frame with too many records, or one that is too long")
        records.append(frame[at : at + size])
        at += size
    if frame[at:].strip(b"\x00"):
        raise RemoteProtocolError("a frame that is not filled with zeros")
    return records
