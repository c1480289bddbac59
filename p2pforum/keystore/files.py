"""Files that no other user may read: checked when opened, replaced as a whole or not at all.

Knows nothing of their contents.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path

from p2pforum.core.errors import KeystoreError

_CHECKOUT_FILES = {"README.md", ".gitignore"}  # what git keeps in keys/
_HOUR = 3_600 * 10**9  # ns
_POLL = 0.02  # seconds between two tries for the lock


def prepare_directory(directory: Path) -> None:
    """Make the directory, 0700. If git made it (0755, nothing but its own files in it), it is closed to
    others first. Raises KeystoreError.
    """
    if directory.is_symlink():
        raise _link(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_ours = directory.stat().st_uid == os.geteuid()
        if is_ours and set(os.listdir(directory)) <= _CHECKOUT_FILES:
            directory.chmod(0o700)
    except OSError as error:
        raise KeystoreError(f"cannot make the key directory {directory}: {error.strerror}") from error
    check_directory(directory)


def check_directory(directory: Path) -> None:
    """Raises KeystoreError unless the directory belongs to this user alone. Directories above it may be
    links, as a home directory may be.
    """
    try:
        status = directory.lstat()
    except OSError as error:
        raise KeystoreError(f"cannot open the key directory {directory}: {error.strerror}") from error
    if stat.S_ISLNK(status.st_mode):
        raise _link(directory)
    if not stat.S_ISDIR(status.st_mode):
        raise KeystoreError(f"{directory} is not a directory")
    _check_private(status, directory, "700")


def _check_private(status: os.stat_result, path: Path, mode: str) -> None:
    problem = not_private(status, path, mode)
    if problem:
        raise KeystoreError(problem)


def not_private(status: os.stat_result, path: Path, mode: str) -> str:
    """What is wrong with the owner or the mode of a path, and the command that mends it;
    empty if nothing is wrong.
    """
    if status.st_uid != os.geteuid():
        return f"{path} belongs to another user of this machine; run: {_shell('chown', os.geteuid(), path)}"
    if status.st_mode & 0o077:
        return f"{path} is open to other users of this machine; run: {_shell('chmod', mode, path)}"
    return ""


def _link(path: Path) -> KeystoreError:
    return KeystoreError(link_problem(path))


def link_problem(path: Path) -> str:
    """Why a path must be no symbolic link, and the command that mends it. An attacker who can change the
    target of a link could put another key directory in the place of ours.
    """
    mend = _shell("rm", path)
    if path.exists():
        mend += f" && {_shell('mv', path.resolve(), path)}"
    return f"{path} is a symbolic link; run: {mend}"


def _shell(*words: object) -> str:
    import shlex  # only when something is wrong

    return shlex.join(map(str, words))


def read_private(path: Path, largest: int) -> bytes | None:
    """The bytes of a file that belongs to this user alone; None if there is none. Raises KeystoreError.

    A reader holds no lock. If the file is replaced while it is read, a writer wipes the old
    one, so it is read anew.
    """
    while True:
        read = _read_once(path, largest)
        if read is None:
            return None
        content, is_there = read
        if is_there:
            return content


def _read_once(path: Path, largest: int) -> tuple[bytes, bool] | None:
    """The bytes, and whether the file still had a name when all was read. A file without a name may have been
    wiped meanwhile.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unopened(path, error) from error
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise KeystoreError(f"{path} is not a plain file")
        _check_private(status, path, "600")
        if status.st_size > largest:
            raise KeystoreError(f"{path} has {status.st_size} bytes: too large to be a file of p2pforum")
        return file.read(largest + 1), os.fstat(fd).st_nlink > 0


def _unopened(path: Path, error: OSError) -> KeystoreError:
    is_link = error.errno == errno.ELOOP and path.is_symlink()
    return _link(path) if is_link else KeystoreError(f"cannot open {path}: {error.strerror}")


def replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file. After a crash the file is whole, the old one or the new one.

    Raises KeystoreError (disk full, read-only); then the old file is untouched. Call with the lock held.
    """
    temporary = path.with_suffix(".new")
    try:
        discard(temporary)  # what a crash left, with secrets in it
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(content)
                file.flush()
                _coarsen(fd)
                os.fsync(fd)
            _swap(temporary, path)
            _coarsen(path.parent)
        except BaseException:
            discard(temporary)
            raise
    except OSError as error:
        raise KeystoreError(f"cannot write {path}: {error.strerror}; the file is as it was before") from error


def _coarsen(file: int | Path) -> None:
    """Set the times of the last write and the last read to the hour. To the nanosecond they
    would show when the user last wrote a post, and copies and backups keep them. (The time of
    the last change of the inode can't be set.)
    """
    hour = os.stat(file).st_mtime_ns // _HOUR * _HOUR
    os.utime(file, ns=(hour, hour))


def _swap(temporary: Path, path: Path) -> None:
    """Rename, and wipe the old file, so that burnt keys do not stay in free blocks."""
    with ExitStack() as stack:
        old = _open_to_wipe(path, stack)
        os.rename(temporary, path)
        sync_directory(path.parent)  # before wiping: a power cut could else bring back the wiped one
        _wipe(old)


def discard(path: Path) -> None:
    """Remove a file, if it is there, and wipe it."""
    with ExitStack() as stack:
        old = _open_to_wipe(path, stack)
        path.unlink(missing_ok=True)
        _wipe(old)


def _open_to_wipe(path: Path, stack: ExitStack) -> FileIO | None:
    try:
        return stack.enter_context(open(path, "r+b", buffering=0, opener=_no_follow))
    except FileNotFoundError:
        return None


def _no_follow(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(Path(path)) from error
        raise


def _wipe(file: FileIO | None) -> None:
    """Overwrite a file, as far as possible: a copy-on-write file system or an SSD may keep the old blocks."""
    if file is None:
        return
    status = os.fstat(file.fileno())
    if status.st_nlink:  # a hard link is somebody's backup: leave it alone
        return
    with suppress(OSError):
        left = status.st_size
        while left:
            left -= file.write(bytes(left)) or 0
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Force the directory's entries to the disk, so that a new or renamed file outlives a
    power cut. Raises KeystoreError.
    """
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        text = f"what was written in {directory} may not outlive a power cut: {error.strerror}"
        raise KeystoreError(text) from error


@contextmanager
def exclusive(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock file against other processes and threads; wait for it at most `patience` seconds.

    Raises KeystoreError when the time is over, and for a lock file that other users can open.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unopened(path, error) from error
    try:
        _check_private(os.fstat(fd), path, "600")
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise KeystoreError("another process is using the keystore; try again") from None
                time.sleep(_POLL)
        yield
    finally:
        os.close(fd)
