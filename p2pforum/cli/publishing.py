"""What `post` and `reply` have in common: publish, say what became of it, and lose no text."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from p2pforum.app.clock import clock_problem
from p2pforum.app.delivery import Delivery
from p2pforum.cli.context import Context
from p2pforum.cli.idle import review
from p2pforum.cli.leak_warnings import warn_of_leaks
from p2pforum.cli.terminal import options
from p2pforum.cli.terminal.compose import Written
from p2pforum.cli.terminal.exit_codes import FAILURE, NO_NODE, OK, REFUSED
from p2pforum.cli.terminal.progress import Progress
from p2pforum.core.errors import NodeUnreachable, P2PForumError, Refused, StoreBusy
from p2pforum.core.post_id import short_id
from p2pforum.core.verdict import Outcome
from p2pforum.forum import drafts
from p2pforum.forum.leak_report import remember
from p2pforum.forum.minting import MintProgress
from p2pforum.forum.outbox import resubmit_outbox
from p2pforum.forum.publish import Published, Publisher
from p2pforum.keystore.contents import Draft
from p2pforum.keystore.keystore import Keystore


@dataclass(frozen=True, slots=True)
class Attempt:
    """One text on its way: `place` is where it goes (forum/drafts.py), `again` the command that goes on.

    `root` (empty for a new thread) and `key` say who will sign, for the check of the text.
    """

    place: str
    subject: str
    body: str
    written: Written
    again: str
    root: bytes = b""
    key: str | None = None


def publish(
    context: Context,
    keystore: Keystore,
    attempt: Attempt,
    act: Callable[[Publisher], Published],
    as_json: bool,
) -> int:
    """Give the exit code. The text becomes a draft if it fails and is nowhere else."""
    params = context.session.config.params
    if context.checks_texts:
        text = _storable(f"{attempt.subject}\n{attempt.body}")
        warn_of_leaks(context, keystore, text, attempt.root, attempt.key)
    with Delivery(context.session) as outlet:
        try:
            if wrong := clock_problem(context.session):
                raise Refused(f"{wrong}; a post would carry its hour, and peers would not keep it")
            resubmit_outbox(keystore, outlet.submit, params)
            with Progress(context.console, "Minting the stamp", quiet_elsewhere=True) as bar:
                publisher = Publisher(
                    keystore,
                    context.session.reader,
                    outlet.submit,
                    params,
                    context.session.now,
                    mint_progress(bar),
                )
                outlet.listen = context.listen  # not for those that waited in the outbox
                published = act(publisher)
        except (P2PForumError, OSError, KeyboardInterrupt) as error:
            _keep_draft(context, keystore, attempt, error)
            raise
        _remember(context, keystore, published, outlet)
        if attempt.written.is_edited and published.outcome in (Outcome.STORED, Outcome.DUPLICATE):
            _drop_draft(context, keystore, attempt.place)
        code = _report(context, published, outlet, attempt, as_json)
    review(context, keystore)  # not before: a key that signs just now does not burn
    return code


def _remember(context: Context, keystore: Keystore, published: Published, outlet: Delivery) -> None:
    """For leak-report. The post is out: nothing here may make it look as if it were not."""
    try:
        remember(keystore, published.post, outlet.spread, context.listen)
    except P2PForumError as error:
        context.console.warn(f"leak-report will not know of this post: {error}")


def mint_progress(bar: Progress) -> MintProgress:
    """Stamps are found by luck: the bar shows how many would have been by now, and never runs out."""
    return lambda tried, expected: bar.show(1 - math.exp(-tried / max(expected, 1)))


def _keep_draft(context: Context, keystore: Keystore, attempt: Attempt, error: BaseException) -> None:
    """Adds to the error what became of the text; what goes wrong here must not take its place."""
    if attempt.written.is_file:
        return
    try:
        with keystore.transaction() as box:
            draft = Draft(_storable(attempt.subject), _storable(attempt.body), context.session.now())
            drafts.save(box, attempt.place, draft)
    except (P2PForumError, OSError) as second:
        error.add_note(f"The text could not be kept as a draft: {second}")
    else:
        error.add_note(_kept(attempt))


def _storable(text: str) -> str:
    """What was no UTF-8 when it was read, with marks where it was not."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _kept(attempt: Attempt) -> str:
    return f"The text is kept as a draft; to go on: {attempt.again}"


def _drop_draft(context: Context, keystore: Keystore, place: str) -> None:
    try:
        if place in keystore.read().drafts:
            with keystore.transaction() as box:
                drafts.drop(box, place)
    except (P2PForumError, OSError) as error:  # the post is out: no failure
        context.console.note(f"The draft is still there: {error}")


def _report(context: Context, published: Published, outlet: Delivery, attempt: Attempt, as_json: bool) -> int:
    post, console = published.post, context.console
    if as_json:
        console.json(options.published_json(published) | {"node": not outlet.node_was_off})
    if published.outcome in (Outcome.REFUSED, Outcome.INVALID):
        console.error(f"refused: {published.problem}")
        console.note(_unsettled(published) if published.unsettled else _kept(attempt))
        return REFUSED
    if published.outcome in (None, Outcome.TOO_EARLY):
        console.error(published.problem or "dated in the future; look at this machine's clock")
        console.note("The post is signed and waits in the outbox; your next post hands it in again.")
        return NO_NODE if isinstance(outlet.failure, (NodeUnreachable, StoreBusy)) else FAILURE
    if not as_json:
        where = f"on #{post.payload.board}" if post.is_root else f"in {short_id(post.thread)}"
        console.print(f"Posted {console.style(short_id(post.id), 'bold')} {where} as {published.name}.")
    if outlet.node_was_off:
        console.note("node not running; kept here, it goes out when the node runs: outbox says how soon")
    if published.unsettled:
        console.note(f"Posted; {_unsettled(published)}")
    return OK


def _unsettled(published: Published) -> str:
    return (
        f"the outbox could not be updated: {published.unsettled}\n"
        "Don't write it again: your next post hands it in once more, which does no harm."
    )
