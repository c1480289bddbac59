"""A bundle on its way in: the part of `p2pforum import` for posts that are signed already."""

from pathlib import Path
from typing import BinaryIO

from p2pforum.app.importing import take_in_bundle
from p2pforum.cli.context import Context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.cli.terminal.progress import Progress
from p2pforum.core.errors import P2PForumError
from p2pforum.core.verdict import Outcome
from p2pforum.forum.bundling import Imported

_MOST_TOLD = 5  # faults named one by one


def import_bundle(
    context: Context, file: Path, opened: BinaryIO, head: bytes, *, dry_run: bool, as_json: bool
) -> int:
    """Take in a bundle and print what came of it. `head` is the part of the file that was read already."""
    if dry_run:
        context.console.note("a bundle publishes nothing: leave --dry-run away to take it in")
        return exit_codes.USAGE
    so_far = Imported()
    with Progress(context.console, "Importing") as bar:

        def show(now: Imported, fraction: float) -> None:
            nonlocal so_far
            so_far = now
            bar.show(fraction, options.count(now.done, "post"))

        try:
            take_in_bundle(context.session, head, opened, show)
        except (P2PForumError, OSError, KeyboardInterrupt) as error:  # the user pulled out the stick, say
            if so_far.done:
                new = options.count(so_far.counts[Outcome.STORED], "new post")
                error.add_note(f"{new} so far are kept; run the same command again for the rest")
            raise
    return _report(context, file, so_far, as_json)


def _report(context: Context, file: Path, done: Imported, as_json: bool) -> int:
    console, counts = context.console, done.counts
    if as_json:
        faults = [{"offset": fault.offset, "text": fault.text} for fault in done.faults]
        console.json({**{outcome.value: counts[outcome] for outcome in Outcome}, "faults": faults})
    else:
        new, old = counts[Outcome.STORED], counts[Outcome.DUPLICATE]
        console.print(f"{options.count(new, 'new post')}; {old} were here already.")
        if kept_out := counts[Outcome.REFUSED]:
            console.note(
                f"{options.count(kept_out, 'post')} too old to be kept here; see retention in the config"
            )
        if early := counts[Outcome.TOO_EARLY]:
            console.note(f"{options.count(early, 'post')} dated in the future: import again later")
    for fault in done.faults[:_MOST_TOLD]:
        console.error(f"{render.line(str(file))}: {fault.text}, at byte {fault.offset}")
    if done.faults:
        console.note("what was valid is kept; for the rest, get the bundle again")
        return exit_codes.FAILURE
    if invalid := counts[Outcome.INVALID]:
        console.error(f"{options.count(invalid, 'post')} not valid, and not kept")
        return exit_codes.REFUSED
    return exit_codes.OK
