"""The key that attackers of e2e_floods write with. It is not secret."""

from nacl.bindings import crypto_sign_seed_keypair

SEED = (99).to_bytes(32, "big")
KEY = bytes(crypto_sign_seed_keypair(SEED)[0])
