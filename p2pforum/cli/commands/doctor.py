"""`p2pforum doctor`: what is wrong here, and what to do about it. The checks are in checks.py."""

from collections import Counter

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import exit_codes, options, render

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> int:
    """Check this installation and say what to do.

    Reads every post here (a million take minutes), unless a node is running. Exit code 1 if anything
    failed.
    """
    from p2pforum.cli.checks import all_checks

    console = context.console
    counts: Counter[str] = Counter()
    found = []
    for finding in all_checks(context):
        counts[finding.level] += 1
        if as_json:
            found.append({"level": finding.level, "check": finding.check, "text": finding.text})
        else:
            level = console.style(f"{finding.level:<4}", _COLORS[finding.level])
            console.print(f"{level}  {finding.check:<11} {render.line(finding.text)}")
    if as_json:
        console.json(found)
    else:
        console.print(
            f"\n{options.count(counts['fail'], 'failure')}, {options.count(counts['warn'], 'warning')}"
        )
    return exit_codes.FAILURE if counts["fail"] else exit_codes.OK
