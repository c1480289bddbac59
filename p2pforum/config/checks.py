"""What may be in the config file: one check for each key. Each raises ConfigError."""

from collections.abc import Callable
from functools import partial
from typing import Any

from p2pforum.config.proxy import check_proxy
from p2pforum.core import limits
from p2pforum.core.address import check_told, parse_listen, parse_peer
from p2pforum.core.errors import ConfigError, NetworkError
from p2pforum.core.text import fold_board, is_valid_board, is_valid_network

AUTO = ("auto",)  # `listen` or `announce` as the machine allows


def _network(key: str, value: Any) -> str:
    if type(value) is not str or not is_valid_network(value):
        raise ConfigError(f"{key}: must be 1 to {limits.MAX_NETWORK_NAME} of a-z 0-9 . -")
    return value


def _flag(key: str, value: Any) -> bool:
    if type(value) is not bool:
        raise ConfigError(f"{key}: must be true or false")
    return value


def _days(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 36_500:
        raise ConfigError(f"{key}: must be a whole number of days from 1 to 36500")
    return value


def _retention(key: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ConfigError(f"{key}: must be a table, with a line such as: board = 30")
    return {_board(key, name): _days(f"{key}.{name}", days) for name, days in value.items()}


def _quota(key: str, value: Any) -> int:
    least = limits.LEAST_QUOTA // limits.KIB // limits.KIB
    if type(value) is not int or not least <= value <= 1_000_000:
        raise ConfigError(f"{key}: must be a whole number of MiB from {least} to 1000000")
    return value


def _hold(key: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= limits.MOST_HOLD_MINUTES:
        raise ConfigError(f"{key}: must be a whole number of minutes from 0 to {limits.MOST_HOLD_MINUTES}")
    return value


def check_listen(key: str, value: Any) -> tuple[str, ...]:
    return _addresses(key, value, parse_listen)


def _listen(key: str, value: Any) -> tuple[str, ...]:
    return AUTO if value == list(AUTO) else check_listen(key, value)


def _announce(key: str, value: Any) -> tuple[str, ...]:
    return AUTO if value == list(AUTO) else check_announce(key, value)


def check_peers(key: str, value: Any) -> tuple[str, ...]:
    return _addresses(key, value, parse_peer)


def check_announce(key: str, value: Any) -> tuple[str, ...]:
    """Addresses to tell others. The node adds the peer ID when it tells them. Raises ConfigError."""
    return _addresses(key, value, partial(check_told, peer=False))


def _addresses(key: str, value: Any, check: Callable[[str], object]) -> tuple[str, ...]:
    """Check each address: otherwise the node would dial a misspelt one for ever, in vain."""
    for address in _texts(key, value):
        try:
            check(address)
        except NetworkError as error:
            raise ConfigError(f"{key}: {error}") from error
    return tuple(value)


def _boards(key: str, value: Any) -> tuple[str, ...]:
    return tuple(_board(key, name) for name in _texts(key, value))


def _board(key: str, name: str) -> str:
    """The name of a board, its capitals folded."""
    if not is_valid_board(board := fold_board(name)):
        raise ConfigError(f'{key}: "{name}" is not a board name (1 to 64 of a-z 0-9 . -)')
    return board


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or any(type(v) is not str for v in value):
        raise ConfigError(f'{key}: must be a list of texts, as ["one", "two"]')
    return tuple(value)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "network": _network,
    "listen": _listen,
    "peers": check_peers,
    "boards": _boards,
    "retention_days": _days,
    "retention": _retention,
    "quota_mb": _quota,
    "hide_origin": _flag,
    "hold_minutes": _hold,
    "announce": _announce,
    "map_port": _flag,
    "exchange": _flag,
    "lan": _flag,
    "private": _flag,
    "proxy": check_proxy,
}
