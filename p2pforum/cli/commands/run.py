"""`p2pforum run`: the node, in this terminal."""

import gc
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.config import Config, check_listen, check_peers, check_proxy, load_config
from p2pforum.config.invites import with_invites
from p2pforum.core.errors import ConfigError

if TYPE_CHECKING:
    from p2pforum.node import Node

_USUALLY = (700, 10, 10)  # Python's own; main() made it rare


@click.command()
@click.option(
    "--listen",
    multiple=True,
    metavar="ADDRESS",
    help='Where other nodes can reach this one, instead of `listen` in the config file; "none": only dial.',
)
@click.option(
    "--peer", "peers", multiple=True, metavar="ADDRESS", help="A node to stay in touch with. May be repeated."
)
@click.option(
    "--proxy",
    metavar="ADDRESS",
    help="Dial through this SOCKS5 proxy and never past it, instead of `proxy` in the config file.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what goes wrong.")
@pass_context
def command(
    context: Context, listen: tuple[str, ...], peers: tuple[str, ...], proxy: str | None, quiet: bool
) -> None:
    """Run the node until it is stopped.

    The node ends in good order on Ctrl-C, SIGTERM and `p2pforum stop`. On SIGHUP it reads the peers of
    the config file and of accepted invites again.

    \b
    p2pforum run
    p2pforum run --listen /ip4/0.0.0.0/tcp/4001
    p2pforum run --peer /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW...
    p2pforum run --proxy socks5://127.0.0.1:9050
    """
    try:
        wanted_listen = (
            None if not listen else () if listen == ("none",) else check_listen("--listen", listen)
        )
        wanted_peers = check_peers("--peer", peers)
        wanted_proxy = None if proxy is None else _check_proxy(proxy)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error

    def configured() -> Config:
        config = with_invites(load_config(context.session.paths), context.session.paths)
        return replace(
            config,
            peers=tuple(dict.fromkeys((*config.peers, *wanted_peers))),
            listen=config.listen if wanted_listen is None else wanted_listen,
            proxy=wanted_proxy or config.proxy,
        )

    _start_log(quiet)
    config = configured()  # before the heavy imports: the user learns of a mistake at once
    from functools import partial

    import trio

    from p2pforum.node import run_node

    # The code is 110,000 objects that stay. A full collection of them took 70 ms, in which no
    # peer got an answer.
    gc.freeze()
    gc.set_threshold(*_USUALLY)
    ready = partial(_try_to_say_ready, context, quiet)
    trio.run(partial(run_node, config, context.session.paths, on_ready=ready, reload=configured))


def _check_proxy(text: str) -> str:
    """An empty value may come from a variable that is not set. It must not mean "no proxy"."""
    if not text:
        raise ConfigError("--proxy: it is empty; socks5://127.0.0.1:9050 is Tor's")
    return check_proxy("--proxy", text)


def _start_log(quiet: bool) -> None:
    """Log without times, because an attacker, or a thief of this machine, could see from them
    what came when.
    """
    import logging

    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO, format="%(levelname)-7s %(name)s: %(message)s"
    )
    if not quiet:
        for name in ("libp2p", "multiaddr"):
            logging.getLogger(name).setLevel(logging.WARNING)


def _try_to_say_ready(context: Context, quiet: bool, node: "Node") -> None:
    with suppress(OSError):  # nobody reads the log: the node runs all the same
        _say_ready(context, quiet, node)


def _say_ready(context: Context, quiet: bool, node: "Node") -> None:
    status = node.desk.status()
    if quiet:
        return
    console = context.console
    console.print(f"The node runs on network {status['network']}. Ctrl-C stops it.")
    for address in status["addresses"]:
        console.print(f"Others reach it at {address}")
    for address in status["announced"]:
        console.print(
            f"Peers tell everybody that a node is at {address} (config file: announce = [] stops that)."
        )
    if not status["addresses"]:
        console.print("The node only dials: other nodes can't connect to it.")
    if status["proxy"]:
        console.print(f"All connections go through the proxy {status['proxy']}, or fail.")
    book = status["book"]
    if not (node.desk.peers() or book["new"] or book["tried"]):
        console.print("The node knows no other node yet: name one with --peer ADDRESS, or `join` an invite.")
    if problem := status["clock"]["problem"]:
        console.warn(f"{problem}; until you set it, your posts stay here")
    console.print(f"In another terminal: {context.command('threads')}, {context.command('post BOARD')}, ...")
    console.flush()
