"""`p2pforum init`: make the files that the other commands would make by themselves, with a passphrase."""

import os

import click

from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context


@click.command()
@click.option("--no-passphrase", is_flag=True, help="Do not ask for a passphrase.")
@pass_context
def command(context: Context, no_passphrase: bool) -> None:
    """Make the directories, config and keystore.

    The command asks for a passphrase, or takes it from the file that P2PFORUM_PASSPHRASE_FILE names. It
    keeps files that exist already. If the keystore has no passphrase yet, you can set one.
    """
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.config import config_template

    paths, console = context.session.paths, context.console
    paths.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if paths.config_file.exists():
        console.print(f"Kept   config    {tilde(paths.config_file)}")
    else:
        paths.config_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths.config_file.write_text(config_template(), encoding="utf-8")
        console.print(f"Made   config    {tilde(paths.config_file)}")
    box = open_keystore(context.session)
    if box.exists and (box.is_encrypted or no_passphrase):
        console.print(f"Kept   keystore  {tilde(box.path)}")
    else:
        existed = box.exists
        passphrase = None if no_passphrase else _ask_for_new()
        if not existed:
            box.create(passphrase)
        elif passphrase is not None:
            box.change_passphrase(passphrase)
        done = "Kept " if existed and passphrase is None else "Sealed" if existed else "Made "
        console.print(f"{done:<6} keystore  {tilde(box.path)}")
        if passphrase is None:
            console.warn(
                "no passphrase: anybody who reads that file can sign as you, and prove what you wrote"
            )
    console.print(
        f"\nNext: {context.command('run')} in one terminal, {context.command('post BOARD')} in another."
    )


def _ask_for_new() -> bytes | None:
    """None if the user types an empty one, or if there is no terminal."""
    from p2pforum.cli.terminal.passphrases import has_terminal, type_new
    from p2pforum.keystore.keystore import passphrase_from_environment

    from_file = passphrase_from_environment(os.environ)
    if from_file is not None:
        return from_file()
    return type_new("New passphrase (empty for none): ") if has_terminal() else None
