"""The guards over restarts: a small file in the data directory. It names peers and hours, no post and no
key."""

import secrets
from pathlib import Path

import trio

from p2pforum.core.errors import P2PForumError
from p2pforum.stem.guards import Guards
from p2pforum.store.small_file import read_small, write_small

_NAME = "guards.json"


class GuardFile:
    """Without a directory nothing is kept. The file is not written unless own posts go through guards
    (`is_used`)."""

    def __init__(self, directory: Path | None, *, is_used: bool = True) -> None:
        self._path = directory / _NAME if directory else None
        self._is_used = is_used

    def read(self) -> Guards:
        """The guards in the file, or new ones if there is no file.

        Raises P2PForumError for a damaged file: an attacker who damages it wants the node to draw new guards
        silently. Raises StoreError if it can't be read.
        """
        content = read_small(self._path) if self._path else None
        try:
            return (
                Guards(secret=secrets.token_bytes(32)) if content is None else Guards.decode(content.decode())
            )
        except ValueError:
            complaint = (
                f"{self._path} is damaged, or of another version: remove it, and own posts get other guards"
            )
            raise P2PForumError(complaint) from None

    def save(self, text: str) -> None:
        if self._path and self._is_used:
            write_small(self._path, text.encode())

    async def keep(self, text: str) -> None:
        """As `save`, in a thread."""
        await trio.to_thread.run_sync(self.save, text)
