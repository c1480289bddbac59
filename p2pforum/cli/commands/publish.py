"""`p2pforum publish`: a discussion from elsewhere, as posts of fresh pseudonyms."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, questions, render
from p2pforum.forum.params import FORMATS

if TYPE_CHECKING:
    from p2pforum.app.archives import Plan
    from p2pforum.forum.importing import ImportedPost
    from p2pforum.forum.publish import Published

_MOST = 10  # threads shown by their first lines


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
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
@click.option("--again", is_flag=True, help="Publish threads that are here already a second time.")
@click.option("--without-dates", is_flag=True, help="Leave out the days that the source claims.")
@click.option("--dry-run", is_flag=True, help="Say what would be published, and publish nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options.as_json
@pass_context
def command(
    context: Context,
    file: Path,
    form: str | None,
    board: str,
    again: bool,
    without_dates: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Publish a discussion from elsewhere.

    FILE, or - for standard input, is a web page with comments, copied as text (up to 4 MiB), a mailbox
    (mbox, up to 2 GiB), one mail, or JSON Lines (up to 32 MiB), with at most 50,000 posts. The command shows
    what it would publish, and asks.

    Each author becomes a fresh pseudonym in each thread. The command leaves out deleted mails, copies,
    attachments, signatures, headers and lines that say who wrote what, and says how many. It says in how many
    posts it still found a mail address, a telephone number and the like: look at them. They belong to people
    who never asked to be here.

    The command skips threads that are here already. So after an interruption you can run it again.
    """
    from p2pforum.app import archives
    from p2pforum.cli.asking import say_new_board
    from p2pforum.forum.importing import NOTICE

    with _opened(file) as opened:
        head = opened.read(archives.HEAD)
        form = form or archives.format_of(file, head)
        found = archives.parse(file, head, opened, form)
    plan = archives.plan(context.session, board, found, with_dates=not without_dates, again=again)
    if dry_run and as_json:
        from p2pforum.app.result_shapes import plan_shape

        context.console.json(plan_shape(plan, board))
        return exit_codes.OK
    _show(context, plan, board, context.console.print if dry_run else context.console.note)
    if dry_run:
        context.console.print("Nothing was published.")
    elif not plan.posts:
        if not as_json:  # in JSON it is one line a post, so none
            context.console.print("Nothing to publish.")
    else:
        context.console.note(NOTICE)
        say_new_board(context, board)
        if not yes:
            questions.confirm("Publish this? It can't be undone once it has left")
        return _publish(context, board, plan.posts, as_json)
    return exit_codes.OK


def _show(context: Context, plan: "Plan", board: str, say: Callable[[str], None]) -> None:
    """What goes out, what does not, and what in it may name people."""
    console = context.console

    def line(text: str) -> str:
        return render.cut(render.line(text), console.width - 4)

    firsts = [post for post in plan.posts if post.reply_to is None]
    if firsts:
        say(f"{_of(len(plan.posts), len(firsts))} for #{board}:")
    for post in firsts[:_MOST]:
        say(f"  {line(post.subject)}")
        say(f"    {line(post.body.lstrip().partition(chr(10))[0])}")
    if len(firsts) > _MOST:
        say(f"  and {options.count(len(firsts) - _MOST, 'thread')} more")
    if plan.left_out:
        what = ", ".join(options.count(n, kind) for kind, n in sorted(plan.left_out.items()))
        say(f"Left out: {what}.")
    if plan.known_posts:
        say(f"Here already, and skipped: {_of(plan.known_posts, plan.known_threads)}.")
    for subject, news in plan.grown[:_MOST]:
        say(
            f"{options.count(news, 'post')} of the file are new and can't be added to a thread that is here, "
            f"because the keys of its authors are gone: {line(subject)}\n"
            "  `--again` publishes the whole thread a second time."
        )
    if plan.finds:
        console.warn("the texts may name people or machines (only you see this; look before you publish)")
    for kind, (posts, place) in plan.finds.items():
        say(f"  {kind}, in {options.count(posts, 'post')}: {line(place)}")


def _of(posts: int, threads: int) -> str:
    return f"{options.count(posts, 'post')} in {options.count(threads, 'thread')}"


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
    with Progress(context.console, "Publishing") as bar, Writer(context.session, box) as writer:

        def show(done: int, of: int) -> None:
            bar.show(done / of, f"{done}/{of} posts")

        try:
            for one in writer.publish_import(posts, board, show):
                published.append(one)
                if as_json:
                    context.console.json(published_shape(one))
        except KeyboardInterrupt as error:
            error.add_note(
                f"{len(published)} of {len(posts)} posts are out; run the command again for the rest"
            )
            raise
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
        names_of = options.count(len(names), "pseudonym")
        console.print(f"Published {_of(len(taken), len(threads))} on #{board}, as {names_of}.")
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
