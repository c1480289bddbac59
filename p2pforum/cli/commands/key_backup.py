"""`p2pforum key backup`: all that is mine into a file."""

from pathlib import Path

import click

from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options
from p2pforum.core.errors import KeystoreError


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--passphrase-file", metavar="FILE", help="Take the backup's passphrase from FILE.")
@click.option(
    "--no-passphrase", is_flag=True, help="Do not encrypt it: anybody who has the file can read it."
)
@pass_context
def command(context: Context, file: str, passphrase_file: str | None, no_passphrase: bool) -> None:
    """Write all that is yours into a file.

    FILE gets your keys, drafts, petnames, read marks and the posts that your node does not have yet.
    The command asks for a passphrase that encrypts the backup alone. FILE must not exist. `key burn`
    does not destroy backups: delete them yourself.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.terminal.passphrases import type_new
    from p2pforum.forum.backup import back_up
    from p2pforum.keystore.keystore import passphrase_in

    if passphrase_file and no_passphrase:
        raise click.UsageError("--passphrase-file and --no-passphrase contradict each other")
    box = open_keystore(context.session)
    if not box.exists:
        raise KeystoreError("there is no keystore yet, so there is nothing to back up")
    contents = box.read()
    passphrase = None
    if not no_passphrase:
        passphrase = (
            passphrase_in(Path(passphrase_file))() if passphrase_file else type_new("For the backup: ")
        )
        if not passphrase:
            raise KeystoreError("an empty passphrase protects nothing; if you want none, add --no-passphrase")
    back_up(box, Path(file), passphrase)
    what = (
        options.count(len(contents.keys), "key"),
        options.count(len(contents.drafts), "draft"),
        options.count(len(contents.petnames), "petname"),
    )
    context.console.print(f"Backed up {', '.join(what)} to {tilde(Path(file))}.")
    if passphrase is None:
        context.console.warn("no passphrase: anybody who has that file can sign as you")
