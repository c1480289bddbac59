"""How long own posts take to leave that had to wait for a peer."""

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import options
from p2pforum.core import limits

UNCONFIRMED = (
    "no peer has told the hour yet. Your posts wait for that, because peers refuse posts of a wrong hour"
)


def say_how_long(context: Context, posts: int) -> None:
    """For posts that wait for a peer: when the first leaves, and when the others do."""
    if not posts:
        return
    hold = f"within {options.count(round(context.session.config.hold_seconds / 60), 'minute')} on line"
    when = hold if context.session.config.hold_seconds >= 60 else "soon after one is there"
    if posts == 1:
        context.console.note(f"1 post waits for a peer. It leaves {when}.")
    else:
        each = f"{limits.BACKLOG_SECONDS:.0f} s apart on average, {_span(posts)}"
        context.console.note(f"{posts} posts wait for a peer. They leave one by one, {each}.")
        context.console.note("So they do not look like the posts of one person.")
        context.console.note(f"The first leaves {when}.")
    if context.session.config.hold_seconds >= 60:
        context.console.note(
            "So a peer that sees your node arrive can't tell that you wrote them (config file: hold_minutes)."
        )
    context.console.note("A post that you write while the node has peers leaves at once.")


def _span(posts: int) -> str:
    minutes = round(posts * limits.BACKLOG_SECONDS / 60)
    if minutes < 120:
        return f"about {options.count(max(1, minutes), 'minute')} in all"
    return f"about {minutes // 60} hours in all"
