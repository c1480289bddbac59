"""`p2pforum sync`: fetch what peers have and this node lacks, now."""

import time
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.cli.terminal.progress import Progress

if TYPE_CHECKING:
    from p2pforum.api.answers import SyncResult, SyncSums

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
    result: SyncResult | None = None
    with Progress(context.console, "Sync", quiet_elsewhere=as_json) as bar:
        for step in context.session.node.sync(peer):
            if as_json:
                context.console.json(step)
            if "progress" in step and step["progress"]["wanted"]:
                _show(bar, step["progress"])
            result = step.get("result", result)
    if result is None:
        return exit_codes.FAILURE
    if not as_json:
        _report(context, result, time.monotonic() - began)
    return exit_codes.OK if result["done"] or not result["peers"] else exit_codes.FAILURE


def _report(context: Context, result: "SyncResult", seconds: float) -> None:
    console = context.console
    done, peers = result["done"], result["peers"]
    word = "Done" if done == peers else f"Done with {done} of {options.count(peers, 'peer')}"
    new = options.count(result["new"], "new post")
    console.print(f"{word} in {seconds:.1f} s: {new}, {result['sent']} sent.")
    for session in result["sessions"]:
        outcome = session["outcome"]
        if outcome != "done":
            why = session.get("error") or _ENDINGS.get(outcome, outcome)
            console.error(render.line(f"{session['peer']}: {why}"))
        elif session.get("left"):
            console.note(render.line(f"{session['peer']}: posts are left for another session"))


def _show(bar: Progress, step: "SyncSums") -> None:
    got, wanted = step["got"], step["wanted"]
    bar.show(got / wanted, f"{got}/{wanted} posts  {step['bytes'] / 1_000_000:.1f} MB")
