"""Show before a post goes out what in it may give its author away, on standard error."""

from p2pforum.app import leaks
from p2pforum.cli.context import Context
from p2pforum.cli.terminal import render
from p2pforum.keystore.keystore import Keystore

_MOST = 6  # places shown of one kind


def warn_of_leaks(context: Context, keystore: Keystore, text: str, root: bytes, key: str | None) -> bool:
    """Whether anything was found. `root` is that of the thread, empty for a new one; `key` is as in
    forum/publish.py.
    """
    try:
        found = leaks.leaks_in(context.session, keystore, text, (root, key))
    except Exception as error:  # a bug in an advice must not keep the user from posting
        context.console.warn(f"the text was not searched for what may give you away: {type(error).__name__}")
        return False
    if not found:
        return False
    context.console.warn(
        "your text may say more about you than you mean (only you see this; --quiet-check skips it)"
    )
    for leak in found:
        places = ", ".join(render.line(place) for place in leak.found[:_MOST])
        more = f" and {len(leak.found) - _MOST} more" if len(leak.found) > _MOST else ""
        context.console.note(f"  {leak.kind}: {places}{more}\n    {leak.why}")
    return True
