"""Makes docs/vectors/address-v1.json: addresses as text, the one form of each, and what is refused and why.

Run from the checkout:
    python -m tests.core.address_vectors
"""

import json
from pathlib import Path

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "address-v1.json"
ID = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd"

# text as a person may write it, and its one form
ACCEPTED = {
    f"/ip4/192.0.2.1/tcp/1/p2p/{ID}": None,
    f"/ip4/192.0.2.1/tcp/65535/p2p/{ID}": None,
    f"/ip6/2001:db8::1/tcp/4001/p2p/{ID}": None,
    f"/ip6/2001:0DB8:0:0:0::1/tcp/4001/p2p/{ID}": f"/ip6/2001:db8::1/tcp/4001/p2p/{ID}",
    f"/ip6/2001:db8:0:1:1:1:1:1/tcp/4001/p2p/{ID}": None,  # one zero is written out
    f"/ip6/2001:db8:0:0:1:0:0:1/tcp/4001/p2p/{ID}": f"/ip6/2001:db8::1:0:0:1/tcp/4001/p2p/{ID}",
    f"/ip6/2600:0:0:1:0:0:0:1/tcp/4001/p2p/{ID}": f"/ip6/2600:0:0:1::1/tcp/4001/p2p/{ID}",
    f"/ip6/2001:db8:1:1:1:1:0:0/tcp/4001/p2p/{ID}": f"/ip6/2001:db8:1:1:1:1::/tcp/4001/p2p/{ID}",
    f"/ip6/::1/tcp/4001/p2p/{ID}": None,
    f"/ip6/2001:db8::192.0.2.1/tcp/4001/p2p/{ID}": f"/ip6/2001:db8::c000:201/tcp/4001/p2p/{ID}",
    f"/dns/example.org/tcp/4001/p2p/{ID}": None,
    f"/dns4/EXAMPLE.org./tcp/4001/p2p/{ID}": f"/dns4/example.org/tcp/4001/p2p/{ID}",
    f"/dns6/_a-b_.x1--2.example/tcp/4001/p2p/{ID}": None,
    f"/dns/{'x' * 63}.example/tcp/4001/p2p/{ID}": None,
    f"/onion3/{ONION}:4001/p2p/{ID}": None,
}

_PORT = "a port is 1 to 65535, in ASCII digits without a zero in front"
_PEER = "a peer ID is base58btc of 00 24 08 01 12 20 and 32 bytes of a key, and what encoding them gives"
_HIDDEN = "no IPv4 address inside an IPv6 address"
_LABELS = "a label is 1 to 63 of a-z 0-9 - _, with no - at either end; the last begins with a letter"
_ONION = "the name of an onion service is 56 of a-z 2-7, version 3, with its checksum"
_SHAPE = "/KIND/HOST/tcp/PORT/p2p/PEER or /onion3/NAME:PORT/p2p/PEER, and nothing more"
_IP = "an IP address in its kind, without a zone"

REFUSED = {
    f"/ip4/192.0.2.1/tcp/0/p2p/{ID}": _PORT,
    f"/ip4/192.0.2.1/tcp/65536/p2p/{ID}": _PORT,
    f"/ip4/192.0.2.1/tcp/04001/p2p/{ID}": _PORT,
    f"/ip4/192.0.2.1/tcp/+1/p2p/{ID}": _PORT,
    f"/ip4/192.0.2.1/tcp/٣/p2p/{ID}": _PORT,
    f"/ip4/192.0.2.1/tcp/1/p2p/{ID[:-1]}": _PEER,
    f"/ip4/192.0.2.1/tcp/1/p2p/1{ID}": _PEER,
    f"/ip4/192.0.2.1/tcp/1/p2p/{ID[:-1]}0": _PEER,
    "/ip4/192.0.2.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N": _PEER,
    "/ip4/192.0.2.1/tcp/1/p2p/16Uiu2HAkzjLLosHcV4LGvLY4vskda1NgMW4qmtfQ2uMbgFAoqghX": _PEER,
    f"/ip6/::ffff:192.0.2.1/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/::ffff:c000:201/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/::c000:201/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/64:ff9b::c000:201/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/64:ff9b:1::c000:201/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/2002:c000:201::1/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/2001::c000:201/tcp/1/p2p/{ID}": _HIDDEN,
    f"/ip6/fe80::1%eth0/tcp/1/p2p/{ID}": _IP,
    f"/ip4/::1/tcp/1/p2p/{ID}": _IP,
    f"/ip4/192.0.2.01/tcp/1/p2p/{ID}": _IP,
    f"/ip4/256.0.0.1/tcp/1/p2p/{ID}": _IP,
    f"/dns/-a.example/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/a-.example/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/a..example/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/.example/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/{'x' * 64}.example/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/127.0.0.1/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/0x7f.1/tcp/1/p2p/{ID}": _LABELS,
    f"/dns/bücher.example/tcp/1/p2p/{ID}": _LABELS,
    f"/onion3/{ONION[:10]}a{ONION[11:]}:1/p2p/{ID}": _ONION,
    f"/onion3/{ONION.upper()}:1/p2p/{ID}": _ONION,
    f"/onion3/{ONION}.onion:1/p2p/{ID}": _ONION,
    f"/ip4/192.0.2.1/tcp/1/p2p/{ID}/": _SHAPE,
    f"/ip4/192.0.2.1/udp/1/p2p/{ID}": _SHAPE,
    f"/ip4/192.0.2.1/tcp/1/ipfs/{ID}": _SHAPE,
    f"/ip4/192.0.2.1/tcp/1/p2p/{ID}/p2p-circuit": _SHAPE,
    "/ip4/192.0.2.1/tcp/1": "an address in an invite ends in /p2p/ and the peer ID",
}


def vectors() -> dict[str, object]:
    return {
        "about": "Addresses of peers (PROTOCOL.md 7). accept: a text, and the one form in which it is told to"
        " others; every other form is refused in invites. refuse: texts, each with the rule that it breaks;"
        " dialled: a node dials it all the same if its own user names it.",
        "accept": [{"text": text, "form": form or text} for text, form in ACCEPTED.items()],
        "refuse": [
            {"text": text, "rule": rule, "dialled": rule == _HIDDEN and "::ffff:" not in text}
            for text, rule in REFUSED.items()
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
