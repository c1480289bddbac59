"""Makes docs/vectors/names-v1.json: everything that is computed from an ID, a key or a name.

Nothing of the program is used: each value is made from the words of docs/PROTOCOL.md, with other libraries
where there are some (cryptography's Argon2id; the program uses libsodium's). Run from the checkout:
    python -m tests.vectors.names_vectors
"""

import hashlib
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import base58
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "names-v1.json"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
ROWS, COLUMNS = 5, 5
VALUES = [
    bytes(32),
    b"\xff" * 32,
    bytes(31) + b"\x01",
    b"\x80" + bytes(31),
    hashlib.sha256(b"an ID").digest(),
]
KEYS = [hashlib.sha256(b"key %d" % n).digest() for n in range(6)]


def base32(value: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in value) + "0000"
    return "".join(CROCKFORD[int(bits[i : i + 5], 2)] for i in range(0, len(bits), 5))


def range_of(prefix: str) -> tuple[bytes, bytes]:
    """The lowest and the highest ID that begins so."""
    bits = "".join(f"{CROCKFORD.index(letter):05b}" for letter in prefix)[:256]
    return tuple(int(bits.ljust(256, end), 2).to_bytes(32, "big") for end in "01")  # type: ignore[return-value]


def proquint(word: int) -> str:
    consonants, vowels = "bdfghjklmnprstvz", "aiou"
    parts = [(consonants, 12, 15), (vowels, 10, 3), (consonants, 6, 15), (vowels, 4, 3), (consonants, 0, 15)]
    return "".join(letters[word >> shift & mask] for letters, shift, mask in parts)


def pseudonym(key: bytes, root: bytes) -> dict[str, Any]:
    digest = hashlib.blake2b(key + root, digest_size=16, person=b"p2pforum-name").digest()
    words = [int.from_bytes(digest[i : i + 2], "big") for i in (0, 2, 4)]
    cells = int.from_bytes(digest[6:8], "big")
    half = [[cells >> 3 * row + column & 1 for column in range(3)] for row in range(ROWS)]
    rows = ["".join("#" if cell else "." for cell in [*row, row[1], row[0]]) for row in half]
    return {
        "key": key.hex(),
        "root": root.hex(),
        "digest": digest.hex(),
        "name": "-".join(proquint(word) for word in words),
        "identicon": rows,
        "hue": int.from_bytes(digest[8:10], "big") % 360,
    }


def stamp(hour: int, post_id: bytes) -> dict[str, Any]:
    salt = hashlib.sha256(hour.to_bytes(4, "big")).digest()[:16]
    digest = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=256).derive(post_id)
    earned = len(f"{int.from_bytes(digest, 'big'):0256b}") - len(f"{int.from_bytes(digest, 'big'):b}")
    return {
        "hour": hour,
        "post_id": post_id.hex(),
        "salt": salt.hex(),
        "argon2id": digest.hex(),
        "earned_bits": earned,
    }


def a_lucky_id(bits: int) -> bytes:
    """One whose stamp earns exactly so many bits in hour 498,000."""
    for n in range(1 << 20):
        post_id = hashlib.sha256(b"lucky %d" % n).digest()
        if stamp(498_000, post_id)["earned_bits"] == bits:
            return post_id
    raise AssertionError("no luck")


Post = dict[str, Any]


def reading_order(posts: list[Post]) -> list[Post]:
    """Section 5, word for word and slowly."""
    here = {post["id"] for post in posts}
    shown: dict[str, int] = {}
    order: list[Post] = []
    stack: list[tuple[Post, int]] = []

    def when(post: Post) -> tuple[int, str]:
        return post["hour"], post["id"]

    def is_ready(post: Post) -> bool:
        return all(parent in shown for parent in post["parents"] if parent in here)

    stack = [(post, 0) for post in sorted(posts, key=when, reverse=True) if is_ready(post)]
    while len(order) < len(posts):
        post, depth = stack.pop()
        shown[post["id"]] = depth
        missing = [parent for parent in post["parents"] if parent not in here]
        order.append({"id": post["id"], "depth": depth, "missing": missing})
        made_ready = [p for p in posts if post["id"] in p["parents"] and is_ready(p)]
        stack += [(p, depth + 1) for p in sorted(made_ready, key=when, reverse=True)]
    return order


def a_thread(seed: int, size: int, *, gaps: bool) -> list[Post]:
    """In some order of arrival. Hours repeat, so that IDs decide."""
    rng = random.Random(seed)
    posts: list[Post] = []
    for n in range(size):
        known = [post["id"] for post in posts]
        parents = rng.sample(known, min(len(known), rng.randint(1, 3))) if n else []
        post_id = hashlib.sha256(b"%d %d" % (seed, n)).hexdigest()
        posts.append({"id": post_id, "hour": 498_000 + rng.randrange(3) + n // 4, "parents": sorted(parents)})
    if gaps:
        posts = [post for n, post in enumerate(posts) if n % 5 != 2]
    rng.shuffle(posts)
    return posts


def reading() -> list[dict[str, Any]]:
    threads = {
        "a chain": a_thread(1, 4, gaps=False),
        "forks that join": a_thread(2, 12, gaps=False),
        "posts missing, the root too": [p for p in a_thread(3, 20, gaps=True) if p["parents"]],
        "many": a_thread(4, 40, gaps=True),
    }
    for posts in threads.values():
        assert all(a["id"] != b["id"] for a, b in pairwise(sorted(posts, key=lambda p: str(p["id"]))))
    return [{"name": name, "posts": posts, "order": reading_order(posts)} for name, posts in threads.items()]


def prefixes() -> list[dict[str, str]]:
    full = base32(VALUES[4])
    written = {full[:1], full[:8], full[:51], full, "z", "0", "00000000"}
    return [
        {"written": prefix, "lowest": low.hex(), "highest": high.hex()}
        for prefix in sorted(written)
        for low, high in [range_of(prefix)]
    ]


def board_tag(nonces: bytes, board: str) -> bytes:
    return hashlib.blake2b(board.encode(), digest_size=8, key=nonces, person=b"p2pforum/sync/1").digest()


def network(name: str) -> dict[str, Any]:
    is_test = name == "test" or name.startswith("test.")
    return {
        "name": name,
        "stamp_floor": 0 if is_test else 10,
        "external_aad of posts": f"{name}/post/1",
        "external_aad of peer records": f"{name}/peer/1",
        "topic": f"{name}/posts/1",
        "sync": f"/{name}/sync/1",
        "stem": f"/{name}/stem/1",
        "exchange": f"/{name}/peers/1",
    }


NETWORKS = ("p2pforum", "test", "test.", "test.lab", "tests", "testing", "a.test", "te", "-", "n" * 32)


def not_peers() -> list[str]:
    good = base58.b58encode(bytes.fromhex("002408011220") + KEYS[0]).decode()
    others = ["002408021221" + "02" * 33, "1220" + "00" * 32, "00240801122000" + "00" * 32]
    return [
        good[:-1],
        "1" + good,
        good + " ",
        " " + good,
        "",
        *(base58.b58encode(bytes.fromhex(o)).decode() for o in others),
    ]


def vectors() -> dict[str, Any]:
    nonces = bytes(range(32))
    return {
        "about": "hex; sections are those of PROTOCOL.md",
        "networks (section 1)": [network(name) for name in NETWORKS],
        "not networks (section 1)": ["", "n" * 33, "Test", "a_b", "a/b", "a b", "a\n", "\u00e9"],
        "ids (section 4)": [{"id": value.hex(), "written": base32(value)} for value in VALUES],
        "beginnings of ids (section 4)": prefixes(),
        "not ids (section 4)": ["", "u", "!", base32(VALUES[4]) + "0", base32(VALUES[4])[:51] + "1"],
        "pseudonyms (section 4)": [pseudonym(key, root) for key in KEYS[:3] for root in KEYS[3:]],
        "stamps (section 3)": [
            stamp(hour, post_id)
            for hour in (0, 1, 498_000, 2**31 - 1)
            for post_id in (VALUES[0], a_lucky_id(0), a_lucky_id(1), a_lucky_id(7))
        ],
        "reading order (section 5)": reading(),
        "message ids (section 8)": [
            {"data": data.hex(), "id": hashlib.sha256(data).hexdigest()} for data in (b"", b"post")
        ],
        "board tags (section 9)": {
            "initiator's nonce": nonces[:16].hex(),
            "responder's nonce": nonces[16:].hex(),
            "tags": {board: board_tag(nonces, board).hex() for board in ("general", "a", "x.y-z", "." * 64)},
        },
        "peer ids (section 7)": [
            {"key": key.hex(), "peer": base58.b58encode(bytes.fromhex("002408011220") + key).decode()}
            for key in KEYS
        ],
        "not peer ids (section 7)": not_peers(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
