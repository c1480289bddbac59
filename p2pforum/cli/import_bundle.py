"""A bundle on its way in: the part of `p2pforum import` for posts that are signed already."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.core.errors import P2PForumError
from p2pforum.core.verdict import Outcome

if TYPE_CHECKING:
    from p2pforum.forum.bundling import Imported

_MOST_TOLD = 5  # faults named one by one


def import_bundle(
    context: Context, file: Path, opened: BinaryIO, head: bytes, *, dry_run: bool, as_json: bool
) -> int:
    """`head` is what was read of the file already."""
    from p2pforum.app.delivery import Delivery
    from p2pforum.cli.terminal.progress import Progress
    from p2pforum.forum import bundling

    if dry_run:
        context.console.note("a bundle publishes nothing: leave --dry-run away to take it in")
        return exit_codes.USAGE
    heads = [head]

    def read(size: int) -> bytes:
        return heads.pop() if heads else opened.read(size)

    size = _size(opened)
    so_far = bundling.Imported()
    with Delivery(context.session) as outlet, Progress(context.console, "Importing") as bar:

        def show(now: bundling.Imported, offset: int) -> None:
            nonlocal so_far
            so_far = now
            fraction = offset / size if size else now.done / max(1, now.promised)
            bar.show(fraction, options.count(now.done, "post"))

        try:
            bundling.import_bundle(read, context.session.config.params.name, outlet.take_bundle, show)
        except (P2PForumError, OSError, KeyboardInterrupt) as error:  # a stick that was pulled out, say
            if so_far.done:
                new = options.count(so_far.counts[Outcome.STORED], "new post")
                error.add_note(f"{new} so far are kept; run the same command again for the rest")
            raise
    return _report(context, file, so_far, as_json)


def _size(opened: BinaryIO) -> int:
    """Bytes of a file; 0 for what is a pipe."""
    try:
        return os.fstat(opened.fileno()).st_size
    except OSError:
        return 0


def _report(context: Context, file: Path, done: "Imported", as_json: bool) -> int:
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
