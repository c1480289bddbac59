"""`p2pforum key restore`: bring back what a backup has."""

from functools import partial
from pathlib import Path

import click

from p2pforum.cli import options
from p2pforum.cli.context import Context, pass_context


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--passphrase-file", metavar="FILE", help="Take the backup's passphrase from FILE.")
@options.as_json
@pass_context
def command(context: Context, file: str, passphrase_file: str | None, as_json: bool) -> None:
    """Bring back what a backup has and this keystore lacks.

    Nothing that is here is taken away or replaced by something older. What you burnt after the backup
    was made comes back, too.
    """
    from dataclasses import asdict

    from p2pforum.cli.keys import keystore_to_write, type_passphrase
    from p2pforum.forum.backup import restore
    from p2pforum.store.keystore import passphrase_in
    from p2pforum.store.keystore_backup import is_encrypted_backup

    is_encrypted_backup(Path(file))  # a file that is no backup makes no keystore
    asked = partial(type_passphrase, "Passphrase of the backup: ")
    passphrase = passphrase_in(Path(passphrase_file)) if passphrase_file else asked
    restored = restore(keystore_to_write(context), Path(file), passphrase)
    if as_json:
        context.console.json(asdict(restored))
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
