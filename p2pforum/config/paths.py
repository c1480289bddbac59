"""Where files lie on this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Where this user's node keeps its files. Asking for a path creates nothing."""

    home: Path | None  #: the one directory of P2PFORUM_HOME, if it is set
    data_dir: Path  #: node.db, lock, api.sock: what a node process may see
    keys_dir: Path  #: the keystore: what a node process never opens
    config_file: Path

    @property
    def socket_path(self) -> Path:
        """Beside the lock, so that the process that holds the lock owns the socket; and the same in every
        session, which $XDG_RUNTIME_DIR is not (cron, sudo, ssh).
        """
        return self.data_dir / "api.sock"

    @property
    def invites_dir(self) -> Path:
        """Accepted invites, one a file. Removing the file takes the acceptance back."""
        return self.config_file.parent / "invites"

    @property
    def keystore_file(self) -> Path:
        return self.keys_dir / "keystore"


def find_paths(
    home: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
    checkout: Path = _CHECKOUT,
) -> Paths:
    """`home`, or P2PFORUM_HOME, puts everything under one directory; else the XDG directories, with the
    keys of a node that runs from a checkout in the checkout's keys/."""
    chosen = home or environ.get("P2PFORUM_HOME")
    if chosen:
        base = Path(chosen).expanduser().absolute()
        return Paths(base, base / "data", base / "keys", base / "config.toml")
    data = _xdg(environ, "XDG_DATA_HOME", ".local/share")
    keys = data / "keys"
    if (checkout / "node.py").is_file() and (checkout / "keys").is_dir():
        keys = checkout / "keys"
    return Paths(None, data / "node", keys, _xdg(environ, "XDG_CONFIG_HOME", ".config") / "config.toml")


def _xdg(environ: Mapping[str, str], name: str, default: str) -> Path:
    value = environ.get(name, "")
    # The specification: a program must ignore a relative path.
    base = Path(value) if os.path.isabs(value) else Path(environ.get("HOME") or Path.home()) / default
    return base / "p2pforum"
