"""`p2pforum sync`: fetch what peers have and this node lacks, now."""

import time
from typing import Any

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.cli.terminal.progress import Progress

_ENDINGS = {
    "busy": "the peer has no room for a session now; try again in a minute",
    "budget": "the peer has more than one session may carry; another session goes on",
    "time": "too slow: another session goes on where this one stopped",
    "protocol": "the peer says that this node broke the protocol",
    "failed": "the peer could not go on",
    "spent": "the peer has spent enough on this node for now; try again in some minutes",
}


@click.command()
@click.argument("peer", required=False, default="")
@options.as_json
@pass_context
def command(context: Context, peer: str, as_json: bool) -> int:
    """Fetch what peers have and this node lacks.

    PEER is an address, which the node dials if need be, or the beginning or end of a connected peer's
    ID. Without PEER the node syncs with all connected peers. A running node does this by itself every
    few minutes.

    The command fails if no peer synced.
    """
    began = time.monotonic()
    result: dict[str, Any] = {}
    with Progress(context.console, "Sync", quiet_elsewhere=as_json) as bar:
        for step in context.session.node.sync(peer):
            if as_json:
                context.console.json(step)
            if _count(step.get("progress", {}), "wanted"):
                _show(bar, step["progress"])
            result = step.get("result", result)
    done, peers = _count(result, "done"), _count(result, "peers")
    if not as_json:
        _report(context, result, time.monotonic() - began)
    return exit_codes.OK if done or not peers else exit_codes.FAILURE


def _report(context: Context, result: dict[str, Any], seconds: float) -> None:
    console = context.console
    done, peers = _count(result, "done"), _count(result, "peers")
    word = "Done" if done == peers else f"Done with {done} of {options.count(peers, 'peer')}"
    console.print(
        f"{word} in {seconds:.1f} s: {_count(result, 'new')} new {_posts(result, 'new')}, "
        f"{_count(result, 'sent')} sent."
    )
    for session in result.get("sessions", []):
        outcome = session.get("outcome")
        if outcome != "done":
            why = session.get("error") or _ENDINGS.get(outcome, outcome)
            console.error(render.line(f"{session.get('peer')}: {why}"))
        elif _count(session, "left"):
            console.note(render.line(f"{session.get('peer')}: posts are left for another session"))


def _show(bar: Progress, step: dict[str, Any]) -> None:
    got, wanted = _count(step, "got"), _count(step, "wanted")
    size = _count(step, "bytes")
    bar.show(got / wanted, f"{got}/{wanted} posts  {size / 1_000_000:.1f} MB")


def _count(step: dict[str, Any], name: str) -> int:
    value = step.get(name, 0)
    return value if isinstance(value, int) else 0


def _posts(step: dict[str, Any], name: str) -> str:
    return "post" if _count(step, name) == 1 else "posts"
