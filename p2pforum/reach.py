"""How peers can reach this node: where it listens, which addresses it announces, and under which peer ID.

By default a node listens at the machine's public IPv6 address, if there is one, and its peers pass that
address on. The reason: if few nodes can be dialled, a few spies among them see most of the traffic. How an
address becomes a record is not here (exchange/announcement.py).
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from p2pforum.config import AUTO, Config
from p2pforum.core.errors import NetworkError
from p2pforum.network import own_ipv6, port_mapping
from p2pforum.network.peer_seed import peer_seed, port_of, seed_at

log = logging.getLogger(__name__)

_LOOPBACK = "/ip4/127.0.0.1/tcp/0"


@dataclass(frozen=True, slots=True)
class Reach:
    """`seed` makes a lasting peer ID; None: a new ID at every start."""

    listen: tuple[str, ...]
    announce: tuple[str, ...] = ()
    seed: bytes | None = None


@asynccontextmanager
async def find_reach(config: Config, directory: Path, interfaces: str | None = None) -> AsyncIterator[Reach]:
    """What `listen` and `announce` mean on this machine, now. A mapped port lasts as long as the block.

    `interfaces` is the kernel's list of IPv6 addresses; None: read it. If the router opens no port, that is
    logged and the node runs without it. Raises P2PForumError for a damaged seed, StoreError.
    """
    if config.listen != AUTO or config.socks is not None:
        yield _as_configured(config, directory)
        return
    text = own_ipv6.read_interfaces() if interfaces is None else interfaces
    async with AsyncExitStack() as stack:
        yield await _automatic(config, directory, own_ipv6.public_ipv6(text), stack)


def _as_configured(config: Config, directory: Path) -> Reach:
    listen = (_LOOPBACK,) if config.listen == AUTO else config.listen
    announce = () if config.announce == AUTO else config.announce
    return Reach(listen, announce, peer_seed(directory) if _is_dialled(listen) else None)


async def _automatic(config: Config, directory: Path, ipv6: str | None, stack: AsyncExitStack) -> Reach:
    if ipv6 is None and not config.map_port:
        return Reach((_LOOPBACK,), () if config.announce == AUTO else config.announce)
    secret = peer_seed(directory)
    port = port_of(secret)
    listen, announce = [_LOOPBACK], list[str]()
    if ipv6 is not None:
        listen.append(f"/ip6/{ipv6}/tcp/{port}")
        announce.append(f"/ip6/{ipv6}/tcp/{port}")
    network = own_ipv6.network_of(ipv6) if ipv6 else ""
    if config.map_port:
        try:
            mapping = await stack.enter_async_context(port_mapping.open_port(port))
        except NetworkError as error:
            log.warning("map_port: %s", error)
        else:
            listen.append(f"/ip4/{mapping.inside}/tcp/{port}")
            announce.append(f"/ip4/{mapping.host}/tcp/{port}")
            network = network or mapping.host
    told = tuple(sorted(announce)) if config.announce == AUTO and config.exchange else ()
    if config.announce != AUTO:
        told = config.announce
    return Reach(tuple(listen), told, seed_at(secret, network) if network else None)


def _is_dialled(listen: Sequence[str]) -> bool:
    """Whether peers may know this node's address, because its port is fixed. Then its peer ID must last."""
    return any(not address.endswith("/tcp/0") for address in listen)
