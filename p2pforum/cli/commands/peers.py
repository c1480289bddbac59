"""`p2pforum peers`: which peers are connected."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.cli.terminal.table import flow

if TYPE_CHECKING:
    from p2pforum.api.answers import PeerStatus


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List the peers that are connected.

    The list marks peers that --peer or the config file names. If the node can't reach one of them, the
    list says why. The node found the others in its address book, or they dialled it. The command needs
    a running node.
    """
    peers = context.session.node.peers()
    console = context.console
    if as_json:
        console.json(peers)
        return
    if not peers:
        console.print("No peers are connected.")
        console.note(
            "To reach others, name one: "
            f"{context.command('run --peer ADDRESS')}, or `peers` in the config file.\n"
            f"Others reach this node at the addresses that {context.command('status')} shows."
        )
        return
    for peer in peers:
        for line in _lines(context, peer):
            console.print(line)


def _lines(context: Context, peer: "PeerStatus") -> Iterator[str]:
    name, address = render.line(peer["peer"] or ""), render.line(peer["address"])
    short = name if len(name) <= 12 else f"…{name[-8:]}"  # they all begin alike; `sync` takes the end
    # An address ends with the whole peer ID, so it need not be shown twice.
    address = address.removesuffix(f"/p2p/{name}") if name else address
    stage = peer["stage"]
    if stage == "connected":
        stage = {"outbound": "we dialled", "inbound": "it dialled"}.get(peer["direction"], stage)
    named = context.console.style("named", "dim") if peer["named"] else ""
    columns, start = context.console.columns, context.console.style(render.pad(short, 12), "bold")
    yield from flow([start, f"{stage:<10}", address, named], columns, hang=" " * 14)
    for part in render.wrap(render.line(peer["error"] or ""), columns - 14):
        if part:
            yield " " * 14 + part
