"""Makes docs/vectors/invite-v1.json: lines that every node accepts, and lines that it refuses.

Run from the checkout:
    python -m tests.core.invite_vectors
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2

from p2pforum.core.invite import PREFIX, Invite, encode_invite
from p2pforum.core.limits import MAX_INVITED

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "invite-v1.json"
ID = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
ONE = f"/ip4/192.0.2.1/tcp/4001/p2p/{ID}"
TWO = f"/dns4/example.org/tcp/1/p2p/{ID}"
KEY = bytes(range(32))


def line(fields: Any, *, check: bytes | None = None) -> str:
    """An invite line by hand, without the code under test."""
    raw = cbor2.dumps(fields)
    sealed = raw + (hashlib.sha256(raw).digest()[:4] if check is None else check)
    return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _accepted() -> list[tuple[str, Invite]]:
    return [
        ("one peer", Invite("p2pforum", peers=(ONE,))),
        ("two peers, a board and a list", Invite("p2pforum", (ONE, TWO), ("general",), (KEY,))),
        ("a test network", Invite("test.lab", (ONE,))),
        (
            "as much as there may be",
            Invite("p2pforum", (ONE,), tuple(f"b{n}" for n in range(MAX_INVITED))),
        ),
        ("nothing but a network", Invite("p2pforum")),
        ("the longest name", Invite("n" * 32, (ONE,))),
    ]


def _refused() -> list[tuple[str, str]]:
    good = encode_invite(Invite("p2pforum", peers=(ONE,)))
    fields: list[Any] = [1, "p2pforum", [ONE], [], []]

    def but(place: int, value: Any) -> list[Any]:
        return [*fields[:place], value, *fields[place + 1 :]]

    return [
        ("empty", ""),
        ("another prefix", good.replace("invite:", "invitation:")),
        ("a character changed", good[:40] + ("A" if good[40] != "A" else "B") + good[41:]),
        ("cut off", good[:-6]),
        ("a character that base64url does not have", good[:-1] + "+"),
        ("padding", good + "="),
        ("bits behind the last byte", good[:-1] + chr(ord(good[-1]) + 1)),
        ("a wrong check", line(fields, check=b"1234")),
        ("version 2", line(but(0, 2))),
        ("a network that can't be", line(but(1, "P2P"))),
        ("a network's name of 33 bytes", line(but(1, "n" * 33))),
        ("the six parts of an early version", line([1, "p2pforum", 0, [ONE], [], []])),
        ("peers not sorted", line(but(2, [ONE, TWO]))),
        ("a peer twice", line(but(2, [ONE, ONE]))),
        ("a peer without peer ID", line(but(2, ["/ip4/192.0.2.1/tcp/4001"]))),
        ("a peer at port 0", line(but(2, [ONE.replace("/4001/", "/0/")]))),
        ("a peer whose ID lost its last letter", line(but(2, [ONE[:-1]]))),
        ("a name in upper case", line(but(2, [TWO.replace("example", "Example")]))),
        ("an IPv4 address inside an IPv6 address", line(but(2, [f"/ip6/::ffff:c000:201/tcp/1/p2p/{ID}"]))),
        ("a peer with a control character", line(but(2, [ONE + "\x1b[0m"]))),
        ("a peer too long", line(but(2, ["/dns4/" + "x" * 300 + f"/tcp/1/p2p/{ID}"]))),
        ("a board that can't be", line(but(3, ["A board"]))),
        ("a key of 31 bytes", line(but(4, [KEY[1:]]))),
        ("65 boards", line(but(3, sorted(f"b{n}" for n in range(MAX_INVITED + 1))))),
        ("four parts", line(fields[:4])),
        ("six parts", line([*fields, []])),
        ("a map", line({1: 2})),
        ("a tag", line(but(2, cbor2.CBORTag(35, "(a+)+b")))),
        ("a number", line(1)),
    ]


def vectors() -> dict[str, Any]:
    accept = [
        {
            "name": name,
            "line": encode_invite(invite),
            "network": invite.network,
            "peers": sorted(invite.peers),
            "boards": sorted(invite.boards),
            "lists": sorted(key.hex() for key in invite.lists),
        }
        for name, invite in _accepted()
    ]
    return {"accept": accept, "reject": [{"name": name, "line": bad} for name, bad in _refused()]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
