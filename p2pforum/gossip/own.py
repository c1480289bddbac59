"""Reads own posts that are about to be sent. Other files decide when they are."""

import logging
from collections.abc import Iterable

from p2pforum.core.errors import InvalidPost
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post, decode

log = logging.getLogger(__name__)


def readable(raws: Iterable[bytes], params: NetworkParams) -> list[Post]:
    """Those that are posts. A damaged one must not hold up the others; the log does not say which it is."""
    posts = []
    for raw in raws:
        try:
            posts.append(decode(raw, params))
        except InvalidPost as error:
            log.error("an own post can't go out: %s", error)
    return posts
