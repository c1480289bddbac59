"""Keys that signed nothing for thirty days are burnt, unless the user keeps them, and never
without a warning.

Front ends call it when they have the keystore open to write anyway, and show the result.
"""

from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.forum.burning import take_out, the_key
from p2pforum.forum.keys import KeyView, view_of
from p2pforum.forum.traces import thread_finder
from p2pforum.keystore.contents import AuthorKey, Contents
from p2pforum.store.queries import Reader


@dataclass(frozen=True, slots=True)
class Review:
    """Tell the user of the `warned` keys now: they burn at `expires`, or three days from now
    if that is later.
    """

    warned: tuple[KeyView, ...]
    burnt: tuple[KeyView, ...]


def review_idle(box: Contents, now: int, reader: Reader) -> Review:
    """Warn of idle keys and burn them, in an open transaction. `now` is the hour since 1970.

    A key burns only if the user was warned three days before or longer. So a user who was away for a month
    finds the warning first.
    """
    warned, burnt = [], []
    for key in list(box.keys.values()):
        if key.keep:
            continue
        if key.warned and _is_due(key, now):
            burnt.append(view_of(box, key))
            take_out(box, the_key(key.public)(box), thread_finder(reader))
        elif not key.warned and _is_idle(key, now):
            key.warned = now
            warned.append(view_of(box, key))
    return Review(tuple(warned), tuple(burnt))


def is_anything_due(box: Contents, now: int) -> bool:
    """Whether `review_idle` would do anything. A look is cheap, a transaction is not."""
    return any(
        _is_due(key, now) if key.warned else _is_idle(key, now) for key in box.keys.values() if not key.keep
    )


def count_near_end(box: Contents, now: int) -> int:
    """Keys that will burn within days unless they are used or kept. For front ends that change nothing."""
    return sum(not key.keep and _is_idle(key, now) for key in box.keys.values())


def _is_idle(key: AuthorKey, now: int) -> bool:
    return now - key.used >= limits.KEY_IDLE_HOURS - limits.KEY_WARNING_HOURS


def _is_due(key: AuthorKey, now: int) -> bool:
    return now - key.used >= limits.KEY_IDLE_HOURS and now - key.warned >= limits.KEY_WARNING_HOURS
