"""What commands that write have in common: ask, show progress, and print what became of the post."""

import math
from collections.abc import Callable

from p2pforum.app.shapes import written_shape
from p2pforum.app.writing import REFUSED, Done, Writer
from p2pforum.cli.asking import Attempt, kept, say_kept, settle
from p2pforum.cli.context import Context
from p2pforum.cli.drafting import NO_TEXT, Text
from p2pforum.cli.keys import say_idle
from p2pforum.cli.terminal import exit_codes
from p2pforum.cli.terminal.progress import Progress
from p2pforum.core.kinds import Meaning
from p2pforum.core.post_id import short_id
from p2pforum.core.verdict import Outcome
from p2pforum.forum.minting import MintProgress
from p2pforum.forum.publish import Published
from p2pforum.keystore.keystore import Keystore

_DONE = {Meaning.EDITS: "Edited", Meaning.WITHDRAWS: "Withdrew"}


def publish(
    context: Context,
    keystore: Keystore,
    attempt: Attempt,
    act: Callable[[Writer, Text], Done],
    as_json: bool,
) -> int:
    """Ask if there is reason to, publish, print what became of it, and return the exit code. `act` is given
    the text as it is after the question.
    """
    text = settle(context, keystore, attempt)
    return carry_out(context, keystore, lambda writer: act(writer, text), as_json, text)


def carry_out(
    context: Context,
    keystore: Keystore,
    act: Callable[[Writer], Done],
    as_json: bool,
    text: Text = NO_TEXT,
) -> int:
    """Sign and hand in, print what became of it, and return the exit code. `text` is the one that is
    published, if there is one.
    """
    with Progress(context.console, "Minting the stamp", quiet_elsewhere=True) as bar:
        progress = mint_progress(bar)
        writer = Writer(context.session, keystore, draft=text.draft, progress=progress, listen=context.listen)
        with writer:
            try:
                done = act(writer)
            except BaseException as error:
                say_kept(error, text)
                raise
    code = _report(context, done, text, as_json)
    say_idle(context, done.idle)
    return code


def mint_progress(bar: Progress) -> MintProgress:
    """Stamps are found by luck. The bar shows how many would be found by now on average, and
    never ends by itself.
    """
    return lambda tried, expected: bar.show(1 - math.exp(-tried / max(expected, 1)))


def _report(context: Context, done: Done, text: Text, as_json: bool) -> int:
    published, console = done.published, context.console
    if done.unremembered:
        console.warn(f"leak-report can't report on this post: {done.unremembered}")
    if done.undropped:
        console.note(f"The draft is still there: {done.undropped}")
    if as_json:
        console.json(written_shape(done))
    if published.outcome in REFUSED:
        console.error(f"refused: {published.problem}")
        if published.unsettled or text.draft is not None:
            console.note(_unsettled(published) if published.unsettled else kept(text))
        return exit_codes.REFUSED
    if published.outcome in (None, Outcome.TOO_EARLY):
        console.error(published.problem or "dated in the future; look at this machine's clock")
        console.note(
            "The post is signed and waits in the outbox. Your next post makes the program try again."
        )
        return exit_codes.NO_NODE if done.is_nobody_there else exit_codes.FAILURE
    if not as_json:
        _say_posted(context, published)
    if done.node_was_off:
        console.note(
            "The node is not running. The post waits here and leaves when it runs; `outbox` shows how soon."
        )
    if published.unsettled:
        console.note(f"Posted; {_unsettled(published)}")
    return exit_codes.OK


def _say_posted(context: Context, published: Published) -> None:
    post = published.post
    where = f"on #{post.payload.board}" if post.is_root else f"in {short_id(post.thread)}"
    done = _DONE.get(post.meaning, "Posted") if post.meaning else "Posted"
    shown = context.console.style(short_id(post.target or post.id), "bold")
    context.console.print(f"{done} {shown} {where} as {published.name}.")


def _unsettled(published: Published) -> str:
    return (
        f"the outbox could not be updated: {published.unsettled}\n"
        "Don't write it again. Your next post hands this one in once more, which does no harm."
    )
