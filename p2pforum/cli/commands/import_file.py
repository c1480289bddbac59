"""`p2pforum import`: take in a bundle, or publish a discussion from elsewhere.

The two have only the file in common: a bundle's posts are signed already (import_bundle.py)."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render

if TYPE_CHECKING:
    from p2pforum.forum.importing import ImportedPost
    from p2pforum.forum.publish import Published


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["bundle", "text", "mbox", "jsonl"]),
    help="What FILE is. Without it, the name and the first bytes of FILE decide.",
)
@click.option(
    "-b",
    "--board",
    default="imported",
    show_default=True,
    callback=options.check_board,
    shell_complete=options.complete_board,
    help="The board to publish on.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@options.as_json
@pass_context
def command(context: Context, file: Path, form: str | None, board: str, dry_run: bool, as_json: bool) -> int:
    """Take in a bundle, or publish a discussion.

    FILE, or - for standard input, is a bundle that `export` wrote. The command checks its posts and
    keeps them as they are. It skips damaged parts. After an interruption run the same command again: it
    goes on.

    Or it is a copied web page with comments (text, up to 4 MiB), a mailbox (mbox, up to 2 GiB) or JSON
    Lines (jsonl, up to 32 MiB), with at most 50,000 posts. Each author becomes a fresh pseudonym in
    each thread. The command leaves out names, addresses and dates. They belong to people who never
    asked to be here.

    The command skips threads that are here already, with the same subject and first text. So after an
    interruption you can run the same command again.
    """
    from p2pforum.app import importing
    from p2pforum.cli.commands.import_bundle import import_bundle
    from p2pforum.forum.importing import NOTICE

    with _opened(file) as opened:
        head = opened.read(importing.HEAD)
        form = form or importing.format_of(file, head)
        if form == importing.BUNDLE:
            return import_bundle(context, file, opened, head, dry_run=dry_run, as_json=as_json)
        posts = importing.parse(file, head, opened, form)
    todo = importing.without_known(context.session, board, posts)
    threads = sum(post.reply_to is None for post in todo)
    console = context.console
    if len(todo) < len(posts):
        known = sum(post.reply_to is None for post in posts) - threads
        of = options.count(len(posts) - len(todo), "post")
        console.note(f"Here already, and skipped: {of} in {options.count(known, 'thread')}.")
    if dry_run:
        return _say_what_would_be(context, board, todo, as_json)
    if not todo:
        if not as_json:  # JSON has one line a post, so none here
            console.print("Nothing to publish.")
        return exit_codes.OK
    console.note(NOTICE)
    return _publish(context, board, todo, as_json)


def _say_what_would_be(context: Context, board: str, todo: "Sequence[ImportedPost]", as_json: bool) -> int:
    console = context.console
    subjects = [post.subject for post in todo if post.reply_to is None]
    if as_json:
        console.json(
            {"board": board, "thread_count": len(subjects), "post_count": len(todo), "subjects": subjects}
        )
        return exit_codes.OK
    for subject in subjects:
        console.print(render.cut(render.line(subject), console.width))
    what = f"{options.count(len(todo), 'post')} in {options.count(len(subjects), 'thread')}"
    console.print(f"{what} would go to #{board}. Nothing was published.")
    return exit_codes.OK


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == Path("-"):
        yield sys.stdin.buffer
        return
    with file.open("rb") as opened:
        yield opened


def _publish(context: Context, board: str, posts: "Sequence[ImportedPost]", as_json: bool) -> int:
    from p2pforum.app.shapes import published_shape
    from p2pforum.app.writing import Writer, review
    from p2pforum.cli.keys import keystore_to_write, say_idle
    from p2pforum.cli.terminal.progress import Progress

    box = keystore_to_write(context)
    say_idle(context, review(context.session, box))  # before: no key that is kept signs any of this
    published: list[Published] = []
    with Progress(context.console, "Importing") as bar, Writer(context.session, box) as writer:

        def show(done: int, of: int) -> None:
            bar.show(done / of, f"{done}/{of} posts")

        for one in writer.publish_import(posts, board, show):
            published.append(one)
            if as_json:
                context.console.json(published_shape(one))
    return _report(context, board, published, writer.node_was_off, as_json)


def _report(
    context: Context, board: str, published: "Sequence[Published]", was_off: bool, as_json: bool
) -> int:
    from p2pforum.app.outbox import has_peer
    from p2pforum.cli.backlog import say_how_long
    from p2pforum.core.verdict import Outcome

    console = context.console
    taken = [p for p in published if p.outcome in (Outcome.STORED, Outcome.DUPLICATE)]
    threads, names = {p.post.thread for p in taken}, {p.name for p in taken}
    if not as_json:
        what = f"{options.count(len(taken), 'post')} in {options.count(len(threads), 'thread')}"
        console.print(f"Published {what} on #{board}, as {options.count(len(names), 'pseudonym')}.")
    if was_off:
        console.note(
            "The node is not running. The posts wait here and leave when it runs; `outbox` shows how soon."
        )
    if taken and not has_peer(context.session):
        say_how_long(context, len(taken))
    unsettled = next((p.unsettled for p in published if p.unsettled), "")
    if unsettled:
        console.note(f"the outbox could not be updated: {unsettled}")
    failed = [p for p in published if p not in taken]
    if failed:
        console.error(f"{len(failed)} posts were not taken: {render.line(failed[0].problem)}")
        refused = any(p.outcome in (Outcome.REFUSED, Outcome.INVALID) for p in failed)
        return exit_codes.REFUSED if refused else exit_codes.FAILURE
    return exit_codes.OK
