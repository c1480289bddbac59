"""Which commands there are. A command's module is imported when it runs: `--help` imports none.

The short texts are here a second time; a test keeps them equal to the commands' own.
"""

import importlib
from typing import Any

import click

# name -> (module of p2pforum.cli.command_list with an attribute `command`, short text)
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Read": {
        "boards": ("boards", "List the boards that are here."),
        "threads": ("threads", "List threads, the latest first."),
        "read": ("read", "Show a thread, or the thread of a post."),
        "search": ("search", "Find posts by their words."),
    },
    "Write": {
        "post": ("post", "Start a thread on a board."),
        "reply": ("reply", "Answer one post or several."),
        "edit": ("edit", "Give a post of yours a new text."),
        "drafts": ("drafts", "List the texts that you wrote and did not publish."),
        "retract": ("retract", "Withdraw a post of yours."),
        "publish": ("publish", "Publish a discussion from elsewhere."),
        "outbox": ("outbox", "Say which posts of yours are public."),
    },
    "Pseudonyms": {
        "key": ("key_group", "Make, show, choose, move and burn your keys."),
        "name": ("name", "Give a pseudonym a name that only you see."),
        "unlock": ("unlock", "Ask for the passphrase now, and not for each post."),
        "lock": ("lock", "Make the agent forget the keystore's key."),
        "passphrase": ("passphrase", "Change the passphrase of the keystore."),
        "prove": ("prove", "Prove that two of your pseudonyms are one person."),
        "check-proof": ("check_proof", "Check the linking proofs in a file or a post."),
        "leak-report": ("leak_report", "Say what peers could learn about your posts."),
    },
    "Node": {
        "run": ("run", "Run the node until it is stopped."),
        "stop": ("stop", "Stop the running node."),
        "status": ("status", "Show what runs and what is kept here."),
        "peers": ("peers", "List the peers that are connected."),
        "sync": ("sync", "Fetch what peers have and this node lacks."),
        "import": ("import_bundle", "Take in a bundle of signed posts."),
        "export": ("export", "Write the posts that are kept here to a bundle."),
        "invite": ("invite", "Make an invite: it names nodes to connect to."),
        "join": ("join", "Accept an invite."),
        "invites": ("invites", "List the invites that you accepted."),
        "pin": ("pin", "Keep a thread whatever its age."),
        "unpin": ("unpin", "Unpin a thread: its age counts again."),
        "demo": ("demo", "Run three nodes on this machine that share a thread."),
    },
    "Set up": {
        "init": ("init", "Make the directories, config and keystore."),
        "doctor": ("doctor", "Check this installation and say what to do."),
        "completion": ("completion", "Print a completion script for a shell."),
        "version": ("version", "Show versions of this program and its parts."),
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
        return command_in(entry[0])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does. If there is no such command, the UsageError also names the command
        with the nearest name.
        """
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
                formatter.write_dl([(name.ljust(10), short) for name, (_, short) in entries.items()])


def command_in(module: str) -> click.Command:
    found: Any = importlib.import_module(f"p2pforum.cli.commands.{module}")
    command: click.Command = found.command
    return command
