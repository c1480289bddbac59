"""`p2pforum post`: start a thread."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import compose, options
from p2pforum.core.errors import Refused

if TYPE_CHECKING:
    from p2pforum.app.writing import Done, Writer
    from p2pforum.cli.drafting import Text

_TEMPLATE = """\
A new thread on #{board}. {subject_rule}
Nothing from the line with >8 on goes out. An empty text posts nothing.
"""
_FIRST_LINE = "The first line is its subject; then a blank line, then the text."


@click.command()
@click.argument("board", callback=options.check_board, shell_complete=options.complete_board)
@click.option("-s", "--subject", help="The subject; without it, the first line of the text.")
@compose.file_option
@compose.draft_option
@options.key
@options.quiet_check
@options.sure
@options.listen
@options.as_json
@pass_context
def command(
    context: Context,
    board: str,
    subject: str | None,
    file: str | None,
    draft: str | None,
    key: str | None,
    as_json: bool,
) -> int:
    """Start a thread on a board.

    The text comes from your editor ($VISUAL, $EDITOR), from a file, or from standard input. Each
    thread gets a fresh key, so that no key joins it to what you write elsewhere.

    \b
    p2pforum post library
    p2pforum post library -s "Which e-readers?" -F question.txt
    echo "Which e-readers?" | p2pforum post library -s Question --yes
    """
    from p2pforum.cli.asking import Attempt
    from p2pforum.cli.drafting import Place, Writing
    from p2pforum.cli.keys import keystore_to_write
    from p2pforum.cli.publishing import publish
    from p2pforum.forum.drafts import board_destination

    destination = board_destination(board)
    with Writing(context, file, destination, subject) as writing:
        keystore = keystore_to_write(context)
        comments = _TEMPLATE.format(board=board, subject_rule="" if subject else _FIRST_LINE).strip()
        place = Place(destination, f"post {board}", comments)
        text = writing.text(keystore, place, draft)
    attempt = Attempt(text, place, key=key, board=board, subject=subject)

    def act(writer: "Writer", text: "Text") -> "Done":
        try:
            return writer.post(board, text.subject, text.body, key=key)
        except Refused as error:
            if not text.body and not subject:
                error.add_note("-s SUBJECT says what the subject is, and takes the whole text below it")
            raise

    return publish(context, keystore, attempt, act, as_json)
