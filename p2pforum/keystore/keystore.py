"""The keystore: the private file itself. Asks for the passphrase, or for the key of an agent
that holds it.

Not the format (format.py), not its contents (contents.py), not how files are kept private and
whole (files.py).
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError, WrongPassphrase
from p2pforum.keystore import files
from p2pforum.keystore.contents import Contents, decode, encode
from p2pforum.keystore.format import (
    KdfCost,
    Lock,
    Sealed,
    derive,
    least_cost,
    new_lock,
    parse,
    seal,
    unseal,
)

FILE_NAME = "keystore"
LOCK_NAME = "keystore.lock"
PASSPHRASE_FILE = "P2PFORUM_PASSPHRASE_FILE"
_PATIENCE = 10.0  # seconds to wait for another process; each holds the lock for milliseconds

Passphrase = Callable[[], bytes]
"""Called once in the life of a Keystore, and only if the file is encrypted."""

HeldKey = Callable[[bytes], bytes | None]
"""The key of a file that begins with this mark, if the agent holds it. Then the user is not asked."""


class Keystore:
    """One key directory. Cheap to make: nothing is opened before it is needed.

    `cost` is for new files and new passphrases; tests pass a small one.
    """

    def __init__(
        self,
        directory: Path,
        passphrase: Passphrase | None = None,
        cost: KdfCost | None = None,
        held_key: HeldKey | None = None,
    ) -> None:
        self.path = directory / FILE_NAME
        self._directory = directory
        self._passphrase = passphrase
        self._held_key = held_key
        self._cost = cost or KdfCost()
        self._lock: Lock | None = None  # the key, once derived: half a second is paid once

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.path)

    @property
    def is_encrypted(self) -> bool:
        """Whether a passphrase is needed. False if there is no file yet. Raises KeystoreError."""
        raw = self._read_file()
        return raw is not None and parse(raw, least_cost(self._cost)).is_encrypted

    @property
    def mark_and_key(self) -> tuple[bytes, bytes] | None:
        """The mark of the file and its 32-byte key, for the agent; None for a plain file.
        Raises as `read` does.
        """
        raw = self._read_file()
        if raw is None:
            return None
        self._open(raw)
        sealed = parse(raw, least_cost(self._cost))
        return (sealed.mark, self._lock.key) if sealed.is_encrypted and self._lock else None

    def create(self, passphrase: bytes | None) -> None:
        """Make an empty keystore; without a passphrase its mode is plain. Raises
        KeystoreError if there is one already.
        """
        files.prepare_directory(self._directory)
        with self._exclusive():
            if self.exists:
                raise KeystoreError(f"there is a keystore already: {self.path}")
            self._write(Contents(), self._new_lock(passphrase))

    def read(self) -> Contents:
        """A copy of the contents; empty if there is no keystore yet.

        Raises WrongPassphrase, and KeystoreError for a file that can't be used.
        """
        raw = self._read_file()
        return Contents() if raw is None else self._open(raw)

    @contextmanager
    def transaction(self) -> Iterator[Contents]:
        """Change the contents. They are written as a whole when the block ends well, and not
        at all when it raises.

        Other processes wait meanwhile, so do nothing slow inside. Raises KeystoreError if
        there is no keystore.
        """
        self.read()  # asks for the passphrase while no other process waits for us
        with self._exclusive():
            raw = self._read_file()
            if raw is None:
                raise KeystoreError(f"there is no keystore in {self._directory}")
            contents = self._open(raw)
            before = encode(contents)
            yield contents
            if encode(contents) != before and self._lock is not None:
                self._write(contents, self._lock)

    def change_passphrase(self, passphrase: bytes | None) -> None:
        """Seal all contents anew; None makes the file plain. The old passphrase no longer opens it."""
        new = self._new_lock(passphrase)
        with self.transaction():
            self._write(self.read(), new)

    def _new_lock(self, passphrase: bytes | None) -> Lock:
        if passphrase is None:
            return Lock()
        if not passphrase:
            raise KeystoreError("an empty passphrase protects nothing")
        return new_lock(passphrase, self._cost)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if not self._directory.exists():
            raise KeystoreError(f"there is no key directory {self._directory}")
        files.check_directory(self._directory)
        with files.exclusive(self._directory / LOCK_NAME, _PATIENCE):
            yield

    def _read_file(self) -> bytes | None:
        raw = files.read_private(self.path, limits.KEYSTORE_LARGEST)
        if raw is not None:
            files.check_directory(self._directory)
        return raw

    def _open(self, raw: bytes) -> Contents:
        sealed = parse(raw, least_cost(self._cost))
        if not sealed.is_encrypted:
            self._lock = Lock()
        elif self._lock is None or (self._lock.salt, self._lock.cost) != (sealed.salt, sealed.cost):
            return self._unlock(sealed)
        return decode(unseal(sealed, self._lock.key))

    def _unlock(self, sealed: Sealed) -> Contents:
        held = self._held_key(sealed.mark) if self._held_key else None
        if held is not None:
            with suppress(WrongPassphrase):  # the agent holds a wrong key: ask the user
                return self._try(sealed, held)
        if self._passphrase is None:
            raise KeystoreError("the keystore is encrypted and no passphrase was given")
        return self._try(sealed, derive(self._passphrase(), sealed.salt, sealed.cost))

    def _try(self, sealed: Sealed, key: bytes) -> Contents:
        contents = decode(unseal(sealed, key))
        self._lock = Lock(key, sealed.salt, sealed.cost)
        return contents

    def _write(self, contents: Contents, lock: Lock) -> None:
        encoded = encode(contents)
        decode(encoded)  # it holds every key, so check that what is written can be read back
        files.replace(self.path, seal(encoded, lock))
        self._lock = lock


def passphrase_from_environment(environ: Mapping[str, str]) -> Passphrase | None:
    """Read the file that P2PFORUM_PASSPHRASE_FILE names, without one newline at its end; None
    if the variable is unset.
    """
    name = environ.get(PASSPHRASE_FILE)
    if not name:
        return None
    return passphrase_in(Path(name))


def passphrase_in(path: Path) -> Passphrase:
    """Read that file, without one newline at its end. The result raises KeystoreError for a file that is
    missing, empty, or open to other users.
    """

    def read() -> bytes:
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                    raise KeystoreError(f"{path} is open to other users; run: chmod 600 {path}")
                passphrase = file.read(limits.MAX_PASSPHRASE + 2)
        except OSError as error:
            raise KeystoreError(f"cannot read the passphrase file {path}: {error.strerror}") from error
        passphrase = passphrase.removesuffix(b"\n").removesuffix(b"\r")
        if not passphrase:
            raise KeystoreError(f"the passphrase file {path} is empty")
        return passphrase

    return read
