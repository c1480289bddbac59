"""`p2pforum prove`: show that two pseudonyms are one person, to everybody or to one reader."""

from typing import TYPE_CHECKING

import click

from p2pforum.cli.context import Context, pass_context

_TO_ONE = "The proof convinces only the holder of that key, who could have made it. Send it to nobody else."

if TYPE_CHECKING:
    from p2pforum.app.result_shapes import MadeProofShape


@click.command()
@click.argument("one", metavar="KEY")
@click.argument("other", metavar="KEY")
@click.option(
    "--to",
    "reader",
    metavar="KEY-OR-POST",
    help="Convince only the holder of this key: the whole key, or the whole ID of a post by it.",
)
@click.option(
    "--as-reader",
    is_flag=True,
    help="With --to and a key of yours: make up a proof about two keys of others, as any reader can.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@pass_context
def command(
    context: Context, one: str, other: str, reader: str | None, as_reader: bool, as_json: bool
) -> None:
    """Prove that two of your pseudonyms are one person.

    KEY is a pseudonym's name, or the beginning of a key of yours or of its thread. The command prints
    one line to post or send. Without --to the line convinces everybody who sees it, for ever. With --to
    it convinces one reader. That reader can't convince others, because the reader could have made it.

    \b
    p2pforum prove ada k7q2mf0a
    p2pforum prove ada k7q2mf0a --to 4f1x...(52 letters)
    """
    from p2pforum.app import proofs
    from p2pforum.app.unlocking import open_keystore

    if as_reader and reader is None:
        raise click.UsageError("--as-reader goes with --to")
    session, box = context.session, open_keystore(context.session).read()
    if reader is None:
        proof, said = (
            proofs.prove(session, box, one, other),
            "The proof convinces everybody who sees it, for ever.",
        )
    elif as_reader:
        proof, said = (
            proofs.make_up(session, box, one, other, reader),
            "The proof shows nothing, because you made it up.",
        )
    else:
        proof, said = proofs.prove_to(session, box, one, other, reader), _TO_ONE
    if as_json:
        made: MadeProofShape = {"proof": proof, "to": reader, "made_up": as_reader}
        context.console.json(made)
    else:
        context.console.print(proof)
    context.console.note(said)
