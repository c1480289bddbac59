"""Makes docs/vectors/post-v1.json: what every node accepts and what every node refuses.

Deterministic: keys are small numbers, stamps are ground with two bits. Run from the checkout:
    python -m tests.core.post_vectors
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from strategies import HOUR, a_key, a_post, a_seed  # noqa: E402
from test_core_post import BAD, GOOD, REPLY, SPELLINGS, but, raw_with  # noqa: E402

from p2pforum.core import limits  # noqa: E402
from p2pforum.core.kinds import TABLE, Kind, is_counted  # noqa: E402
from p2pforum.core.network_params import DEFAULT_NETWORK  # noqa: E402
from p2pforum.core.post import Payload, Post, sig_structure, sign  # noqa: E402
from p2pforum.core.stamp import Stamp, blank_stamp, grind, stamp_salt  # noqa: E402

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "post-v1.json"


def _accepted() -> list[tuple[str, Post]]:
    root = a_post("The first body.", subject="A first subject")
    cases: list[tuple[str, Post]] = [("a root", root), ("a reply", a_post("An answer.", key=2, root=root.id))]
    for n in (1, 2, 3, 4):
        parents = [bytes([i]) * 32 for i in range(1, n + 1)]
        cases.append((f"{n} parents", a_post("Joined.", key=3, root=root.id, parents=parents)))
    for board in ("a", "0", "x.y-z", "." * 64):
        cases.append((f"board {board}", a_post(board=board)))
    for hour in (0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**31 - 1):
        cases.append((f"hour {hour}", a_post(hour=hour)))
    for name, body in {
        "empty": "",
        "newlines": "\n\n",
        "accents": "d\u00e9j\u00e0 vu",
        "decomposed": "e\u0301",
        "right to left": "\u05e9\u05dc\u05d5\u05dd",
        "emoji": "\U0001f469\u200d\U0001f680",
        "unassigned": "\u0378\U000e0fff",
        "23 bytes": "x" * 23,
        "24 bytes": "x" * 24,
        "255 bytes": "x" * 255,
        "256 bytes": "x" * 256,
        "largest": "x" * limits.MAX_BODY,
    }.items():
        cases.append((f"body: {name}", a_post(body)))
    for name, subject in {"empty": "", "largest": "s" * limits.MAX_SUBJECT}.items():
        cases.append((f"subject: {name}", a_post(subject=subject)))
    cases.append(("a retract", a_post(root=root.id, kind=Kind.RETRACT, content=(root.id,))))
    cases.append(("a supersede", a_post(root=root.id, kind=Kind.SUPERSEDE, content=(root.id, "Better."))))
    cases.append(("a reveal", a_post(root=root.id, kind=Kind.REVEAL, content=(a_seed(1),))))
    for kind in (3, 4, 6, 8, 32_767, 32_768, 65_535):  # valid for ever, whatever their content rules will be
        cases.append((f"kind {kind}: any content", a_post(kind=kind, content=(1, b"x", ("nested", (-1,))))))
        cases.append((f"kind {kind}: no content", a_post(kind=kind, root=root.id, content=())))
    for version in (2, 65_535):
        for kind in (row.number for row in TABLE.values() if row.is_founding):
            odd = a_post(version=version, kind=kind, content=(1,))
            cases.append((f"version {version}, kind {kind}: any content", odd))
    for key in (4, 5):
        cases.append((f"key {key}", a_post(key=key)))
    return cases


def _stamped(bits: int, nonce: int | None = None) -> Post:
    def payload(stamp: Stamp) -> Payload:
        return Payload(Kind.POST, "general", b"", (), HOUR, ("Stamped", f"{bits} bits."), stamp)

    if nonce is None:
        structure = sig_structure(a_key(1), payload(blank_stamp(bits)).encode(), DEFAULT_NETWORK)
        nonce = grind(structure, stamp_salt(HOUR), bits, 0, 100_000)
        assert nonce is not None
    return sign(payload(Stamp(1, bits, nonce.to_bytes(8, "big"))), a_seed(1), a_key(1), DEFAULT_NETWORK)


def _rejected() -> list[tuple[str, bytes]]:
    cases = [(name, raw_with(fields)) for name, fields in BAD.items()]
    cases += [(name, raw_with(None, encode=encoded)) for name, encoded in SPELLINGS.items()]
    good = raw_with(GOOD)
    wrong = bytearray(good)
    wrong[-1] ^= 1
    cases += [
        ("another signature", bytes(wrong)),
        ("a trailing byte", good + b"\x00"),
        ("a tag that is not minimal", b"\xd8\x12" + good[1:]),
        ("no tag", good[1:]),
        ("unprotected headers", raw_with(GOOD, unprotected={4: b"x"})),
        ("a reply signed with an all-zero signature", raw_with(REPLY, sig=bytes(64))),
        ("too large", raw_with(but(6, ["s", "x" * 16_000]))),
    ]
    return cases


def vectors() -> dict[str, Any]:
    unstamped = [("unstamped: " + name, post) for name, post in _accepted()]
    return {
        "network": "test.net",
        "about": "hex; seeds are 32-byte big-endian numbers; the last two lists are of the network p2pforum",
        "accept": [
            {
                "name": name,
                "raw": post.raw.hex(),
                "id": post.id.hex(),
                "author": post.author.hex(),
                "board": post.payload.board,
                "hour": post.payload.hour,
                "kind": post.payload.kind,
                "counted": is_counted(post.payload.kind),
                "understood": post.meaning is not None,
            }
            for name, post in unstamped
        ],
        "accept_in_p2pforum": [
            {"name": f"{b} bits", "raw": p.raw.hex(), "id": p.id.hex()}
            for b in (10, 12)
            for p in [_stamped(b)]
        ],
        "reject_in_p2pforum": [
            {"name": "below the floor", "raw": _stamped(9).raw.hex()},
            {"name": "not worth what it claims", "raw": _stamped(30, nonce=1).raw.hex()},
        ],
        "reject": [{"name": name, "raw": raw.hex()} for name, raw in _rejected()],
    }


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
