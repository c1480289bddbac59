"""Proofs that two pseudonyms are one person: made, found in a text, and checked with what is known here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from p2pforum.app.session import Session
from p2pforum.app.unlocking import open_keystore
from p2pforum.app.whole_ids import whole_key
from p2pforum.core.errors import Refused
from p2pforum.forum import linking, private_linking
from p2pforum.forum.keys import find_key
from p2pforum.keystore.contents import Contents

_MANY = 50  # proofs of one text: each takes a millisecond, and a user reads no page of them
_PROOF = re.compile(r"p2pforum-(?:private-)?link-[0-9]+:[\w=-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """What one proof shows. `problem` is empty if it convinces the user."""

    kind: str  #: public or private
    keys: tuple[bytes, ...] = ()
    reader: bytes = b""  #: the key of the one reader whom it can convince
    problem: str = ""


def prove(session: Session, box: Contents, one: str, other: str) -> str:
    """A proof for everybody, for ever. `one` and `other` are keys of mine as typed. Raises
    NotFound or Ambiguous.
    """
    return linking.make_proof(find_key(box, one), find_key(box, other), session.config.params)


def prove_to(session: Session, box: Contents, one: str, other: str, reader: str) -> str:
    """A proof for the owner of one key, who could have made it himself. Raises Refused,
    NotFound or Ambiguous.
    """
    key = whole_key(session, reader)
    if session.reader.revealed([key]):
        raise Refused(
            "that reader's key was published. Anybody could have made the proof, so it would convince nobody"
        )
    return private_linking.make(find_key(box, one), find_key(box, other), key, session.config.params)


def make_up(session: Session, box: Contents, one: str, other: str, reader: str) -> str:
    """A proof that a reader makes up about two keys of others. Because he can, a proof made for one reader
    convinces no other reader.
    """
    first, second = whole_key(session, one), whole_key(session, other)
    try:
        mine = box.keys[whole_key(session, reader)]
    except (Refused, KeyError):
        mine = find_key(box, reader)
    return private_linking.forge(first, second, mine, session.config.params)


def proofs_in(text: str) -> Iterator[str]:
    yield from (match.group() for match in islice(_PROOF.finditer(text), _MANY))


def check(session: Session, proof: str) -> Shown:
    """What a proof shows to the user of this session. Raises KeystoreError; a proof that
    proves nothing raises nothing.
    """
    is_private = proof.startswith("p2pforum-private-")
    try:
        shown = _check_private(session, proof) if is_private else _check_public(session, proof)
    except Refused as error:
        return Shown("private" if is_private else "public", problem=str(error))
    if not shown.problem and session.reader.revealed(shown.keys):
        return replace(shown, problem="one of the keys was published, so anybody can have made this proof")
    return shown


def _check_public(session: Session, proof: str) -> Shown:
    linked = linking.check_proof(proof, session.config.params)
    return Shown("public", (linked.first, linked.second))


def _check_private(session: Session, proof: str) -> Shown:
    linked = private_linking.check(proof, session.config.params)
    box = open_keystore(session)
    problem = ""
    if not (box.exists and box.read().is_mine(linked.reader)):
        problem = "it is for the holder of another key, who could have made it, so it shows you nothing"
    elif session.reader.revealed([linked.reader]):
        problem = "your key was published, so anybody can have made this proof"
    return Shown("private", (linked.first, linked.second), linked.reader, problem)
