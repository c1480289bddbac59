"""`p2pforum key`: which commands it has. Each is imported when it runs."""

import click

from p2pforum.cli.command_list import command_in

# name -> (module, short text)
ENTRIES: dict[str, tuple[str, str]] = {
    "list": ("key_list", "List your keys, the last used first."),
    "show": ("key_show", "Show one of your keys, and how others see it."),
    "new": ("key_new", "Make a named pseudonym, for more than one thread."),
    "use": ("key_use", "Speak as this pseudonym in a thread from now on."),
    "keep": ("key_keep", "Keep a key however long it is idle."),
    "export": ("key_export", "Print a key as one line of text."),
    "import": ("key_import", "Take in an exported key."),
    "backup": ("key_backup", "Write all that is yours into a file."),
    "restore": ("key_restore", "Bring back what a backup has and this keystore lacks."),
    "burn": ("key_burn", "Destroy keys and all traces of them here."),
}


class KeyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = ENTRIES.get(cmd_name)
        return None if entry is None else command_in(entry[0])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name.ljust(7), short) for name, (_, short) in ENTRIES.items()])


@click.group(cls=KeyGroup)
def command() -> None:
    """Make, show, choose, move and burn your keys.

    Each new thread gets its own key automatically. You need none of these commands for that. KEY is the
    name of a pseudonym, or the beginning of a key or of a thread that it speaks in.
    """
