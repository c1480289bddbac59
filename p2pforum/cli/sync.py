"""`p2pforum sync`: fetch what peers have and this node lacks, now."""

import time
from typing import Any

import click

from p2pforum.cli import options
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.progress import Progress


@click.command()
@click.argument("peer", required=False, default="")
@options.as_json
@pass_context
def command(context: Context, peer: str, as_json: bool) -> None:
    """Fetch what peers have and this node lacks.

    PEER is an address, which is dialled if need be, or the beginning or end of a connected peer's
    ID. Without it: all connected peers. A running node does this by itself every few minutes.
    """
    began = time.monotonic()
    result: dict[str, Any] = {}
    with Progress(context.console, "Sync", quiet_elsewhere=as_json) as bar:
        for step in context.node.sync(peer):
            if as_json:
                context.console.json(step)
            if _count(step.get("progress", {}), "wanted"):
                _show(bar, step["progress"])
            result = step.get("result", result)
    if not as_json:
        seconds = time.monotonic() - began
        context.console.print(
            f"Done in {seconds:.1f} s: {_count(result, 'new')} new {_posts(result, 'new')}, "
            f"{_count(result, 'sent')} sent."
        )


def _show(bar: Progress, step: dict[str, Any]) -> None:
    got, wanted = _count(step, "got"), _count(step, "wanted")
    size = _count(step, "bytes")
    bar.show(got / wanted, f"{got}/{wanted} posts  {size / 1_000_000:.1f} MB")


def _count(step: dict[str, Any], name: str) -> int:
    value = step.get(name, 0)
    return value if isinstance(value, int) else 0


def _posts(step: dict[str, Any], name: str) -> str:
    return "post" if _count(step, name) == 1 else "posts"
