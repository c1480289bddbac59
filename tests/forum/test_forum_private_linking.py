"""A private proof convinces its reader; everybody else sees what the reader could have made alone.

Negative controls: a proof whose reader part is drawn from fewer numbers is told from a forged one by the same
test; a proof with any field changed, a key exchanged, or made with one secret of the two is refused.
"""

import base64
import hashlib
import math

import pytest
from nacl import bindings
from strategies import TEST_NETWORK, a_key, a_seed

from p2pforum.core.errors import Refused
from p2pforum.core.network_params import params_for
from p2pforum.forum import private_linking as private
from p2pforum.forum.linking import armoured, make_proof
from p2pforum.keystore.contents import AuthorKey, new_key

ORDER = 2**252 + 27742317777372353535851937790883648493
SAMPLES = 400
SMALL_ORDER = [  # the eight points of small order; the first is the identity
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
MIXED_ORDER = "9599999999999999999999999999999999999999999999999999999999999999"
NOT_CANONICAL = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"  # 1 + p


def key(n: int) -> AuthorKey:
    return new_key(a_seed(n), b"", "", 0)


ONE, OTHER, READER, STRANGER = (key(n) for n in (1, 2, 3, 4))
FIRST, SECOND = sorted((a_key(1), a_key(2)))
LINKED = private.PrivatelyLinkedKeys(FIRST, SECOND, a_key(3))


def real(**choice: bytes) -> str:
    return private.make(ONE, OTHER, READER.public, TEST_NETWORK, private.OwnerChoice(**choice))


def forged(**choice: bytes) -> str:
    return private.forge(FIRST, SECOND, READER, TEST_NETWORK, private.ReaderChoice(**choice))


def body_of(proof: str) -> bytes:
    letters = proof.partition(":")[2]
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def scalars(proof: str) -> list[bytes]:
    body = body_of(proof)
    return [body[i : i + 32] for i in range(96, 256, 32)]


def with_body(body: bytes) -> str:
    return armoured(private.HEAD, body)


def refused(proof: str, match: str | None = None) -> None:
    with pytest.raises(Refused, match=match):
        private.check(proof, TEST_NETWORK)


# --- what it proves -------------------------------------------------------------------------------------


def test_made_by_the_owner_or_by_the_reader_it_is_accepted_equally() -> None:
    assert private.check(real(), TEST_NETWORK) == private.check(forged(), TEST_NETWORK) == LINKED
    assert private.make(OTHER, ONE, READER.public, TEST_NETWORK)
    assert len(real()) == len(forged()) == len(private.HEAD) + 1 + 342


def test_one_secret_of_the_two_is_not_enough() -> None:
    """Nor is any other secret: each of three tries to say it of keys 1 and 2 is refused."""
    for liar in (
        AuthorKey(a_key(2), a_seed(4), b"", "", 0, 0),
        AuthorKey(a_key(2), a_seed(1), b"", "", 0, 0),
    ):
        refused(private.make(ONE, liar, READER.public, TEST_NETWORK), "neither")
    not_the_reader = AuthorKey(a_key(3), a_seed(4), b"", "", 0, 0)
    refused(private.forge(FIRST, SECOND, not_the_reader, TEST_NETWORK), "neither")


def test_it_holds_for_one_network_and_one_reader() -> None:
    with pytest.raises(Refused):
        private.check(real(), params_for("test.other"))
    body = body_of(real())
    for at, public in ((0, a_key(4)), (32, a_key(4)), (64, a_key(4))):
        refused(with_body(body[:at] + public + body[at + 32 :]))


def test_a_public_proof_is_no_private_one() -> None:
    refused(make_proof(ONE, OTHER, TEST_NETWORK), "letter")
    refused(make_proof(ONE, OTHER, TEST_NETWORK).replace("p2pforum-link-1", private.HEAD), "letter")


@pytest.mark.parametrize(("one", "other", "reader"), [(1, 1, 3), (1, 2, 1), (1, 2, 2)])
def test_keys_that_would_prove_nothing(one: int, other: int, reader: int) -> None:
    with pytest.raises(Refused):
        private.make(key(one), key(other), a_key(reader), TEST_NETWORK)
    with pytest.raises(Refused):
        private.forge(a_key(one), a_key(other), key(reader), TEST_NETWORK)


# --- nobody else can tell -------------------------------------------------------------------------------


def add(a: bytes, b: bytes) -> bytes:
    return bindings.crypto_core_ed25519_scalar_add(a, b)


def times(a: bytes, b: bytes) -> bytes:
    return bindings.crypto_core_ed25519_scalar_mul(a, b)


def minus(a: bytes, b: bytes) -> bytes:
    return bindings.crypto_core_ed25519_scalar_sub(a, b)


def secret(n: int) -> bytes:
    digest = bytearray(hashlib.sha512(a_seed(n)).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    return bindings.crypto_core_ed25519_scalar_reduce(bytes(digest) + bytes(32))


def test_the_reader_could_have_drawn_every_real_proof() -> None:
    """Byte for byte: for any proof by the owner there is one draw by which the reader makes the same one."""
    for _ in range(10):
        proof = real()
        owner, reader, first, second, answer = scalars(proof)
        nonce = minus(answer, times(reader, secret(3)))
        again = forged(share_owner=owner, answer_first=first, answer_second=second, nonce_reader=nonce)
        assert again == proof


def test_the_owner_could_have_drawn_every_forged_proof() -> None:
    of_first, of_second = (secret(n) for n in sorted((1, 2), key=a_key))
    for _ in range(10):
        proof = forged()
        owner, reader, first, second, answer = scalars(proof)
        again = real(
            nonce_first=minus(first, times(owner, of_first)),
            nonce_second=minus(second, times(owner, of_second)),
            share_reader=reader,
            answer_reader=answer,
        )
        assert again == proof


def largest_gap(some: list[float], others: list[float]) -> float:
    """Kolmogorov and Smirnov: the largest distance between the two cumulative distributions."""
    places = sorted([(x, 0) for x in some] + [(x, 1) for x in others])
    seen, gap = [0, 0], 0.0
    for _, which in places:
        seen[which] += 1
        gap = max(gap, abs(seen[0] / len(some) - seen[1] / len(others)))
    return gap


def told_apart(some: list[str], others: list[str]) -> bool:
    """By any of the five numbers, as a whole or by its low bytes, or by any bit: p below 10^-6 each."""
    columns = [[scalars(proof) for proof in proofs] for proofs in (some, others)]
    limit = (-math.log(1e-6 / 2) / SAMPLES) ** 0.5  # of the gap, for two samples of the same size
    for n in range(5):
        wholes = [[int.from_bytes(row[n], "little") / ORDER for row in rows] for rows in columns]
        lows = [[int.from_bytes(row[n][:8], "little") / 2**64 for row in rows] for rows in columns]
        if largest_gap(*wholes) > limit or largest_gap(*lows) > limit:
            return True
        for bit in range(252):
            ones = [sum(row[n][bit // 8] >> bit % 8 & 1 for row in rows) for rows in columns]
            if abs(ones[0] - ones[1]) > 6 * (SAMPLES / 2) ** 0.5:  # six standard deviations
                return True
    return False


def test_no_field_tells_real_from_forged() -> None:
    reals, forgeries = [real() for _ in range(SAMPLES)], [forged() for _ in range(SAMPLES)]
    assert not told_apart(reals, forgeries)


@pytest.mark.parametrize("field", ["share_reader", "answer_reader"])
def test_the_same_test_catches_a_careless_maker(field: str) -> None:
    """The negative control: numbers of 128 bits, of which many would do for the proof to hold."""

    def short() -> bytes:
        return hashlib.sha256(body_of(real())).digest()[:16] + bytes(16)

    careless = [real(**{field: short()}) for _ in range(SAMPLES)]
    assert all(private.check(proof, TEST_NETWORK) == LINKED for proof in careless[:5])
    assert told_apart(careless, [forged() for _ in range(SAMPLES)])


# --- one spelling ---------------------------------------------------------------------------------------


def test_every_byte_counts() -> None:
    for body in (body_of(real()), body_of(forged())):
        for at in range(len(body)):
            changed = bytearray(body)
            changed[at] ^= 1
            refused(with_body(bytes(changed)))


@pytest.mark.parametrize("at", range(96, 256, 32))
@pytest.mark.parametrize("by", [1, 2, 8])
def test_a_number_plus_the_group_order_is_refused(at: int, by: int) -> None:
    body = body_of(real())
    number = int.from_bytes(body[at : at + 32], "little") + by * ORDER
    refused(with_body(body[:at] + number.to_bytes(32, "little") + body[at + 32 :]), "out of range")


@pytest.mark.parametrize("at", range(96, 256, 32))
@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_numbers_at_the_edge_are_refused(at: int, number: int) -> None:
    body = body_of(real())
    refused(with_body(body[:at] + number.to_bytes(32, "little") + body[at + 32 :]), "out of range")


def test_the_shares_cannot_be_exchanged_or_moved() -> None:
    body = body_of(real())
    owner, reader = body[96:128], body[128:160]
    refused(with_body(body[:96] + reader + owner + body[160:]))
    one = (1).to_bytes(32, "little")
    refused(with_body(body[:96] + add(owner, one) + minus(reader, one) + body[160:]), "neither")


@pytest.mark.parametrize("at", [0, 32, 64])
@pytest.mark.parametrize("point", [*SMALL_ORDER, MIXED_ORDER, NOT_CANONICAL])
def test_points_at_the_edge_are_refused(at: int, point: str) -> None:
    body = body_of(real())
    refused(with_body(body[:at] + bytes.fromhex(point) + body[at + 32 :]))
    if at == 64:
        with pytest.raises(Refused, match="can't sign a post"):
            private.make(ONE, OTHER, bytes.fromhex(point), TEST_NETWORK)


def test_the_keys_in_the_other_order_are_refused() -> None:
    body = body_of(real())
    refused(with_body(body[32:64] + body[:32] + body[64:192] + body[224:256] + body[192:224]), "order")


def test_other_spellings_are_refused() -> None:
    proof = real()
    private.check(f"  {proof}\n", TEST_NETWORK)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sloppy = last[last.index(proof[-1]) ^ 1]  # the last letter carries four bits of the last byte
    for spelling in (
        proof + "==",
        proof + "A",
        proof[:-1],
        proof[:-1] + sloppy,
        proof.replace(":", "", 1),
        proof[:40] + " " + proof[40:],
        proof[:40] + "\u00e9" + proof[41:],
        "",
        private.HEAD + ":",
        with_body(body_of(proof) + b"\0"),
        with_body(body_of(proof)[:-1]),
    ):
        refused(spelling)
