"""Makes docs/vectors/stem-v1.json: frames of the stem, and what a receiver makes of each (PROTOCOL 10).

Run from the checkout:
    python -m tests.vectors.stem_vectors
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from packing import packed  # noqa: E402
from strategies import TEST_NETWORK, a_post  # noqa: E402

FILE = Path(__file__).parents[2] / "docs" / "vectors" / "stem-v1.json"
LARGE, CELL = 16_384, 4_608


def of(kind: int, rest: bytes = b"", size: int = LARGE) -> bytes:
    return (bytes([kind]) + rest).ljust(size, b"\x00")


def with_post(raw: bytes, *, length: int | None = None) -> bytes:
    return of(1, (len(raw) if length is None else length).to_bytes(2, "big") + raw)


def vectors() -> dict[str, Any]:
    post = a_post().raw
    filled = bytearray(with_post(post))
    filled[-1] = 1
    beside = bytearray(with_post(post))
    beside[3 + len(post)] = 1
    good = {
        "a post": (with_post(post), post),
        "a post of one byte": (with_post(b"x"), b"x"),
        "a post of 16,000 bytes": (with_post(b"x" * 16_000), b"x" * 16_000),
        "cover": (of(0), None),
        "cover with anything in it": (of(0, b"\xff" * 100), None),
        "type 2": (of(2, b"\x00\x05x"), None),
        "type 63": (of(63, b"\xff" * 16_383), None),
        "type 64": (of(64, b"\xff" * 4_607, CELL), None),
        "type 127": (of(127, b"", CELL), None),
    }
    bad = {
        "a post of no bytes": with_post(b""),
        "a length of 16,001": with_post(b"x" * 16_000, length=16_001),
        "the last byte is no zero": bytes(filled),
        "the byte behind the post is no zero": bytes(beside),
        "a length that is too small": with_post(post, length=len(post) - 1),
    }
    return {
        "network": TEST_NETWORK.name,
        "about": "frames as [hex, times] to be joined. Each is answered by the byte 00 when its last byte is "
        "there. `post` is null where there is none; a fault costs its sender a ban",
        "sizes": {"types 0 to 63": LARGE, "types 64 to 127": CELL, "types 128 to 255": None},
        "answer": "00",
        "frames": [
            {"name": name, "frame": packed(frame), "post": None if raw is None else packed(raw)}
            for name, (frame, raw) in good.items()
        ],
        "faults": [{"name": name, "frame": packed(frame)} for name, frame in bad.items()],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
