"""A keystore's contents in a file elsewhere: the same format (format.py), under its own passphrase.

Not what a restore does with them (forum/backup.py).
"""

import os
from pathlib import Path

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError
from p2pforum.keystore.contents import Contents, decode, encode
from p2pforum.keystore.files import discard, sync_directory
from p2pforum.keystore.format import KdfCost, Lock, derive, least_cost, new_lock, parse, seal, unseal
from p2pforum.keystore.keystore import Passphrase


def write_backup(
    path: Path, contents: Contents, passphrase: bytes | None, cost: KdfCost | None = None
) -> None:
    """Make a new file, 0600, and read it back to check it. Never replaces a file. Raises KeystoreError; then
    no file is left.
    """
    if passphrase == b"":
        raise KeystoreError("an empty passphrase protects nothing")
    lock = Lock() if passphrase is None else new_lock(passphrase, cost or KdfCost())
    sealed = seal(encode(contents), lock)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeystoreError(f"{path} exists already; a backup replaces nothing") from None
    except OSError as error:
        raise KeystoreError(f"cannot write {path}: {error.strerror}") from error
    try:
        with open(fd, "r+b") as file:
            file.write(sealed)
            file.flush()
            os.fsync(fd)
        if path.read_bytes() != sealed:
            raise KeystoreError(f"{path} does not read back as it was written; try another disk")
        sync_directory(path.parent)
    except OSError as error:
        discard(path)
        raise KeystoreError(f"cannot write {path}: {error.strerror}") from error
    except BaseException:
        discard(path)
        raise


def is_encrypted_backup(path: Path, cost: KdfCost | None = None) -> bool:
    return parse(_read(path), least_cost(cost)).is_encrypted


def read_backup(path: Path, passphrase: Passphrase, cost: KdfCost | None = None) -> Contents:
    """The contents of a backup. Calls `passphrase` if the file is encrypted. Raises
    WrongPassphrase, KeystoreError.

    Owner and mode of the file are not checked, because a USB stick from another machine keeps neither.
    """
    sealed = parse(_read(path), least_cost(cost))
    key = derive(passphrase(), sealed.salt, sealed.cost) if sealed.is_encrypted else b""
    return decode(unseal(sealed, key))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(limits.KEYSTORE_LARGEST + 1)
    except OSError as error:
        raise KeystoreError(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > limits.KEYSTORE_LARGEST:
        raise KeystoreError(f"{path} is too large to be a backup of p2pforum")
    return raw
