"""`p2pforum doctor`: what is wrong here, and what to do about it. The checks are in app/checks.py."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render
from p2pforum.core.errors import P2PForumError

if TYPE_CHECKING:
    from p2pforum.app.session import Session
    from p2pforum.app.status_shapes import FindingShape

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> int:
    """Check this installation and say what to do.

    Unless a node is running, the command reads every post that is kept here; a million posts take
    minutes. The exit code is 1 if a check failed.
    """
    from p2pforum.app.checks import all_checks

    console = context.console
    counts: Counter[str] = Counter()
    found: list[FindingShape] = []
    for finding in all_checks(context.session, {"editor": _editor}):
        counts[finding.level] += 1
        text = f"{finding.text}; run: {context.command(finding.command)}" if finding.command else finding.text
        if as_json:
            found.append({"level": finding.level, "check": finding.check, "text": text})
        else:
            level = console.style(f"{finding.level:<4}", _COLORS[finding.level])
            console.print(f"{level}  {finding.check:<11} {render.line(text)}")
    if as_json:
        console.json(found)
    else:
        console.print(
            f"\n{options.count(counts['fail'], 'failure')}, {options.count(counts['warn'], 'warning')}"
        )
    return exit_codes.FAILURE if counts["fail"] else exit_codes.OK


def _editor(session: "Session") -> Iterator[tuple[str, str]]:
    from p2pforum.cli.terminal.desk import count_desks, private_parent
    from p2pforum.cli.terminal.editor import editor_command, side_files

    if cut_short := count_desks(str(session.paths.keys_dir)):
        yield "warn", f"{options.count(cut_short, 'text')} whose writing was cut short: `drafts` keeps it"
    try:
        command, warning = editor_command(os.environ), side_files(os.environ)
    except P2PForumError as error:
        yield "warn", str(error)
        return
    if private_parent(os.environ) is None:
        yield "warn", "this machine has no directory in memory: while you edit, your text is on a disk"
    elif warning:
        yield "warn", warning
    else:
        yield "ok", f"{command[0]}; the text that you edit stays in memory"
