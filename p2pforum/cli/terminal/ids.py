"""Short IDs: eight characters, with the part marked that is unique here, because the user
need type no more.
"""

from p2pforum.cli.context import Context
from p2pforum.core.errors import Ambiguous, NotFound
from p2pforum.core.post_id import SHORT, short_id

_LEAST = 4  # characters marked: fewer would be unique today and not tomorrow


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
