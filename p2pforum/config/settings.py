"""What the user configured: the config file, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from p2pforum.config.checks import AUTO, CHECKS
from p2pforum.config.paths import Paths
from p2pforum.config.proxy import Proxy, check_nothing_bypasses, parse_proxy
from p2pforum.core import limits
from p2pforum.core.errors import ConfigError
from p2pforum.core.network_params import DEFAULT_NETWORK, NetworkParams, params_for
from p2pforum.core.text import is_valid_network

_MAX_CONFIG = 256 * limits.KIB  # bytes: a larger file is no config file


@dataclass(frozen=True, slots=True)
class Config:
    """The config file, checked. A field here is a key there."""

    network: str = DEFAULT_NETWORK.name
    listen: tuple[str, ...] = AUTO  #: addresses, or AUTO: see reach.py
    peers: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    retention_days: int = limits.RETENTION_HOURS // 24
    retention: Mapping[str, int] = field(default_factory=dict)  #: days, of boards that differ
    quota_mb: int = limits.QUOTA // limits.KIB // limits.KIB
    hide_origin: bool = True
    hold_minutes: int = limits.HOLD_MINUTES  #: at most, until posts that waited for a peer begin to leave
    announce: tuple[str, ...] = AUTO  #: where others can reach this node: every peer is told
    map_port: bool = False  #: have the router forward a port to this node, by UPnP
    exchange: bool = True  #: ask peers for addresses of others
    lan: bool = False  #: look for nodes in the local network, and be found there
    private: bool = False  #: also dial loopback and private addresses that peers name
    proxy: str = ""  #: all is dialled through it: as socks5://127.0.0.1:9050

    def __post_init__(self) -> None:
        """A Config that goes past its proxy can't be made, from a file or otherwise. Raises ConfigError."""
        if self.proxy:
            listen = () if self.listen == AUTO else self.listen  # on this machine only: see reach.py
            announce = () if self.announce == AUTO else self.announce
            check_nothing_bypasses(listen, announce, lan=self.lan, map_port=self.map_port)

    @property
    def params(self) -> NetworkParams:
        return params_for(self.network)

    @property
    def socks(self) -> Proxy | None:
        return parse_proxy("proxy", self.proxy) if self.proxy else None

    @property
    def retention_hours(self) -> int:
        return self.retention_days * 24

    @property
    def board_hours(self) -> dict[str, int]:
        return {board: days * 24 for board, days in self.retention.items()}

    @property
    def hold_seconds(self) -> float:
        """The longest hold, in seconds. A node that hides no origins needs no long one."""
        return self.hold_minutes * 60.0 if self.hide_origin else limits.OPEN_HOLD_SECONDS

    @property
    def quota(self) -> int:
        """Bytes."""
        return self.quota_mb * limits.KIB * limits.KIB


def check_reach(config: Config) -> None:
    """Check that others can reach the addresses they are told. Raises ConfigError."""
    example = 'listen = ["/ip4/0.0.0.0/tcp/4001"]'
    named = () if config.announce == AUTO else config.announce
    if named and (config.listen == AUTO or all(address.endswith("/tcp/0") for address in config.listen)):
        raise ConfigError(
            "announce: the node listens on a port that changes at every start, so others could not reach it; "
            f"name a fixed port, as {example}"
        )
    if named and not config.exchange:
        raise ConfigError("announce: with exchange = false this node tells no addresses to others")
    if config.map_port and config.listen != AUTO:
        raise ConfigError(f'map_port: it goes with listen = ["{AUTO[0]}"], where the node picks the port')
    if config.lan and all(
        address == AUTO[0] or "/127." in address or "/ip6/" in address for address in config.listen
    ):
        raise ConfigError(
            f"lan: this node listens to no IPv4 address that others can reach; set one, as {example}"
        )


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
    import tomllib  # here, because reading commands mostly start without a config file

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
    if "test" in table:
        raise ConfigError(_no_test_key(table.get("network")))
    for key in table:
        if key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, 1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; the keys are {', '.join(known)}"
            raise ConfigError(f'unknown key "{key}"{hint}')
    return Config(**{key: CHECKS[key](key, value) for key, value in table.items()})


def _no_test_key(network: Any) -> str:
    """For a config file of an early version, where two networks of one name could differ by this key."""
    name = network if isinstance(network, str) and is_valid_network(f"test.{network}") else "NAME"
    return (
        "test: there is no such key; a network is a test network if its name begins with test. "
        f'- remove this line, and for a test network write network = "test.{name}"'
    )
