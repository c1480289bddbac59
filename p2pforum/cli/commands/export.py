"""`p2pforum export`: what is kept here, as a file for others."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options
from p2pforum.core.errors import Refused

if TYPE_CHECKING:
    from p2pforum.store.export import Export


@click.command()
@click.option(
    "-b",
    "--board",
    callback=options.check_board,
    shell_complete=options.complete_board,
    help="Only this board.",
)
@click.option(
    "--thread", metavar="ID", help="Only the thread with this ID, or the thread of the post with this ID."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default="-",
    help="The file to write; without it, standard output.",
)
@click.option("--jsonl", is_flag=True, help="Write JSON Lines to read, not a bundle to import.")
@pass_context
def command(context: Context, board: str | None, thread: str | None, output: Path, jsonl: bool) -> int:
    """Write the posts that are kept here to a bundle.

    A bundle carries posts to where no network reaches: copy it, and `import` it elsewhere. It holds
    public posts and says nothing about this machine: two people who have the same posts write the same
    bytes. The command leaves out posts of yours that are not public yet.
    """
    from p2pforum.app.reading import root_of
    from p2pforum.store.export import open_export

    if board is not None and thread is not None:
        raise click.UsageError("--board and --thread at once: a thread is on one board")
    root = None if thread is None else root_of(context.session, thread)
    if output == Path("-") and not jsonl and sys.stdout.isatty():
        raise Refused("a bundle is binary and does not go to a terminal: use -o FILE")
    with open_export(context.session.paths.data_dir, board, root) as export, _opened(output) as file:
        size = _write(context, export, file, jsonl)
    what = f"{options.count(export.posts, 'post')} of {options.count(export.boards, 'board')}"
    context.console.note(f"Exported {what}, {size:,} bytes.")
    return exit_codes.OK


def _write(context: Context, export: "Export", file: BinaryIO, jsonl: bool) -> int:
    from p2pforum.app.shapes import json_lines
    from p2pforum.cli.terminal.progress import Progress
    from p2pforum.core.bundle import Header, write_bundle

    size = 0
    with Progress(context.console, "Exporting", quiet_elsewhere=True) as bar:

        def counted() -> Iterator[bytes]:
            for done, raw in enumerate(export.raws(), 1):
                bar.show(done / export.posts, f"{done}/{export.posts} posts")
                yield raw

        pieces: Iterator[bytes]
        if jsonl:
            pieces = (line.encode() + b"\n" for line in json_lines(counted(), context.session.config.params))
        else:
            header = Header(export.network or context.session.config.params.name, export.boards, export.posts)
            pieces = write_bundle(header, counted())
        for piece in pieces:
            file.write(piece)
            size += len(piece)
    return size


@contextmanager
def _opened(output: Path) -> Iterator[BinaryIO]:
    """A file appears on the disk as a whole, or not at all. So the user may pull out a USB
    stick right afterwards.
    """
    if output == Path("-"):
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = output.with_name(output.name + ".part")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(output)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
