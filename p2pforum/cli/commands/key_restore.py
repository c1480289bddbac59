"""`p2pforum key restore`: bring back the contents of a backup."""

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options

if TYPE_CHECKING:
    from p2pforum.keystore.keystore import Keystore, Passphrase


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--passphrase-file", metavar="FILE", help="Take the backup's passphrase from FILE.")
@options.as_json
@pass_context
def command(context: Context, file: str, passphrase_file: str | None, as_json: bool) -> None:
    """Bring back what a backup has and this keystore lacks.

    What is in this keystore stays, and nothing older replaces it. Keys that you burnt after the backup
    was made come back, too. If there is no keystore yet, a new one gets the backup's passphrase.
    """
    from p2pforum.app.result_shapes import restored_shape
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.terminal.passphrases import type_passphrase
    from p2pforum.forum.backup import restore
    from p2pforum.keystore.keystore import passphrase_in

    asked = partial(type_passphrase, "Passphrase of the backup: ")
    passphrase = cache(passphrase_in(Path(passphrase_file)) if passphrase_file else asked)
    box = open_keystore(context.session)
    if not box.exists:
        _make(context, box, Path(file), passphrase)
    restored = restore(box, Path(file), passphrase)
    if as_json:
        context.console.json(restored_shape(restored))
        return
    what = [
        options.count(number, unit)
        for number, unit in (
            (restored.keys, "key"),
            (restored.drafts, "draft"),
            (restored.petnames, "petname"),
            (restored.outbox, "unsent post"),
        )
        if number
    ]
    if restored.threads:
        what.append(f"read marks of {options.count(restored.threads, 'thread')}")
    context.console.print(f"Brought back {', '.join(what)}." if what else "Nothing was missing.")


def _make(context: Context, box: "Keystore", file: Path, passphrase: "Passphrase") -> None:
    """Make a keystore with the backup's passphrase, so that sealed contents are never written in plain.
    Raises WrongPassphrase, KeystoreError.
    """
    from p2pforum.keystore.backup import is_encrypted_backup, read_backup

    is_sealed = is_encrypted_backup(file)
    read_backup(file, passphrase)
    box.create(passphrase() if is_sealed else None)
    how = "with the backup's passphrase" if is_sealed else "without a passphrase"
    context.console.note(f"Made a keystore {how}: {tilde(box.path)}")
