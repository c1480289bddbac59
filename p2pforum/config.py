"""Where things lie on this machine, and what the person configured. Standard library only.

Not a registry of every constant: bounds are in core/limits.py, and what a network agrees on is in its
NetworkParams.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from p2pforum.core import limits
from p2pforum.core.errors import ConfigError
from p2pforum.core.limits import NetworkParams, params_for
from p2pforum.core.text import is_valid_board

_NETWORK_NAME = re.compile(r"[a-z0-9.-]{1,32}", re.ASCII)  # it enters protocol IDs and topics
_MAX_CONFIG = 256 * limits.KIB  # bytes: a config file of this size is something else
_CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Where this person's node keeps what. Nothing here is created by asking for it."""

    home: Path | None  #: the one directory of P2PFORUM_HOME, if it is set
    data_dir: Path  #: node.db, lock, api.sock: what a node process may see
    keys_dir: Path  #: the keystore: what a node process never opens
    config_file: Path

    @property
    def socket_path(self) -> Path:
        """Beside the lock, so that who holds the lock owns the socket; and the same in every session,
        which $XDG_RUNTIME_DIR is not (cron, sudo, ssh)."""
        return self.data_dir / "api.sock"

    @property
    def keystore_file(self) -> Path:
        return self.keys_dir / "keystore"


@dataclass(frozen=True, slots=True)
class Config:
    """The config file, checked. A field here is a key there."""

    network: str = limits.DEFAULT_NETWORK.name
    test: bool = False
    listen: tuple[str, ...] = ("/ip4/127.0.0.1/tcp/0",)
    peers: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    retention_days: int = limits.RETENTION_HOURS // 24
    retention: Mapping[str, int] = field(default_factory=dict)  #: days, of boards that differ
    quota_mb: int = limits.QUOTA // limits.KIB // limits.KIB
    hide_origin: bool = True

    @property
    def params(self) -> NetworkParams:
        return params_for(self.network, test=self.test)

    @property
    def retention_hours(self) -> int:
        return self.retention_days * 24

    @property
    def board_hours(self) -> dict[str, int]:
        return {board: days * 24 for board, days in self.retention.items()}

    @property
    def quota(self) -> int:
        """Bytes."""
        return self.quota_mb * limits.KIB * limits.KIB


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
    # The specification: a relative path is to be ignored.
    base = Path(value) if os.path.isabs(value) else Path(environ.get("HOME") or Path.home()) / default
    return base / "p2pforum"


def load_config(paths: Paths) -> Config:
    """Read the config file; without one, the defaults. Raises ConfigError."""
    path = paths.config_file
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_CONFIG + 1)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    import tomllib  # here, because reading commands start without a config file more often than not

    if len(raw) > _MAX_CONFIG:
        raise ConfigError(f"{path}: larger than {_MAX_CONFIG // limits.KIB} KiB")
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        return _check(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check(table: Mapping[str, Any]) -> Config:
    known = [f.name for f in fields(Config)]
    for key in table:
        if key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, 1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(known)}"
            raise ConfigError(f'unknown key "{key}"{hint}')
    config = Config(**{key: _CHECKS[key](key, value) for key, value in table.items()})
    if config.test and config.network == limits.DEFAULT_NETWORK.name:
        # Protocol IDs and signatures hold the name only: it would be taken for the real network.
        raise ConfigError(f'test: a test network needs a name of its own, not network = "{config.network}"')
    return config


def _network(key: str, value: Any) -> str:
    if type(value) is not str or not _NETWORK_NAME.fullmatch(value):
        raise ConfigError(f"{key}: 1 to 32 of a-z 0-9 . - are wanted")
    return value


def _flag(key: str, value: Any) -> bool:
    if type(value) is not bool:
        raise ConfigError(f"{key}: true or false is wanted")
    return value


def _days(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 36_500:
        raise ConfigError(f"{key}: a whole number of days from 1 to 36500 is wanted")
    return value


def _retention(key: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ConfigError(f"{key}: a table is wanted, with a line such as: board = 30")
    for name in value:
        if not is_valid_board(name):
            raise ConfigError(f'{key}: "{name}" is no board name (1 to 64 of a-z 0-9 . -)')
    return {name: _days(f"{key}.{name}", days) for name, days in value.items()}


def _quota(key: str, value: Any) -> int:
    least = limits.LEAST_QUOTA // limits.KIB // limits.KIB
    if type(value) is not int or not least <= value <= 1_000_000:
        raise ConfigError(f"{key}: a whole number of MiB from {least} to 1000000 is wanted")
    return value


def check_listen(key: str, value: Any) -> tuple[str, ...]:
    for address in _texts(key, value):
        if not _is_address(address):
            raise ConfigError(f'{key}: "{address}" is not an address such as /ip4/127.0.0.1/tcp/4001')
    return tuple(value)


def check_peers(key: str, value: Any) -> tuple[str, ...]:
    """The network layer has the last word on an address; this catches what is plainly none."""
    for address in _texts(key, value):
        if not _is_address(address) or "/p2p/" not in address:
            raise ConfigError(
                f'{key}: "{address}" is not a peer address such as /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...'
            )
    return tuple(value)


def _boards(key: str, value: Any) -> tuple[str, ...]:
    for name in _texts(key, value):
        if not is_valid_board(name):
            raise ConfigError(f'{key}: "{name}" is no board name (1 to 64 of a-z 0-9 . -)')
    return tuple(value)


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or any(type(v) is not str for v in value):
        raise ConfigError(f'{key}: a list of texts is wanted, as ["one", "two"]')
    return tuple(value)


def _is_address(text: str) -> bool:
    return text.startswith("/") and "/tcp/" in text and len(text) <= 512 and text.isprintable()


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "network": _network,
    "test": _flag,
    "listen": check_listen,
    "peers": check_peers,
    "boards": _boards,
    "retention_days": _days,
    "retention": _retention,
    "quota_mb": _quota,
    "hide_origin": _flag,
}


def config_template() -> str:
    """A config file in which everything is commented out: it says what there is, and changes nothing."""
    return _TEMPLATE


_TEMPLATE = f"""\
# p2pforum: what is commented out is the default.

# The network this node belongs to. Networks never mix.
#network = "{limits.DEFAULT_NETWORK.name}"

# A test network asks for no stamps (proof of work). Give it a name of its own.
#test = false

# Where other nodes can reach this one. The default is a free port, for this machine only. For everyone:
#   listen = ["/ip4/0.0.0.0/tcp/4001"]
# An empty list: this node only dials.
#listen = ["/ip4/127.0.0.1/tcp/0"]

# Nodes to connect to at start. A running node shows its addresses in `p2pforum status`.
#peers = []

# Boards that `p2pforum threads` shows when it is not told one. An empty list: all.
#boards = []

# Posts older than this are dropped here.
#retention_days = {limits.RETENTION_HOURS // 24}

# Disk space for all posts, in MiB. When it is full the oldest go first; see `p2pforum pin`.
#quota_mb = {limits.QUOTA // limits.KIB // limits.KIB}

# Boards that are kept for another number of days, as {{ general = 365, test = 7 }}.
#retention = {{}}

# Own posts take a detour of some seconds, rarely minutes, so that few can tell where they started. False:
# every peer of this node can guess which posts were written here.
#hide_origin = true
"""
