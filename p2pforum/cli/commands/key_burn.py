"""`p2pforum key burn`: destroy keys, and all that says here that they were mine."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, questions
from p2pforum.cli.terminal.exit_codes import FAILURE, OK
from p2pforum.core.post_id import short_id

if TYPE_CHECKING:
    from p2pforum.forum.burning import BurnReport, Choice
    from p2pforum.forum.scanning import Scan
    from p2pforum.keystore.keystore import Keystore

_MOST = 100  # places listed; --json lists all


@dataclass(frozen=True, slots=True)
class BurnArguments:
    """The arguments, as the user typed them."""

    key: str | None
    thread: str | None
    everything: bool
    reveal: bool
    dry_run: bool
    look_in: tuple[str, ...]
    yes: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What to burn: `what` in words, `key` if it is a single one."""

    choose: "Choice"
    what: str
    key: bytes = b""


@click.command()
@click.argument("key", metavar="[KEY]", required=False)
@click.option("--thread", metavar="ID", help="The keys made for this thread, and every trace of you in it.")
@click.option("--everything", is_flag=True, help="All keys, drafts, read marks and petnames.")
@click.option("--reveal", is_flag=True, help="First publish the key's secret. Then anybody can sign with it.")
@click.option(
    "--dry-run", is_flag=True, help="Change nothing; list each place that holds what would be burnt."
)
@click.option("--look-in", metavar="PATH", multiple=True, help="Search this file or directory, too.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@options.as_json
@pass_context
def command(context: Context, /, **typed: Any) -> int:
    """Destroy keys and all traces of them here.

    With a key you destroy the drafts, outbox, read marks and petnames of its threads, and its posts
    that are not sent yet. Then the command searches every file for what should be gone. It lists what
    it finds, and then the exit code is 1. "maybe" marks a file that the search can't look into: an
    encrypted backup. Posts that were sent stay where the network has them.

    \b
    p2pforum key burn --dry-run heron
    p2pforum key burn --thread k7q2mf0a
    p2pforum key burn --everything
    """
    from p2pforum.app.result_shapes import scan_shape
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.forum.burning import rehearse

    arguments = BurnArguments(**typed)
    box = open_keystore(context.session)
    target = _target(context, box, arguments)
    paths = _paths(context, arguments.look_in)
    if arguments.dry_run:
        found = rehearse(box, target.choose, context.session.reader, paths)
        if arguments.as_json:
            context.console.json(scan_shape(found))
        else:
            _print_scan(context, found)
        return OK
    if not arguments.yes:
        questions.confirm(f"Burn {target.what}? It can't be undone")
    return _burn(context, box, target, paths, arguments)


def _target(context: Context, box: "Keystore", arguments: BurnArguments) -> Target:
    from p2pforum.forum import burning
    from p2pforum.forum.keys import find_key, find_thread

    if sum(map(bool, (arguments.key, arguments.thread, arguments.everything))) != 1:
        raise click.UsageError("say what to burn: a KEY, --thread ID or --everything")
    if arguments.reveal and not arguments.key:
        raise click.UsageError(
            "--reveal takes one key: if you reveal several at once, others can tell that one person had them"
        )
    contents = box.read()
    if arguments.key:
        key = find_key(contents, arguments.key)
        name = f'the pseudonym "{key.name}"' if key.name else f"the key {short_id(key.public)}"
        return Target(burning.the_key(key.public), name, key.public)
    if arguments.thread:
        root = find_thread(contents, arguments.thread, context.session.reader)
        return Target(burning.the_thread(root), f"every trace of you in the thread {short_id(root)}")
    return Target(burning.everything, f"all {options.count(len(contents.keys), 'key')} and everything else")


def _paths(context: Context, look_in: tuple[str, ...]) -> list[Path]:
    """The directories where p2pforum writes, and where a killed editor may have left a text."""
    from p2pforum.cli.terminal.desk import leftovers

    paths = context.session.paths
    ours = [paths.home] if paths.home else [paths.data_dir, paths.keys_dir, paths.config_file.parent]
    return [*ours, *leftovers(os.environ), *map(Path, look_in)]


def _burn(
    context: Context, box: "Keystore", target: Target, paths: list[Path], arguments: BurnArguments
) -> int:
    from p2pforum.app.delivery import TraceRemover
    from p2pforum.app.result_shapes import burn_shape
    from p2pforum.forum.burning import burn

    revealed = _reveal(context, box, target.key) if arguments.reveal else b""
    burnt = burn(box, target.choose, context.session.reader, paths, TraceRemover(context.session), revealed)
    if arguments.as_json:
        context.console.json(burn_shape(burnt))
    else:
        _print_burnt(context, burnt)
    if burnt.problem:
        context.console.error(f"unsent posts are still in the store: {burnt.problem}")
    is_left = any(finding.is_certain for finding in burnt.scan.findings)
    return FAILURE if burnt.problem or is_left or burnt.scan.unread else OK


def _reveal(context: Context, box: "Keystore", public: bytes) -> bytes:
    """Publish the secret; returns the ID of that post. Raises Refused if no node or store
    took it. Then no key is burnt.
    """
    from p2pforum.app.writing import Writer
    from p2pforum.cli.publishing import mint_progress
    from p2pforum.cli.terminal.progress import Progress

    with (
        Progress(context.console, "Minting the stamp", quiet_elsewhere=True) as bar,
        Writer(context.session, box, progress=mint_progress(bar)) as writer,
    ):
        return writer.reveal(public)


def _print_burnt(context: Context, burnt: "BurnReport") -> None:
    parts = [
        options.count(number, unit)
        for number, unit in (
            (burnt.keys, "key"),
            (burnt.drafts, "draft"),
            (burnt.outbox + burnt.unsent, "unsent post"),
        )
    ]
    context.console.print(f"Burnt {', '.join(parts)}; traces of {options.count(burnt.threads, 'thread')}.")
    _print_scan(context, burnt.scan)


def _print_scan(context: Context, found: "Scan") -> None:
    console = context.console
    for finding in found.findings[:_MOST]:
        if finding.is_certain:
            place = f"{tilde(finding.path)} at {finding.offset}"
            console.print(f"found  {place}: {finding.what} ({finding.size} bytes)")
        else:
            console.print(f"maybe  {tilde(finding.path)}: {finding.what}")
    if len(found.findings) > _MOST:
        console.print(f"and {len(found.findings) - _MOST} more; --json lists all")
    for path in found.unread:
        console.print(f"unread {tilde(path)}")
    looked = f"Looked at {options.count(found.files, 'file')}, {found.size / 1_000_000:.1f} MB"
    certain = sum(finding.is_certain for finding in found.findings)
    console.print(f"{looked}: found in {options.count(certain, 'place')}.")
