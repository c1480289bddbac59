"""Which commands there are. A command's module is imported when it runs: `--help` imports none.

The short texts stand here a second time; a test keeps them equal to the commands' own.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """`module` is in this package and has an attribute `command`."""

    module: str
    short: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Read": {
        "boards": Entry("boards", "List the boards that are here."),
        "threads": Entry("threads", "List threads, the latest first."),
        "read": Entry("read", "Show a thread, or the thread of a post."),
        "search": Entry("search", "Find posts by their words."),
    },
    "Write": {
        "post": Entry("post", "Start a thread on a board."),
        "reply": Entry("reply", "Answer a post."),
        "import": Entry("import_file", "Publish a discussion from a file."),
    },
    "Node": {
        "run": Entry("run", "Run the node until it is stopped."),
        "stop": Entry("stop", "Stop the running node."),
        "status": Entry("status", "Show what runs and what is kept here."),
        "peers": Entry("peers", "List the peers that are connected."),
        "sync": Entry("sync", "Fetch what peers have and this node lacks."),
        "demo": Entry("demo", "Show three nodes on this machine share a thread."),
    },
    "Set up": {
        "init": Entry("init", "Make the directories, config and keystore."),
        "doctor": Entry("doctor", "Check this installation and say what to do."),
        "completion": Entry("completion", "Print a completion script for a shell."),
        "version": Entry("version", "Show versions of this program and its parts."),
    },
}
ENTRIES = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        return command_of(entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], ENTRIES, 1)
            hint = f' Did you mean "{near[0]}"?' if near else " See p2pforum --help."
            raise click.UsageError(error.message + hint, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, entries in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(10), entry.short) for name, entry in entries.items()])


def command_of(entry: Entry) -> click.Command:
    module: Any = importlib.import_module(f"p2pforum.cli.{entry.module}")
    command: click.Command = module.command
    return command
