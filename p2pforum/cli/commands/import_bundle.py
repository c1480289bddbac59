"""`p2pforum import`: posts that others signed, from a bundle."""

import sys
from pathlib import Path
from typing import BinaryIO

import click

from p2pforum.app.importing import HEAD, is_bundle, take_in_bundle
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.cli.terminal.progress import Progress
from p2pforum.core.errors import P2PForumError, Refused
from p2pforum.core.verdict import Outcome
from p2pforum.forum.bundling import Imported

_MOST_TOLD = 5  # faults named one by one


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@options.as_json
@pass_context
def command(context: Context, file: Path, as_json: bool) -> int:
    """Take in a bundle of signed posts.

    FILE, or - for standard input, is a bundle that `export` wrote. The command checks its posts, keeps them
    as they are, and skips damaged parts. After an interruption run the same command again: it goes on.

    It publishes nothing of yours. `publish` is the command for texts, mailboxes and the like.
    """
    if file == Path("-"):
        return _import(context, file, sys.stdin.buffer, as_json)
    with file.open("rb") as opened:
        return _import(context, file, opened, as_json)


def _import(context: Context, file: Path, opened: BinaryIO, as_json: bool) -> int:
    head = opened.read(HEAD)
    if not is_bundle(head):
        error = Refused(f"{file} is not a bundle of signed posts, and nothing was taken in")
        error.add_note(
            "`publish` shows what a text, a mailbox or JSON Lines hold, and publishes them if you agree"
        )
        raise error
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
        from p2pforum.app.result_shapes import bundle_shape

        console.json(bundle_shape(done))
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
