"""Makes docs/vectors/sync-v1.json: frames at the edges of each rule, fingerprints, and two whole sessions.

Frames and fingerprints are made by this file's own code, from the words of PROTOCOL section 9. The sessions
are what two of this program's nodes say to each other with these posts and nonces. Run from the checkout:
    python -m tests.vectors.sync_vectors
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("", "sync", "vectors")]

from memory_posts import MemoryPosts  # noqa: E402
from packing import packed  # noqa: E402
from strategies import HOUR, TEST_NETWORK, a_post  # noqa: E402
from sync_pair import Side  # noqa: E402

from p2pforum.core.post import Post  # noqa: E402
from p2pforum.sync.terms import Terms  # noqa: E402
from p2pforum.sync.wire.frames import Frame, SyncFrameReader  # noqa: E402

FILE = Path(__file__).parents[2] / "docs" / "vectors" / "sync-v1.json"
HELLO, BOARDS, NEG, WANT, POSTS, GONE, PULL, CREDIT, END, LOOK = range(10)
NONCE, TAG, PRINT, ID = bytes(range(16)), b"\x07" * 8, b"\x0f" * 16, b"\x01" * 32


def varint(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(number & 127 | 128)
    return bytes(reversed(digits))


def frame(kind: int, *parts: bytes | int, length: int | None = None) -> bytes:
    body = bytes([kind]) + b"".join(varint(p) if isinstance(p, int) else p for p in parts)
    return varint(len(body) if length is None else length) + body


def bound(hour: int | None, prefix: bytes = b"") -> bytes:
    return varint(0) + varint(0) if hour is None else varint(hour + 1) + varint(len(prefix)) + prefix


def entry(raw: bytes) -> bytes:
    return varint(len(raw)) + raw


LAST = 2**31 - 1
GOOD = {
    "HELLO": frame(HELLO, NONCE, HOUR, 0),
    "HELLO of the last hour": frame(HELLO, NONCE, LAST, LAST),
    "LOOK at nothing": frame(LOOK),
    "LOOK at seven stretches": frame(LOOK, PRINT * 7),
    "BOARDS, the last, without any": frame(BOARDS, 1),
    "BOARDS, one": frame(BOARDS, 0, TAG, 0, 1, PRINT),
    "BOARDS, two": frame(BOARDS, 1, TAG, 0, 1, PRINT, b"\x08" * 8, 5, 1_000_000, PRINT),
    "NEG": frame(NEG, 300, 1, b"\x61"),
    "NEG, an empty message": frame(NEG, 0, 0),
    "WANT": frame(WANT, ID, ID),
    "POSTS, wanted": frame(POSTS, 0, entry(b"x")),
    "POSTS, a post of 16,000 bytes": frame(POSTS, 4, entry(b"x" * 16_000)),
    "POSTS, the limit reached": frame(POSTS, 2),
    "POSTS, no more in the range": frame(POSTS, 3),
    "GONE": frame(GONE, 1),
    "PULL of all": frame(PULL, 0, 1, bound(0), bound(None), 0),
    "PULL between two IDs": frame(PULL, 7, 0, bound(HOUR, ID), bound(LAST, ID[:3]), 256),
    "CREDIT for NEG": frame(CREDIT, 0, 1),
    "CREDIT for POSTS, the most": frame(CREDIT, 1, 1_048_576),
    "END": frame(END, 0),
    "END, an unknown code": frame(END, 99),
    "a frame of 32,768 bytes": frame(NEG, 0, 0, bytes(32_765)),
    "POSTS of 262,144 bytes": frame(POSTS, 4, *[entry(b"x" * 16_000)] * 16, entry(b"x" * 6_108)),
}
BAD = {
    "HELLO without a horizon": frame(HELLO, NONCE, HOUR),
    "HELLO with more": frame(HELLO, NONCE, HOUR, 0, 0),
    "HELLO of hour 2^31": frame(HELLO, NONCE, 2**31, 0),
    "HELLO with horizon 2^31": frame(HELLO, NONCE, HOUR, 2**31),
    "LOOK with 15 bytes": frame(LOOK, PRINT[:15]),
    "BOARDS without any, and not the last": frame(BOARDS, 0),
    "BOARDS, last is 2": frame(BOARDS, 2, TAG, 0, 1, PRINT),
    "BOARDS, a board of no posts": frame(BOARDS, 1, TAG, 0, 0, PRINT),
    "BOARDS, low 2^31": frame(BOARDS, 1, TAG, 2**31, 1, PRINT),
    "BOARDS, a fingerprint of 15 bytes": frame(BOARDS, 1, TAG, 0, 1, PRINT[:15]),
    "NEG, last is 2": frame(NEG, 0, 2, b"\x61"),
    "WANT of nothing": frame(WANT),
    "WANT, an ID of 31 bytes": frame(WANT, ID, ID[:31]),
    "POSTS, how is 5": frame(POSTS, 5, entry(b"x")),
    "POSTS, wanted, without any": frame(POSTS, 0),
    "POSTS, pulled and more follow, without any": frame(POSTS, 1),
    "POSTS, pushed, without any": frame(POSTS, 4),
    "POSTS, a post of no bytes": frame(POSTS, 0, entry(b"")),
    "POSTS, a post of 16,001 bytes": frame(POSTS, 0, entry(b"x" * 16_001)),
    "POSTS, a post that is cut off": frame(POSTS, 0, entry(b"xyz")[:-1]),
    "GONE of nothing": frame(GONE, 0),
    "PULL, newest first is 2": frame(PULL, 0, 2, bound(0), bound(None), 0),
    "PULL, infinity with an ID": frame(PULL, 0, 0, varint(0) + entry(ID), bound(None), 0),
    "PULL, an ID of 33 bytes": frame(PULL, 0, 0, bound(0, ID + b"\x00"), bound(None), 0),
    "PULL, hour 2^31": frame(PULL, 0, 0, bound(2**31), bound(None), 0),
    "PULL without a limit": frame(PULL, 0, 0, bound(0), bound(None)),
    "CREDIT of class 2": frame(CREDIT, 2, 1),
    "CREDIT for nothing": frame(CREDIT, 0, 0),
    "CREDIT for too much": frame(CREDIT, 1, 1_048_577),
    "END with more": frame(END, 0, 0),
    "END without a code": frame(END),
    "a type that nobody knows": frame(10, 0),
    "a frame of no bytes": b"\x00",
    "a length with a leading zero": b"\x80\x02" + frame(END, 0)[1:],
    "a number with a leading zero": frame(GONE, b"\x80\x01"),
    "a number above 64 bits": frame(GONE, b"\x82" + b"\xff" * 8 + b"\x7f"),
    "a number that does not end": frame(GONE, b"\x81\x80"),
    "NEG of 32,769 bytes": frame(NEG, 0, 0, bytes(32_766)),
    "POSTS of 262,145 bytes": frame(POSTS, 4, *[entry(b"x" * 16_000)] * 16, entry(b"x" * 6_109)),
}


# --- fingerprints -----------------------------------------------------------------------------------------


def cells(items: Iterable[tuple[int, bytes]]) -> bytes:
    """Ascending hours, each as 4 bytes, with SHA-256 of its IDs one after another."""
    by_hour: dict[int, list[bytes]] = {}
    for hour, post_id in sorted(items):
        by_hour.setdefault(hour, []).append(post_id)
    return b"".join(
        hour.to_bytes(4, "big") + hashlib.sha256(b"".join(ids)).digest() for hour, ids in by_hour.items()
    )


def fingerprint(nonces: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16, key=nonces, person=b"p2pforum/sync/fp").digest()


def _fingerprints() -> list[dict[str, Any]]:
    rng = random.Random(1)
    items = [(498_000 + rng.randrange(4), rng.randbytes(32)) for _ in range(12)]
    ranges = {"nothing": [], "one": items[:1], "twelve": items}
    return [
        {
            "name": name,
            "initiator's nonce": NONCE.hex(),
            "responder's nonce": NONCE[::-1].hex(),
            "items": [[hour, post_id.hex()] for hour, post_id in sorted(found)],
            "cells": cells(found).hex(),
            "fingerprint": fingerprint(NONCE + NONCE[::-1], cells(found)).hex(),
        }
        for name, found in ranges.items()
    ]


def _stretches() -> list[dict[str, Any]]:
    cases = []
    hellos = [
        ((HOUR, 0), (HOUR, 0)),
        ((HOUR, HOUR - 4_320), (HOUR + 1, HOUR - 480)),
        ((HOUR, HOUR - 1), (HOUR, 0)),
    ]
    for (hour, horizon), (other, others) in [*hellos, ((HOUR, HOUR + 9), (HOUR, 0))]:
        low = max(horizon, others)
        end = max(low, min(hour, other) + 2)
        edges, age = [end], 2
        while edges[-1] > low:
            edges.append(max(low, end - age))
            age *= 4
        cases.append(
            {
                "hours": [hour, other],
                "horizons": [horizon, others],
                "stretches, newest first": [[b, a] for a, b in pairwise(edges)],
            }
        )
    return cases


# --- sessions ---------------------------------------------------------------------------------------------


def _posts(board: str, count: int, age: int = 1) -> list[Post]:
    return [a_post(f"{board} {n}", board=board, hour=HOUR - age * n) for n in range(count)]


def _said(frame_: Frame) -> str:
    text = type(frame_).__name__.upper().replace("GRANT", "CREDIT")
    if text == "POSTS":
        return f"POSTS, {len(frame_.posts)}, {frame_.how.name.lower().replace('_', ' ')}"  # type: ignore[union-attr]
    if text == "BOARDS":
        return f"BOARDS, {len(frame_.boards)}"  # type: ignore[union-attr]
    if text == "WANT":
        return f"WANT, {len(frame_.ids)}"  # type: ignore[union-attr]
    return text


def _session(ours: list[Post], theirs: list[Post], horizon: int) -> dict[str, Any]:
    """Each side says all that it can, then the other does."""
    sides = [
        Side(MemoryPosts(ours), terms=Terms(HOUR, 0)),
        Side(MemoryPosts(theirs), terms=Terms(HOUR, horizon)),
    ]
    for n, side in enumerate(sides):
        side.begin(random.Random(n), initiator=n == 0)
    readers, spoken = (SyncFrameReader(), SyncFrameReader()), []
    while not (sides[0].session.finished and sides[1].session.finished):
        for n, who in enumerate(("initiator", "responder")):
            output = b""
            while part := sides[n].work():
                output += part
            at = 0
            for found, size in readers[n].feed(output):
                spoken.append({"from": who, "says": _said(found), "frame": packed(output[at : at + size])})
                at += size
            sides[1 - n].session.receive(output)
            while sides[1 - n].land():
                pass
    assert sides[0].ids | set() >= sides[1].ids - {p.id for p in theirs if p.payload.hour < horizon}
    return {
        "hour": HOUR,
        "horizons": [0, horizon],
        "initiator has": [post.raw.hex() for post in ours],
        "responder has": [post.raw.hex() for post in theirs],
        "frames": spoken,
        "initiator has then": sorted(i.hex() for i in sides[0].ids),
        "responder has then": sorted(i.hex() for i in sides[1].ids),
    }


def sessions() -> dict[str, dict[str, Any]]:
    shared = [*_posts("general", 6), *_posts("same", 2)]
    mine, yours = _posts("mine", 2), _posts("yours", 3)
    late = [a_post(f"late {n}", hour=HOUR, key=3) for n in range(2)]
    early = [a_post("early", hour=HOUR - 5, key=4)]
    return {
        "nothing differs": _session(shared, list(reversed(shared)), HOUR - 48),
        "posts on both sides": _session([*shared, *mine, *late], [*shared, *yours, *early], HOUR - 48),
    }


def vectors() -> dict[str, Any]:
    return {
        "network": TEST_NETWORK.name,
        "about": "frames as [hex, times] to be joined. Which side says what when is free within section 9: "
        "the sessions show one way",
        "good frames": [{"name": name, "frame": packed(raw)} for name, raw in GOOD.items()],
        "bad frames": [{"name": name, "frame": packed(raw)} for name, raw in BAD.items()],
        "fingerprints": _fingerprints(),
        "stretches of a LOOK": _stretches(),
        "sessions": sessions(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
