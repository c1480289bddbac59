"""`p2pforum version`: the versions that a bug report should name."""

import platform

import click

from p2pforum import __version__
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options

_PARTS = ("libp2p", "trio", "pynacl", "cbor2", "sqlite-utils", "h11", "click")


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """Show versions of this program and its parts."""
    import sqlite3

    versions = {
        "p2pforum": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    versions |= {part: _version_of(part) for part in _PARTS}
    if as_json:
        context.console.json(versions)
        return
    for name, version in versions.items():
        context.console.print(f"{name:<14}{version}")


def _version_of(distribution: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
