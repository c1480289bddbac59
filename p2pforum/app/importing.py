"""Bundles: posts that others signed, taken in."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from p2pforum.app.delivery import Delivery
from p2pforum.app.session import Session
from p2pforum.core import bundle, limits
from p2pforum.forum import bundling
from p2pforum.forum.bundling import Imported

HEAD = 64 * limits.KIB  # bytes by which a bundle is known


def is_bundle(head: bytes) -> bool:
    """By its first HEAD bytes."""
    return head.startswith(bundle.MAGIC)


def take_in_bundle(
    session: Session, head: bytes, opened: BinaryIO, progress: Callable[[Imported, float], None]
) -> Imported:
    """Keep the valid posts of a bundle of this network. `progress` gets what is done so far,
    and the fraction.

    If the user stops it, the posts taken so far stay, and `progress` was told of them. Raises Refused for a
    file that is no bundle.
    """
    heads = [head]
    size = 0
    with suppress(OSError):  # a pipe has no size
        size = os.fstat(opened.fileno()).st_size

    def read(most: int) -> bytes:
        return heads.pop() if heads else opened.read(most)

    def show(now: Imported, offset: int) -> None:
        progress(now, offset / size if size else now.done / max(1, now.promised))

    with Delivery(session) as delivery:
        return bundling.import_bundle(read, session.config.params.name, delivery.take_bundle, show)
