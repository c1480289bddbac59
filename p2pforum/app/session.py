"""One user's data on this machine, as a front end uses it."""

import os
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from p2pforum.app.clock import this_hour

if TYPE_CHECKING:
    from pathlib import Path

    from p2pforum.api.client import NodeClient
    from p2pforum.config import Config, Paths
    from p2pforum.store.queries import Reader


class Session:
    """Every part is opened when it is first asked for. Use it in a `with`, or close it. For
    one thread of execution.

    All files are under the directory `home`; without it, P2PFORUM_HOME or the system say where. `now` gives
    the hour since 1970. `ask` is called for the keystore's passphrase, if it has one.
    """

    def __init__(
        self,
        home: str | None = None,
        now: Callable[[], int] = this_hour,
        ask: Callable[[], bytes] | None = None,
    ) -> None:
        self.home = home
        self.ask = ask
        self.now = now
        self._reader: Reader | None = None
        self._reads_nothing = False

    @cached_property
    def paths(self) -> "Paths":
        from p2pforum.config import find_paths

        return find_paths(self.home)

    @cached_property
    def config(self) -> "Config":
        """Raises ConfigError for a config file that can't be used."""
        from p2pforum.config import load_config

        return load_config(self.paths)

    @property
    def reader(self) -> "Reader":
        """Raises StoreError for a store that can't be read. Where there is no store, it is empty."""
        if self._reader is None:
            from p2pforum.store.queries import open_reader

            self._reader = open_reader(self.paths.data_dir)
            self._reads_nothing = not self._reader.path.exists()
        return self._reader

    def look_again(self) -> None:
        """If there was no store at the first look and there is one now, read that from now on."""
        if self._reads_nothing and self._reader is not None and self._reader.path.exists():
            self.close()

    @cached_property
    def node(self) -> "NodeClient":
        """Its methods raise NodeUnreachable where no node runs."""
        from p2pforum.api.client import NodeClient

        return NodeClient(self.paths.socket_path)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def tilde(path: "Path") -> str:
    """A path as a user writes it. It leaves out the account's name, because users paste such
    texts elsewhere.
    """
    home = os.environ.get("HOME", "")
    text = str(path)
    return "~" + text[len(home) :] if len(home) > 1 and text.startswith(home + "/") else text
