"""`p2pforum passphrase`: give the keystore a passphrase, another, or none."""

from pathlib import Path

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.core.errors import KeystoreError


@click.command()
@click.option("--new-file", metavar="FILE", help="Take the new passphrase from FILE instead of asking.")
@click.option("--remove", is_flag=True, help="Have none: anybody who can read the file can sign as you.")
@pass_context
def command(context: Context, new_file: str | None, remove: bool) -> None:
    """Change the passphrase of the keystore.

    The command asks for the present passphrase, or takes it from the file that P2PFORUM_PASSPHRASE_FILE
    names. It does so even while the keystore is unlocked. Backups keep the passphrase that they were
    made with.
    """
    from p2pforum.agent.client import lock
    from p2pforum.app.unlocking import open_keystore

    if new_file is not None and remove:
        raise click.UsageError("--new-file and --remove contradict each other")
    box = open_keystore(context.session, with_agent=False)
    box.read()  # asks for the present one first, as users expect
    if not box.exists:
        raise KeystoreError(f"there is no keystore yet; {context.command('init')} makes one")
    box.change_passphrase(None if remove else _new(new_file))
    lock(box.path)
    if remove:
        context.console.warn(
            "no passphrase: anybody who reads that file can sign as you, and prove what you wrote"
        )
    context.console.print("The passphrase is gone." if remove else "The passphrase is changed.")


def _new(file: str | None) -> bytes:
    from p2pforum.cli.terminal.passphrases import type_new
    from p2pforum.keystore.keystore import passphrase_in

    typed = passphrase_in(Path(file))() if file else type_new("New passphrase: ")
    if not typed:
        raise KeystoreError("an empty passphrase protects nothing; if you want none, add --remove")
    return typed
