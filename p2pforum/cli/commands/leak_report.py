"""`p2pforum leak-report`: what peers could learn about my posts."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import ids, options
from p2pforum.cli.terminal.times import ago
from p2pforum.core.errors import NotFound

if TYPE_CHECKING:
    from p2pforum.forum.leak_report import SentReport


@click.command()
@click.argument("post_id", metavar="[POST]", required=False)
@options.limit
@options.as_json
@pass_context
def command(context: Context, post_id: str | None, limit: int, as_json: bool) -> None:
    """Say what peers could learn about your posts.

    POST is the beginning of a post's ID. Without it, the report is about your last posts. The node
    counted the peers when it took the post. Only your keystore has the counts, and they burn with the
    key.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum import leak_report

    box = open_keystore(context.session).read()
    if post_id is None:
        found = leak_report.all_left(box)[:limit]
        if not found:
            raise NotFound("none of your posts left while a node ran, or you burnt their keys")
    else:
        found = [leak_report.left(box, context.session.reader.resolve(post_id))]
    if as_json:
        from p2pforum.app.result_shapes import LeakReportShape, left_shape

        report: LeakReportShape = {"posts": [*map(left_shape, found)], "always": dict(leak_report.ALWAYS)}
        context.console.json(report)
        return
    for left in found:
        _print(context, left, in_full=post_id is not None)
    context.console.print("\nWhat your node tells every connected peer, whether or not you wrote anything:")
    for what, told in leak_report.ALWAYS:
        context.console.print(f"  {context.console.style(what, 'bold')}: {told}")


def _print(context: Context, left: "SentReport", *, in_full: bool) -> None:
    from p2pforum.forum.leak_report import what_it_tells

    sent = left.sent
    title = f"{ids.show(context, left.post_id)}  {ago(sent.hour, context.session.now())}"
    if in_full:
        context.console.print(title)
        for line in what_it_tells(sent):
            context.console.print(f"  {line}")
        return
    heard = f", told to {sent.told}, offered back by {sent.heard} in {sent.seconds} s" if sent.seconds else ""
    context.console.print(f"{title}  handed to {options.count(sent.handed, 'peer')}{heard}")
