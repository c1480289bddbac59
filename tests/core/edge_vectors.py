"""Makes docs/vectors/ed25519-edges.json: signatures at the edges where Ed25519 libraries differ.

The arithmetic of RFC 8032 in plain integers, nothing of the program's own; deterministic. Each case says
which equations hold, so that another implementation sees what its rule would have to be. To run it:
    python -m tests.core.edge_vectors
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent.parent / "docs" / "vectors" / "ed25519-edges.json"

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
ZERO: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(n: int, a: Point) -> Point:
    """In the extended coordinates of RFC 8032 §5.1.4: one division at the end instead of two a step."""
    found, a4 = (0, 1, 1, 0), (*a, 1, a[0] * a[1] % P)
    while n:
        if n & 1:
            found = _add4(found, a4)
        a4, n = _add4(a4, a4), n >> 1
    inverse = pow(found[2], -1, P)
    return found[0] * inverse % P, found[1] * inverse % P


def _add4(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int, int]:
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def minus(a: Point) -> Point:
    return -a[0] % P, a[1]


def x_of(y: int, sign: int) -> int | None:
    """RFC 8032 §5.1.3, steps 2 to 4, but for the refusal of "x is 0 with the sign set"."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    return -x % P if x & 1 != sign else x


def encode(a: Point) -> bytes:
    return (a[1] | (a[0] & 1) << 255).to_bytes(32, "little")


def decode(raw: bytes) -> Point | None:
    """Leniently: y is taken mod p, and the sign of 0 is ignored, as libraries do that differ from ours."""
    number = int.from_bytes(raw, "little")
    y, sign = (number & (1 << 255) - 1) % P, number >> 255
    x = x_of(y, sign)
    return None if x is None else (x, y)


BASE: Point = (x_of(4 * pow(5, -1, P) % P, 0) or 0, 4 * pow(5, -1, P) % P)


def small_points() -> list[Point]:
    """The eight points whose order divides 8: multiples of the first one found of order 8."""
    for y in range(2, 100):
        x = x_of(y, 0)
        if x is not None:
            torsion = times(L, (x, y))
            if times(4, torsion) != ZERO:
                return [times(n, torsion) for n in range(8)]
    raise AssertionError


SMALL = small_points()


def number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


SECRET = number(b"p2pforum edge vectors, secret") % L
NONCE = number(b"p2pforum edge vectors, nonce") % L
PUBLIC = times(SECRET, BASE)


def case(name: str, key: bytes, r: bytes, s: int, message: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "key": key.hex(),
        "message": message.hex(),
        "signature": (r + s.to_bytes(32, "little")).hex(),
        **equations(key, r, s, message),
        "accept": False,
    }


def equations(key: bytes, r: bytes, s: int, message: bytes) -> dict[str, bool]:
    """Whether the two readings of the equation hold, points taken leniently and S mod L."""
    public, commitment = decode(key), decode(r)
    if public is None or commitment is None:
        return {"cofactorless": False, "cofactored": False}
    share = number(r, key, message) % L  # reduced, as libraries do: it matters for points of mixed order
    rest = add(add(times(s % L, BASE), minus(times(share, public))), minus(commitment))
    return {"cofactorless": rest == ZERO, "cofactored": times(8, rest) == ZERO}


def search(make: Any) -> bytes:
    """The first message, counting, for which `make(message)` says that the equation comes out as wanted."""
    return next(m for n in range(10_000) if make(m := b"message %d" % n))


def signed(key: bytes, secret: int, r: bytes, nonce: int, message: bytes) -> int:
    return (nonce + number(r, key, message) % L * secret) % L


def cases() -> Iterator[dict[str, Any]]:
    key, r = encode(PUBLIC), encode(times(NONCE, BASE))
    message = b"a message"
    s = signed(key, SECRET, r, NONCE, message)
    yield case("a good signature", key, r, s, message) | {"accept": True}
    empty = signed(key, SECRET, r, NONCE, b"")
    yield case("a good signature of nothing", key, r, empty, b"") | {"accept": True}
    yield case("another message", key, r, s, b"another")
    yield from _numbers(key, r, s, message)
    yield from _small_keys()
    yield from _small_commitments(key)
    yield from _mixed()
    yield from _spellings(key)
    off = next(y for y in range(2, 100) if x_of(y, 0) is None)
    yield case("A not on the curve", off.to_bytes(32, "little"), r, s, message)
    yield case("R not on the curve", key, off.to_bytes(32, "little"), s, message)


def _numbers(key: bytes, r: bytes, s: int, message: bytes) -> Iterator[dict[str, Any]]:
    """S out of range: the same number mod L is another signature to who does not look."""
    for n in range(1, 16):
        if s + n * L < 2**256 and n in (1, 2, 7, 8, 14):
            yield case(f"S + {n} L", key, r, s + n * L, message)
    for name, wanted in (("L - 1", L - 1), ("0", 0), ("L", L), ("L + 1", L + 1)):
        yield case(f"S = {name}, and no R for it", key, r, wanted, message)
    yield case("S = 2^256 - 1", key, r, 2**256 - 1, message)
    yield case("S = 2^253", key, r, 2**253, message)


def _small_keys() -> Iterator[dict[str, Any]]:
    """With A of small order, one (R, S) is good for many messages: such a key signs nothing."""
    commitment = times(NONCE, BASE)
    r = encode(commitment)
    for n, point in enumerate(SMALL):
        key = encode(point)
        message = search(lambda m, key=key: equations(key, r, NONCE, m)["cofactorless"])
        yield case(f"A of small order, {n} of 8", key, r, NONCE, message)
    key = encode(SMALL[0])
    yield case("A and R the identity, S = 0", key, key, 0, b"anything")
    for n in (1, 2, 4):
        key = encode(SMALL[n])
        message = search(lambda m, key=key: equations(key, key, 0, m)["cofactored"])
        yield case(f"A and R of order {8 // n}, S = 0", key, key, 0, message)


def _small_commitments(key: bytes) -> Iterator[dict[str, Any]]:
    """R of small order: S = h a, which the holder of the key alone can make, and no library need."""
    for n, point in enumerate(SMALL):
        r, message = encode(point), b"small R"
        yield case(f"R of small order, {n} of 8", key, r, signed(key, SECRET, r, 0, message), message)


def _mixed() -> Iterator[dict[str, Any]]:
    """Points with a part of small order: good with the factor 8 always, without it for some messages."""
    r = encode(times(NONCE, BASE))
    for n in (1, 2, 4):
        key = encode(add(PUBLIC, SMALL[n]))

        def made(m: bytes, key: bytes = key) -> dict[str, bool]:
            return equations(key, r, signed(key, SECRET, r, NONCE, m), m)

        both = search(lambda m, made=made: made(m)["cofactorless"])
        only = search(lambda m, made=made: not made(m)["cofactorless"])
        for name, message in (("with and without the factor 8", both), ("with the factor 8 only", only)):
            s = signed(key, SECRET, r, NONCE, message)
            yield case(f"A with a part of order {8 // n}, good {name}", key, r, s, message)
    key = encode(PUBLIC)
    for n in (1, 2, 4):
        mixed = encode(add(times(NONCE, BASE), SMALL[n]))
        s = signed(key, SECRET, mixed, NONCE, b"mixed R")
        yield case(f"R with a part of order {8 // n}, good with the factor 8 only", key, mixed, s, b"mixed R")
    key, mixed = encode(add(PUBLIC, SMALL[1])), encode(add(times(NONCE, BASE), SMALL[7]))
    message = search(lambda m: equations(key, mixed, signed(key, SECRET, mixed, NONCE, m), m)["cofactorless"])
    s = signed(key, SECRET, mixed, NONCE, message)
    yield case("A and R of mixed order, good with and without the factor 8", key, mixed, s, message)


def _spellings(key: bytes) -> Iterator[dict[str, Any]]:
    """y of p or more, and a sign for x = 0: second spellings of points, and so of posts."""
    second = [(y + P, sign) for y in (0, 1) for sign in (0, 1)] + [(y, 1) for y in (1, P - 1)]
    r = encode(times(NONCE, BASE))
    for y, sign in second:
        spelt = (y | sign << 255).to_bytes(32, "little")
        name = f"y = {'p + ' + str(y - P) if y >= P else '1' if y == 1 else 'p - 1'}, sign {sign}"
        message = search(lambda m, spelt=spelt: equations(spelt, r, NONCE, m)["cofactorless"])
        yield case(f"A spelt {name}", spelt, r, NONCE, message)
        s = signed(key, SECRET, spelt, 0, b"spelt")
        yield case(f"R spelt {name}", key, spelt, s, b"spelt")
    for y in range(19):  # all of them that are points of large order: nobody knows their secrets
        spelt = (y + P).to_bytes(32, "little")
        if y > 1 and decode(spelt) is not None:
            yield case(f"A spelt y = p + {y}, R and S as they fall", spelt, r, NONCE, b"nobody's")


def vectors() -> dict[str, Any]:
    return {
        "about": "hex. `accept` is the rule for posts (PROTOCOL.md, Signature rule). `cofactorless`, "
        "`cofactored`: whether S B = R + h A holds, as it stands and times 8, with points decoded leniently "
        "and S, h mod L",
        "cases": list(cases()),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
