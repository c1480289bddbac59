"""Short IDs: eight characters, the part that is unique here marked, as it is all one must type."""

from p2pforum.cli.context import Context
from p2pforum.core.errors import Ambiguous, NotFound
from p2pforum.core.post_id import SHORT, short_id

_LEAST = 4  # characters marked: fewer are unique today and not tomorrow


def show(context: Context, post_id: bytes) -> str:
    text = short_id(post_id)
    if not context.console.color:
        return text
    unique = _unique_length(context, text)
    return context.console.style(text[:unique], "bold", "cyan") + context.console.style(text[unique:], "dim")


def _unique_length(context: Context, text: str) -> int:
    for length in range(_LEAST, SHORT):
        try:
            context.session.reader.resolve(text[:length])
        except (Ambiguous, NotFound):
            continue
        return length
    return SHORT
