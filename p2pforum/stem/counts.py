"""What the stem shows to front ends: only numbers."""

from dataclasses import dataclass


@dataclass(slots=True)
class StemCounts:
    """Counts since the start. None says which post, or which peer."""

    received: int = 0  # frames with posts
    cover: int = 0  # empty ones
    excess: int = 0  # dropped, because one peer sent too many
    invalid: int = 0
    sent: int = 0
    failed: int = 0
    fluffed: int = 0


@dataclass(frozen=True, slots=True)
class StemView:
    """`own`: posts of this node on their way (after a restart: all that it keeps unreleased)."""

    own: int
    relayed: int
    guards: int  # kept, of all slots
    guards_connected: int
    counts: StemCounts
