"""Whether this machine's clock can be right. All that is known of time is whole hours.

`post`, `run`, `doctor`, `status`, and the node before it sends a post all ask here, so they agree.
"""

from collections.abc import Sequence

from p2pforum.core import limits

RELEASED = 498_000  # 2026-10-24, while this program was made: a right clock shows no earlier hour


def peers_offset(offsets: Sequence[int]) -> int | None:
    """By how many hours the clocks of peers are ahead of this one: their median, of two the nearer one.

    None without peers. Attackers who are half of the peers can't make it say that this clock is wrong.
    """
    if not offsets:
        return None
    ordered = sorted(offsets)
    middle = len(ordered) // 2
    return min(ordered[middle], ordered[~middle], key=abs)


def is_off(offset: int | None) -> bool:
    return offset is not None and abs(offset) > limits.FUTURE_HOURS


def is_taken(hour: int, now: int) -> bool:
    """Whether peers accept a post of this hour in any way: by gossip, sync or stem."""
    return now - limits.RETENTION_HOURS <= hour <= now + limits.FUTURE_HOURS


def problem(now: int, offset: int | None, newest: int | None = None) -> str:
    """Why this machine's clock can't be right, as a text for the user; "" if nothing speaks against it.

    `offset` is the result of `peers_offset`. `newest` is the hour of the newest public post
    here. It counts only if no peer says what time it is: a clock that was ahead once may have
    published posts of its own wrong hours.
    """
    reason = _reason(now, offset, newest)
    return f"this machine's clock can't be right: {reason}" if reason else ""


def _reason(now: int, offset: int | None, newest: int | None) -> str:
    if now < RELEASED:
        return f"it is {_span(RELEASED - now)} before this program was made"
    if offset is not None:
        side = "ahead of" if offset > 0 else "behind"
        return f"those of peers are {_span(abs(offset))} {side} it" if is_off(offset) else ""
    if newest is not None and newest > now + limits.FUTURE_HOURS:
        return f"public posts here are dated {_span(newest - now)} ahead of it"
    return ""


def _span(hours: int) -> str:
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
