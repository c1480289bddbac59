"""Hours as people say them."""

from p2pforum.app.clock import date


def ago(hour: int, now: int) -> str:
    """How long ago, no finer than the data: "3 hours ago" may be a bit more than two."""
    passed = now - hour
    if passed < 0:
        return "in the next hour" if passed == -1 else f"in {-passed} hours"
    if passed == 0:
        return "this hour"
    if passed < 24:
        return _count(passed, "hour")
    days = passed // 24
    if days == 1:
        return "yesterday"
    if days < 14:
        return _count(days, "day")
    if days < 60:
        return _count(days // 7, "week")
    return date(hour)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'} ago"
