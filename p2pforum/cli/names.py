"""What the user calls others, for every command that shows pseudonyms."""

from typing import TYPE_CHECKING

from p2pforum.cli.context import Context
from p2pforum.cli.terminal import render
from p2pforum.core.pseudonym import name_of

if TYPE_CHECKING:
    from p2pforum.keystore.contents import Contents


def contents_to_show(context: Context) -> "Contents | None":
    """Petnames and which posts are mine. None, and a note that says so, if that needs a passphrase."""
    if not context.session.paths.keystore_file.exists():
        return None  # this saves 10 ms of imports
    from p2pforum.cli.keys import contents_without_asking

    return contents_without_asking(context)


def called(contents: "Contents | None", root: bytes, key: bytes) -> str:
    """My name for a pseudonym, or the one drawn from its key; no petname looks like a drawn one."""
    petname = contents.petname(root, key) if contents else ""
    return render.line(petname) or name_of(key, root)
