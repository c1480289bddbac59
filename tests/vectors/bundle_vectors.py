"""Makes docs/vectors/bundle-v1.json: bundles, whole, damaged and forged, and what a reader gets out of each.

Put together by this file's own few lines, from the words of PROTOCOL section 12. Run from the checkout:
    python -m tests.vectors.bundle_vectors
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from packing import packed  # noqa: E402
from strategies import HOUR, TEST_NETWORK, a_post  # noqa: E402

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "bundle-v1.json"
MAGIC = b"\x89p2pforum\r\n\x1a\n"
MARK = b"\xb7\x1ep2"
NAME = TEST_NETWORK.name.encode()


def frame(kind: int, payload: bytes, *, mark: bytes = MARK, size: int | None = None) -> bytes:
    body = mark + bytes([kind]) + (len(payload) if size is None else size).to_bytes(4, "big") + payload
    return body + hashlib.sha256(body).digest()[:16]


def header(boards: int, posts: int, *, version: int = 1, name: bytes = NAME) -> bytes:
    return frame(0, bytes([version]) + boards.to_bytes(4, "big") + posts.to_bytes(8, "big") + name)


def entry(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw


def closed(*parts: bytes) -> bytes:
    before = b"".join(parts)
    return before + frame(2, hashlib.sha256(before).digest())


def _posts() -> list[bytes]:
    """In the order of a bundle: board, hour, ID."""
    posts = [a_post(f"Body {n}.", board=board, hour=HOUR + n % 2) for n in range(3) for board in ("b", "a")]
    return [p.raw for p in sorted(posts, key=lambda p: (p.payload.board, p.payload.hour, p.id))]


def _cases() -> list[tuple[str, bytes, list[bytes], bool]]:
    """Name, bytes, the posts that a reader gets, and whether it must say that something was wrong."""
    posts = _posts()
    top, first, rest = header(2, 6), frame(1, b"".join(map(entry, posts[:2]))), posts[2:]
    second = frame(1, b"".join(map(entry, rest)))
    good = closed(MAGIC, top, frame(1, b"".join(map(entry, posts))))
    two = closed(MAGIC, top, first, second)
    at = len(MAGIC + top) + 20
    filling = [bytes([n]) * 16_000 for n in range(1, 9)]
    largest = frame(1, b"".join(map(entry, filling)) + entry(b"x" * (131_072 - 8 * 16_002 - 2)))
    larger = frame(1, b"".join(map(entry, filling)) + entry(b"x" * (131_073 - 8 * 16_002 - 2)))
    return [
        ("six posts", good, posts, False),
        ("no posts", closed(MAGIC, header(0, 0)), [], False),
        ("two frames of posts: read, never written so", two, posts, False),
        ("a frame of posts without any", closed(MAGIC, top, frame(1, b""), first), posts[:2], False),
        (
            "a post of one byte, another of 16,000",
            closed(MAGIC, top, frame(1, entry(b"x") + entry(b"y" * 16_000))),
            [b"x", b"y" * 16_000],
            False,
        ),
        (
            "a frame of 131,072 bytes",
            closed(MAGIC, top, largest),
            [*filling, b"x" * (131_072 - 8 * 16_002 - 2)],
            False,
        ),
        ("a network's name of 32", closed(MAGIC, header(2, 6, name=b"n" * 32), first), posts[:2], False),
        ("a bit of the first frame changed", two[:at] + bytes([two[at] ^ 1]) + two[at + 1 :], rest, True),
        ("bytes between two frames", closed(MAGIC, top, first, b"\x00" * 9, second), posts, True),
        ("half a mark between two frames", closed(MAGIC, top, first, MARK[:2], second), posts, True),
        ("without HEADER", closed(MAGIC, first, second), posts, False),
        ("HEADER twice", closed(MAGIC, top, top, first), posts[:2], True),
        ("HEADER behind posts", closed(MAGIC, first, top), posts[:2], True),
        ("HEADER with no name", closed(MAGIC, header(2, 6, name=b""), first), posts[:2], True),
        ("HEADER with a name of 33", closed(MAGIC, header(2, 6, name=b"n" * 33), first), posts[:2], True),
        ("HEADER with a name in capitals", closed(MAGIC, header(2, 6, name=b"Net"), first), posts[:2], True),
        ("HEADER of version 0", closed(MAGIC, header(2, 6, version=0), first), posts[:2], True),
        ("HEADER cut off", closed(MAGIC, frame(0, b"\x01\x00"), first), posts[:2], True),
        (
            "a post of no bytes",
            closed(MAGIC, top, frame(1, entry(posts[0]) + entry(b"")), second),
            rest,
            True,
        ),
        (
            "a post of 16,001 bytes",
            closed(MAGIC, top, frame(1, entry(posts[0]) + entry(b"x" * 16_001)), second),
            rest,
            True,
        ),
        (
            "a post beyond its frame",
            closed(MAGIC, top, frame(1, entry(posts[0]) + b"\x00\x05x"), second),
            rest,
            True,
        ),
        (
            "half a size at the end",
            closed(MAGIC, top, frame(1, entry(posts[0]) + b"\x00"), second),
            rest,
            True,
        ),
        ("a frame of another kind", closed(MAGIC, top, frame(3, b""), first), posts[:2], True),
        ("a frame of 131,073 bytes", closed(MAGIC, top, larger, first), posts[:2], True),
        ("a wrong check", two[: -60 - 1] + bytes([two[-61] ^ 1]) + two[-60:], posts[:2], True),
        ("without END", two[:-57], posts, True),
        ("cut off in END", two[:-1], posts, True),
        ("END with another hash", MAGIC + top + first + frame(2, bytes(32)), posts[:2], True),
        (
            "END of 31 bytes",
            MAGIC + top + first + frame(2, hashlib.sha256(MAGIC + top + first).digest()[:31]),
            posts[:2],
            True,
        ),
        ("a byte behind END", two + b"\x00", posts, True),
        ("another bundle behind END", two + good, posts, True),
    ]


def _refused() -> dict[str, bytes]:
    return {
        "nothing": b"",
        "half a magic": MAGIC[:5],
        "another magic": b"\x89PNG\r\n\x1a\n" + bytes(20),
        "line ends changed": MAGIC.replace(b"\r\n", b"\n") + header(0, 0),
        "version 2": closed(MAGIC, header(0, 0, version=2)),
        "version 255": closed(MAGIC, header(0, 0, version=255)),
    }


def vectors() -> dict[str, Any]:
    return {
        "about": "bytes as [hex, times], to be joined. `posts` are those that a reader gets; `noticed`: it "
        "says that something is wrong. `written` is what a writer makes of these posts, byte for byte",
        "written": {
            "network": NAME.decode(),
            "boards": 2,
            "posts": [packed(raw) for raw in _posts()],
            "raw": packed(_cases()[0][1]),
        },
        "read": [
            {"name": name, "raw": packed(raw), "posts": [packed(post) for post in posts], "noticed": noticed}
            for name, raw, posts, noticed in _cases()
        ],
        "refused": [{"name": name, "raw": packed(raw)} for name, raw in _refused().items()],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
