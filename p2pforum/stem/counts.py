"""What the stem says of itself to front ends: numbers alone."""

from dataclasses import dataclass


@dataclass(slots=True)
class StemCounts:
    """Since the start. Nothing here says which post, or by which peer."""

    received: int = 0  # frames with posts
    cover: int = 0  # empty ones
    excess: int = 0  # dropped: too many from one peer
    invalid: int = 0
    sent: int = 0
    failed: int = 0
    fluffed: int = 0


@dataclass(frozen=True, slots=True)
class StemView:
    """`own`: posts of this node on their way (after a restart: all that it keeps unreleased)."""

    own: int
    relayed: int
    guards: int  # that are kept, of all slots
    guards_connected: int
    counts: StemCounts
