"""From arguments to an exit code: the entry point `p2pforum`.

Imports only click and the standard library; each command imports what it needs.
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from p2pforum import __version__
from p2pforum.app.session import Session
from p2pforum.cli.command_list import LazyGroup
from p2pforum.cli.context import Context
from p2pforum.cli.terminal.console import Console
from p2pforum.cli.terminal.exit_codes import (
    FAILURE,
    INTERRUPTED,
    NO_NODE,
    NOT_FOUND,
    NOT_SET_UP,
    OK,
    REFUSED,
    USAGE,
    sentence,
)
from p2pforum.cli.terminal.passphrases import ask_once
from p2pforum.cli.terminal.standard_streams import open_missing
from p2pforum.core import errors

_RARELY = 100_000  # objects: a command that ends at once makes little garbage; `run` sets it back

_CODES: list[tuple[type[Exception], int]] = [
    (errors.NotFound, NOT_FOUND),
    (errors.Ambiguous, NOT_FOUND),
    (errors.NodeUnreachable, NO_NODE),
    (errors.Refused, REFUSED),
    (errors.InvalidPost, REFUSED),
    (errors.ConfigError, USAGE),
    (errors.InvalidQuery, USAGE),
]


@click.group(
    cls=LazyGroup,
    epilog=sentence(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--home", metavar="DIR", help="Keep everything under DIR (as P2PFORUM_HOME).")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colour: auto looks at NO_COLOR, CLICOLOR_FORCE and the terminal.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _param, wanted: _print_version(ctx) if wanted else None,
    help="Show the version.",
)
@click.pass_obj
def cli(context: Context, home: str | None, color: str) -> None:
    """Pseudonymous discussion boards, kept by the people who use them."""
    if home == "":
        raise click.BadParameter("the name of the directory is empty", param_hint="--home")
    context.session, context.console = Session(home, ask=ask_once), Console(color)


def _print_version(ctx: click.Context) -> None:
    print(f"p2pforum {__version__}")
    ctx.exit()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code. Output streams are flushed first; if that
    fails, the code is FAILURE. `arguments` are those of the process by default.
    """
    gc.set_threshold(_RARELY)
    open_missing()
    os.umask(0o077)  # files of this program are for this user alone
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    code = run(sys.argv[1:] if arguments is None else arguments)
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader is gone, or the disk is full
            code = code or FAILURE
    os._exit(code)  # a command has closed what it opened; Python's own cleaning up would cost 10 ms


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; prints errors on standard error."""
    context = Context()
    try:
        return _run(arguments, context)
    finally:
        context.session.close()


def _run(arguments: Sequence[str], context: Context) -> int:
    try:
        result = cli.main(list(arguments), prog_name="p2pforum", standalone_mode=False, obj=context)
        return result if isinstance(result, int) else OK
    except SystemExit:  # click's sign that the reader is gone (`p2pforum threads | head`)
        return FAILURE
    except (click.ClickException, click.exceptions.Abort) as error:
        return _explain_click(error, context)
    except errors.P2PForumError as error:
        return _explain(error, context)
    except ModuleNotFoundError as error:
        context.console.error(f'the Python package "{error.name}" is missing; the README says how to install')
        return NOT_SET_UP
    except OSError as error:
        context.console.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        _say_notes(error, context)
        return FAILURE
    except Exception as error:
        if os.environ.get("P2PFORUM_DEBUG"):
            raise
        context.console.error(f"a bug in p2pforum: {type(error).__name__}")  # its text might hold a secret
        context.console.note(
            "Run it again with P2PFORUM_DEBUG=1 for details. "
            "They may hold private text: read them before you share them."
        )
        return FAILURE


def _say_notes(error: BaseException, context: Context) -> None:
    """What a command added to the error on its way: for example, what became of the text."""
    for note in getattr(error, "__notes__", []):
        context.console.note(note)


def _explain_click(error: Exception, context: Context) -> int:
    if isinstance(error, click.ClickException):
        with suppress(OSError):  # the reader is gone
            error.show()
        _say_notes(error, context)
        return error.exit_code
    cause = error.__cause__ or error
    is_interrupt = isinstance(cause, KeyboardInterrupt)
    if is_interrupt:
        context.console.note("interrupted")
    else:
        context.console.error("the input ended")
    _say_notes(cause, context)
    return INTERRUPTED if is_interrupt else FAILURE


def _explain(error: errors.P2PForumError, context: Context) -> int:
    from p2pforum.cli.terminal import render

    context.console.error(render.line(str(error)))
    if isinstance(error, errors.Ambiguous):
        for candidate in error.candidates:
            context.console.note("  " + render.line(candidate))
    if isinstance(error, errors.NodeUnreachable):
        context.console.note(f"start it in another terminal: {context.command('run')}")
    _say_notes(error, context)
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILURE)
