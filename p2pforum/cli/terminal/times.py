"""Hours as people say them."""

from p2pforum.app.clock import date


def ago(hour: int, now: int) -> str:
    """How long ago, no finer than the data: "3 hours ago" may be a bit more than two."""
    passed = now - hour
    if passed == 0:
        return "this hour"
    if passed == -1:
        return "in the next hour"
    days = abs(passed) // 24
    if days == 1:
        return "yesterday" if passed > 0 else "tomorrow"
    if days >= 60:
        return date(hour)
    span = _span(abs(passed))
    return f"{span} ago" if passed > 0 else f"in {span}"


def _span(hours: int) -> str:
    days = hours // 24
    if days >= 14:
        number, unit = days // 7, "week"
    else:
        number, unit = (days, "day") if days else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"
