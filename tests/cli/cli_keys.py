"""A person with a keystore of their own, as the tests of its commands see it."""

import os
from functools import partial
from pathlib import Path

import pytest
from cli_world import World

from p2pforum.app import unlocking
from p2pforum.cli.terminal import passphrases
from p2pforum.config import find_paths
from p2pforum.core.post_id import format_id
from p2pforum.keystore.contents import Contents
from p2pforum.keystore.format import KdfCost
from p2pforum.keystore.keystore import Keystore, passphrase_in

CHEAP = KdfCost(passes=1, memory=64 * 1024)


def mine(world: World) -> Contents:
    """What the keystore holds; its passphrase, if any, is in `passphrase` under the home."""
    return keystore_of(world).read()


def keystore_of(world: World) -> Keystore:
    passphrase = passphrase_in(world.home / "passphrase")
    return Keystore(find_paths(world.home).keys_dir, passphrase, CHEAP)


def set_passphrase(world: World, monkeypatch: pytest.MonkeyPatch, text: str = "correct horse") -> Path:
    """The file that P2PFORUM_PASSPHRASE_FILE names."""
    path = world.home / "passphrase"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    monkeypatch.setenv("P2PFORUM_PASSPHRASE_FILE", str(path))
    return path


def make_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases cost nothing in this process, and there is no terminal to ask on."""
    monkeypatch.setattr(unlocking, "Keystore", partial(Keystore, cost=CHEAP))
    monkeypatch.setattr(passphrases, "has_terminal", lambda: False)


def forms(seed: bytes) -> list[bytes]:
    """A secret in every way in which something here could write it."""
    return [seed, seed.hex().encode(), format_id(seed).encode()]
