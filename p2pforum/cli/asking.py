"""The moment before a text is signed: the user sees what it may give away and whether its board is new here,
and decides.
"""

import sys
from dataclasses import dataclass

from p2pforum.app.drafting import storable
from p2pforum.app.reading import nearest_boards
from p2pforum.cli.context import Context
from p2pforum.cli.drafting import Place, Text, keep, rewrite
from p2pforum.cli.leak_warnings import warn_of_leaks
from p2pforum.cli.terminal import questions
from p2pforum.cli.terminal.compose import NothingWritten
from p2pforum.keystore.keystore import Keystore

_INSTEAD = "add --yes to post it all the same"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One text that the user wants to publish.

    `root` (empty for a new thread) and `key` say which key will sign, for the check of the text. `board` is
    that of a new thread, `subject` the one that the user gave apart from the text: None if it is the first
    line of the text.
    """

    text: Text
    place: Place
    root: bytes = b""
    key: str | None = None
    board: str = ""
    subject: str | None = ""


class Postponed(questions.Declined):
    """The user chose to keep the text as a draft."""

    def __init__(self) -> None:
        super().__init__("Nothing was posted.")


def settle(context: Context, keystore: Keystore, attempt: Attempt) -> Text:
    """Show what there is to say about the text, and ask. Returns the text to publish; it may be another one
    than before, from the editor. Raises Postponed, and Refused where nobody can be asked.
    """
    text = attempt.text
    try:
        while _is_remarkable(context, keystore, attempt, text) and not context.is_sure:
            answer = _ask()
            if answer == "post":
                break
            text = keep(context, keystore, attempt.place, text)
            if answer == "draft":
                raise Postponed
            text = rewrite(context, keystore, attempt.place, text, attempt.subject)
    except NothingWritten:  # it says what becomes of the draft
        raise
    except BaseException as error:
        say_kept(error, text)
        raise
    return text


def say_kept(error: BaseException, text: Text) -> None:
    """Add to the error what became of the text."""
    if text.draft is not None:
        error.add_note(kept(text))


def kept(text: Text) -> str:
    return f"The text is kept as a draft; to go on: {text.again}"


def _ask() -> str:
    may_edit = sys.stdin.isatty()  # otherwise the text came by a pipe, and no editor can run
    choices = ("post", "edit", "draft") if may_edit else ("post", "draft")
    return questions.choose(", ".join(f"[{choice[0]}]{choice[1:]}" for choice in choices), choices, _INSTEAD)


def _is_remarkable(context: Context, keystore: Keystore, attempt: Attempt, text: Text) -> bool:
    is_new = bool(attempt.board) and say_new_board(context, attempt.board)
    if not context.checks_texts:
        return is_new
    searched = storable(f"{text.subject}\n{text.body}" if attempt.board else text.body)
    return warn_of_leaks(context, keystore, searched, attempt.root, attempt.key) or is_new


def say_new_board(context: Context, board: str) -> bool:
    """Whether the board is new here; if so, say which boards the user may mean."""
    near = nearest_boards(context.session, board)
    if near is None:
        return False
    meant = f"; did you mean {' or '.join(f'#{name}' for name in near)}?" if near else "."
    context.console.warn(f"the board #{board} is new here{meant}")
    return True
