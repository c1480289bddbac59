"""An invite: where a network is met, as a line of text that any two people make alike. docs/PROTOCOL.md.

The same choices give the same bytes for every user who makes the invite, so it names no inviter. It carries
no signature. Not what is done with it (forum/inviting.py).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import cbor2

from p2pforum.core import limits, plain_cbor
from p2pforum.core.address import check_told
from p2pforum.core.errors import InvalidInvite, InvalidPost, NetworkError
from p2pforum.core.post_id import ID_SIZE
from p2pforum.core.text import is_valid_board, is_valid_network

T = TypeVar("T", str, bytes)

PREFIX = "p2pforum-invite:"
VERSION = 1
_CHECK = 4  # bytes of SHA-256 at the end: for a line that was cut or mistyped, not against an attacker


@dataclass(frozen=True, slots=True)
class Invite:
    """`peers` are addresses with peer IDs; `lists` are the keys, of 32 bytes, of proposed
    moderation lists.
    """

    network: str
    peers: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    lists: tuple[bytes, ...] = ()


def encode_invite(invite: Invite) -> str:
    """One line without its end. The result does not show the order or the repetitions of what
    the user gave.

    Raises InvalidInvite if `decode_invite` could not read the line back.
    """
    parts = _sorted(invite.peers), _sorted(invite.boards), _sorted(invite.lists)
    raw: bytes = cbor2.dumps([VERSION, invite.network, *parts], canonical=True)
    _read(raw)
    return PREFIX + base64.urlsafe_b64encode(raw + _check(raw)).decode().rstrip("=")


def decode_invite(text: str) -> Invite:
    """The invite in a line. Raises InvalidInvite, with a text for the user, for any other text.

    White space in it is ignored, because mail programs wrap lines.
    """
    if len(text) > limits.MAX_INVITE:
        raise InvalidInvite("too long for an invite")
    line = "".join(text.split())
    if not line.startswith(PREFIX):
        raise InvalidInvite(f"no invite: one begins with {PREFIX}")
    digits = line[len(PREFIX) :]
    try:
        sealed = base64.b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInvite("the invite is damaged: it holds characters that no invite has") from None
    raw, check = sealed[:-_CHECK], sealed[-_CHECK:]
    if check != _check(raw):
        raise InvalidInvite("the invite is damaged or cut off: copy it whole")
    invite = _read(raw)
    if encode_invite(invite) != line:
        raise InvalidInvite("the invite is written in an unusual way, so it may reveal who passed it on")
    return invite


def name_of_invite(text: str) -> str:
    """Eight characters that tell this invite from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(raw: bytes) -> Invite:
    try:
        fields = plain_cbor.loads(raw, depth=2)
    except InvalidPost as error:
        raise InvalidInvite(f"the invite is malformed: {error}") from error
    if not isinstance(fields, list) or not fields or fields[0] != VERSION:
        raise InvalidInvite("the invite is of a kind that this version does not know")
    try:
        _, network, peers, boards, lists = fields
    except ValueError:
        raise InvalidInvite("the invite is malformed: it does not have five parts") from None
    if type(network) is not str or not is_valid_network(network):
        raise InvalidInvite("the invite is malformed: it names no network")
    for part in (peers, boards, lists):
        if not isinstance(part, list) or len(part) > limits.MAX_INVITED:
            raise InvalidInvite(f"the invite names more than {limits.MAX_INVITED} things of one kind")
    _check_parts(peers, boards, lists)
    return Invite(network, _sorted(peers), _sorted(boards), _sorted(lists))


def _check_parts(peers: list[Any], boards: list[Any], lists: list[Any]) -> None:
    for peer in peers:
        if type(peer) is not str or len(peer) > limits.MAX_INVITED_ADDRESS:
            raise InvalidInvite("the invite is malformed: a peer without an address")
        try:
            check_told(peer, peer=True)
        except NetworkError as error:
            raise InvalidInvite(f"the invite names what is {error}") from error
    for board in boards:
        if type(board) is not str or not is_valid_board(board):
            raise InvalidInvite(
                "the invite is malformed: it names a board with a name that no board can have"
            )
    for key in lists:
        if type(key) is not bytes or len(key) != ID_SIZE:
            raise InvalidInvite("the invite is malformed: a key that is not 32 bytes long")


def _check(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:_CHECK]


def _sorted(parts: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(set(parts)))
