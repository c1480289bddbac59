"""`p2pforum peers`: who is connected."""

from typing import Any

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List the peers that are connected.

    Those named by --peer or in the config file are marked; where one can't be reached, the reason is shown.
    The others came from the node's address book, or dialled it. Needs a running node.
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
        console.print(_row(context, peer))


def _row(context: Context, peer: dict[str, Any]) -> str:
    name, address = (render.line(str(peer.get(key) or "")) for key in ("peer", "address"))
    short = name if len(name) <= 12 else f"…{name[-8:]}"  # they all begin alike; `sync` takes the end
    # An address ends with the whole peer ID: shown once is enough.
    address = address.removesuffix(f"/p2p/{name}") if name else address
    stage = str(peer.get("stage", "connected"))
    if stage == "connected":
        stage = {"outbound": "we dialled", "inbound": "it dialled"}.get(str(peer.get("direction")), stage)
    named = context.console.style("  named", "dim") if peer.get("named") else ""
    text = f"{context.console.style(render.pad(short, 12), 'bold')}  {stage:<10}  {address}{named}"
    error = render.line(str(peer.get("error") or ""))
    return text + (f"\n{' ' * 14}{error}" if error else "")
