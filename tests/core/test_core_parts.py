"""IDs, stamps, names, text and the signature rule."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import HOUR, a_key, a_seed, ids

from p2pforum.core import post_id, pseudonym, signature, stamp, text
from p2pforum.core.errors import InvalidPost, P2PForumError
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, sig_structure, sign


@given(ids)
def test_an_id_can_be_written_and_read(value: bytes) -> None:
    written = post_id.format_id(value)
    assert len(written) == post_id.TEXT_LENGTH
    assert post_id.parse_id(written) == value
    assert post_id.parse_id(written.upper()) == value


@given(ids, st.integers(1, post_id.TEXT_LENGTH))
def test_a_prefix_bounds_its_ids(value: bytes, length: int) -> None:
    low, high = post_id.parse_prefix(post_id.format_id(value)[:length])
    assert low <= value <= high
    assert (
        post_id.format_id(low)[:length]
        == post_id.format_id(high)[:length]
        == post_id.format_id(value)[:length]
    )


@pytest.mark.parametrize("bad", ["", "u", "hello!", "a" * 53, "z" * 52, "\u0661"])
def test_what_is_not_an_id(bad: str) -> None:
    with pytest.raises(ValueError, match="not an ID"):
        post_id.parse_prefix(bad)


def test_letters_that_look_like_digits_are_read_as_such() -> None:
    assert post_id.parse_prefix("OiL") == post_id.parse_prefix("011")


def test_a_short_id_is_not_a_whole_one() -> None:
    with pytest.raises(ValueError, match="whole"):
        post_id.parse_id("k7q2mf0a")


def test_grinding_finds_what_checking_accepts() -> None:
    params = NetworkParams("grind", stamp_floor=4)
    payload = Payload(Kind.POST, "general", b"", (), HOUR, ("s", "b"), stamp.blank_stamp(6))
    salt = stamp.stamp_salt(HOUR)
    structure = sig_structure(a_key(1), payload.encode(), params)
    nonce = stamp.grind(structure, salt, 6, 0, 2000)
    assert nonce is not None
    assert stamp.grind(structure, salt, 6, 0, nonce) is None
    minted = Payload(
        Kind.POST, "general", b"", (), HOUR, ("s", "b"), stamp.Stamp(1, 6, nonce.to_bytes(8, "big"))
    )
    sign(minted, a_seed(1), a_key(1), params).verify_stamp(params)


def test_a_stamp_holds_for_one_hour() -> None:
    assert len({stamp.stamp_salt(hour) for hour in range(100)}) == 100
    assert stamp.stamp_salt(1) == hashlib.sha256(b"\0\0\0\1").digest()[:16]


@pytest.mark.slow
def test_a_stamp_holds_in_one_network_and_on_one_board() -> None:
    """The ID commits to both: a nonce that is worth 12 bits here is worth nothing like it elsewhere."""
    here, there = NetworkParams("grind", stamp_floor=4), NetworkParams("grind-2", stamp_floor=4)
    fields = Payload(Kind.POST, "general", b"", (), HOUR, ("s", "b"), stamp.blank_stamp(12))
    structure = sig_structure(a_key(1), fields.encode(), here)
    nonce = stamp.grind(structure, stamp.stamp_salt(HOUR), 12, 0, 100_000)
    assert nonce is not None
    minted = replace(fields, stamp=stamp.Stamp(1, 12, nonce.to_bytes(8, "big")))
    sign(minted, a_seed(1), a_key(1), here).verify_stamp(here)
    for post, params in (
        (sign(minted, a_seed(1), a_key(1), there), there),
        (sign(replace(minted, board="general-2"), a_seed(1), a_key(1), here), here),
    ):
        with pytest.raises(InvalidPost):
            post.verify_stamp(params)


def test_a_name_belongs_to_a_key_in_one_thread() -> None:
    names = {pseudonym.name_of(a_key(n), bytes([t]) * 32) for n in range(20) for t in range(20)}
    assert len(names) == 400
    assert all(len(name) == 17 and name.count("-") == 2 for name in names)


def test_an_identicon_is_symmetric() -> None:
    picture = pseudonym.identicon_of(a_key(1), b"r" * 32)
    assert all(row == row[::-1] and len(row) == pseudonym.GRID for row in picture.cells)
    assert 0 <= picture.hue < 360


@given(st.text(max_size=200))
def test_normalized_text_may_travel(typed: str) -> None:
    once = text.normalize(typed.encode(errors="ignore").decode())
    assert text.is_valid_text(once)
    assert text.normalize(once) == once


def test_no_control_may_travel_and_all_else_may() -> None:
    """C0 but newline, DEL, C1, bidi controls, the tag block; alone and in a text that is not ASCII."""
    forbidden = {*range(10), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F)}
    forbidden |= {*range(0x2066, 0x206A), *range(0xE0000, 0xE0080)}
    for code in [*range(0xD800), *range(0xE000, 0x10FFF), *range(0xDFF00, 0xE0200)]:
        assert text.is_valid_text(f"a{chr(code)}b") == (code not in forbidden)
        assert text.is_valid_text(f"\u00e9{chr(code)}") == (code not in forbidden)


def test_editors_leave_no_trace() -> None:
    assert text.normalize("a\r\nb  \n\n") == text.normalize("a\nb") == "a\nb"
    assert text.normalize("e\u0301") == text.normalize("e\ufeff\u0301") == "\u00e9"
    assert text.normalize("\ufeffHello gardeners") == "Hello gardeners"
    for end in ("\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"):
        assert text.normalize(f"a{end}b") == "a\nb"
    assert text.normalize("e\u0301\tx") == text.normalize("\u00e9\tx") == "\u00e9   x"


def _small_order_points() -> list[bytes]:
    """The canonical encodings of the points whose order divides eight: RFC 8032 arithmetic."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    root = pow(2, (p - 1) // 4, p)

    def x_of(y: int) -> int | None:
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(x2, (p + 3) // 8, p)
        if (x * x - x2) % p:
            x = x * root % p
        return None if (x * x - x2) % p else x

    # order 8: y^2 = (1 - sqrt(1 + d)) / -d or its like; found by halving (0, -1) and (root, 0)
    candidates = {0, 1, p - 1}
    for y4 in range(2):
        s = pow(1 + d, (p + 3) // 8, p)
        s = s if (s * s - 1 - d) % p == 0 else s * root % p
        y2 = (1 + (-1) ** y4 * s) * pow(-d, -1, p) % p
        y = pow(y2, (p + 3) // 8, p)
        for candidate in (y, y * root % p):
            if (candidate * candidate - y2) % p == 0:
                candidates |= {candidate, p - candidate}
    found = []
    for y in sorted(candidates):
        x = x_of(y)
        if x is not None:
            found += [
                (y | (sign & 1) << 255).to_bytes(32, "little") for sign in {x & 1, (p - x) & 1 if x else 0}
            ]
    return found


def test_keys_of_small_order_are_no_keys() -> None:
    points = _small_order_points()
    assert len(points) >= 6
    assert not any(signature.is_valid_key(point) for point in points)


def test_non_canonical_keys_and_signatures_are_refused() -> None:
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    assert not signature.is_valid_key((p + 1).to_bytes(32, "little"))
    assert not signature.is_valid_key(b"")
    from nacl.bindings import crypto_sign

    signed = crypto_sign(b"m", a_seed(1) + a_key(1))[:64]
    assert signature.verify(b"m", signed, a_key(1))
    s = int.from_bytes(signed[32:], "little") + order
    assert not signature.verify(b"m", signed[:32] + s.to_bytes(32, "little"), a_key(1))
    assert not signature.verify(b"m", signed[:63], a_key(1))


def test_the_self_test_passes_here_and_fails_on_an_old_libsodium(monkeypatch: pytest.MonkeyPatch) -> None:
    signature.self_test()
    monkeypatch.setattr(signature, "is_valid_key", lambda key: True)
    with pytest.raises(P2PForumError, match="CVE-2025-69277"):
        signature.self_test()


def test_the_id_is_a_plain_sha256() -> None:
    assert post_id.post_id(b"abc") == hashlib.sha256(b"abc").digest()
