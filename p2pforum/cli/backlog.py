"""How long own posts take to leave that nobody could take at once."""

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import options
from p2pforum.core import limits


def say_how_long(context: Context, posts: int) -> None:
    """Of posts that wait for a peer: when the first leaves, and the others."""
    if not posts:
        return
    hold = f"within {options.count(round(context.session.config.hold_seconds / 60), 'minute')} on line"
    when = hold if context.session.config.hold_seconds >= 60 else "soon after one is there"
    if posts == 1:
        context.console.note(f"1 post waits for a peer. It leaves {when}.")
    else:
        each = f"{limits.BACKLOG_SECONDS:.0f} s apart on average, so that they do not look like one person's"
        context.console.note(f"{posts} posts wait for a peer. They leave one by one, {each}: {_span(posts)}.")
        context.console.note(f"The first leaves {when}.")
    if context.session.config.hold_seconds >= 60:
        context.console.note(
            "Who sees your node come must not know by that who wrote them: hold_minutes in the config file."
        )
    context.console.note("What is written while the node runs and has peers leaves at once.")


def _span(posts: int) -> str:
    minutes = round(posts * limits.BACKLOG_SECONDS / 60)
    if minutes < 120:
        return f"about {options.count(max(1, minutes), 'minute')} in all"
    return f"about {minutes // 60} hours in all"
