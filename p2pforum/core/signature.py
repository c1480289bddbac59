"""The one rule by which a node accepts an Ed25519 signature.

A and R canonical, A in the prime-order subgroup, S < L, cofactorless equation: libsodium's
`crypto_core_ed25519_is_valid_point` and `crypto_sign_verify_detached` check this together. Libraries differ
at the edges (ed25519-speccheck; Chalkias et al., "Taming the many EdDSAs"). Two rules in one network would
split it, so no other code in this program may verify a post.
"""

import functools

from p2pforum.core.errors import P2PForumError

PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64

# CVE-2025-69277: a point of mixed order that libsodium accepted before 2025-12-31 as a valid one.
# It is the base point plus the point of order two, (0, -1).
_MIXED_ORDER = bytes.fromhex("9599999999999999999999999999999999999999999999999999999999999999")


@functools.lru_cache(maxsize=8192)
def is_valid_key(public_key: bytes) -> bool:
    """Whether the key can verify signatures. Cached, because an author's key comes with each of his posts,
    and this check costs as much as verifying a signature.
    """
    from nacl import bindings  # libsodium takes 4 ms to load: commands that only read do without

    return len(public_key) == PUBLIC_KEY_SIZE and bool(
        bindings.crypto_core_ed25519_is_valid_point(public_key)
    )


def verify(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether `signature` (64 bytes) of `message` is by `public_key` (32 bytes). False for wrong sizes and
    for keys that `is_valid_key` refuses. The rule: head of this file, and docs/PROTOCOL.md.
    """
    if len(signature) != SIGNATURE_SIZE or not is_valid_key(public_key):
        return False
    from nacl import bindings
    from nacl.exceptions import BadSignatureError

    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def self_test() -> None:
    """Stop the start on a libsodium whose rule differs from ours. Raises P2PForumError."""
    if is_valid_key(_MIXED_ORDER):
        raise P2PForumError(
            "this libsodium accepts keys of mixed order (CVE-2025-69277); pynacl 1.6.2 is needed"
        )
    # RFC 8032 §7.1, test 2
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    if not verify(b"\x72", signature, key) or verify(b"\x73", signature, key):
        raise P2PForumError("this libsodium does not verify the RFC 8032 test vector")
