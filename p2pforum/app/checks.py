"""What `doctor` looks at. Each check says what it found, and what the user can do if something is wrong.

The sentences are here and not in a front end. Each is part fact and part advice, many are the text of an
error from below, and every front end would have to say the same.
"""

import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from p2pforum.app.clock import clock_problem, date
from p2pforum.app.session import Session, tilde
from p2pforum.core import limits
from p2pforum.core.errors import NodeUnreachable, P2PForumError, StoreBusy

_SWAPS = Path("/proc/swaps")
_BLOCKS = Path("/sys/class/block")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`command` is a command of this program that helps, without the program's name: "init";
    empty if none helps.
    """

    level: str  #: ok, warn or fail
    check: str
    text: str
    command: str = ""


Found = tuple[str, str] | tuple[str, str, str]  # level, text, command
Check = Callable[[Session], Iterator[Found]]


def all_checks(session: Session, more: Mapping[str, Check]) -> Iterator[CheckResult]:
    """Every check returns something, even if a file it needs is broken. `more`: the front
    end's own checks.
    """
    for name, check in (_CHECKS | dict(more)).items():
        try:
            for level, text, *command in check(session):
                yield CheckResult(level, name, text, *command)
        except (P2PForumError, OSError) as error:
            yield CheckResult("fail", name, str(error))


def _python(_session: Session) -> Iterator[Found]:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info < (3, 14):
        yield "warn", f"this program is tested with Python 3.11 to 3.13, and not with {version}"
    else:
        yield "ok", f"Python {version}"


def _libsodium(_session: Session) -> Iterator[Found]:
    from p2pforum.core.signature import self_test

    self_test()
    yield "ok", "signature library: works as the network requires"


def _sqlite(_session: Session) -> Iterator[Found]:
    import sqlite3

    try:
        db = sqlite3.connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
        db.close()
    except sqlite3.Error as error:
        yield "fail", f"SQLite {sqlite3.sqlite_version} can't search text (FTS5): {error}"
    else:
        yield "ok", f"SQLite {sqlite3.sqlite_version} with FTS5"


def _libp2p(_session: Session) -> Iterator[Found]:
    from importlib import metadata

    try:
        yield "ok", f"libp2p {metadata.version('libp2p')}"
    except metadata.PackageNotFoundError:
        yield "fail", "libp2p is not installed: this machine can read and write, but can't run a node"


def _config(session: Session) -> Iterator[Found]:
    path = session.paths.config_file
    config = session.config
    where = tilde(path) if path.exists() else "no config file; defaults"
    yield "ok", f'{where}; network "{config.network}"'


def _files(session: Session) -> Iterator[Found]:
    """Whether other users can read the files here: modes and owners."""
    paths = session.paths
    well = True
    for directory in (paths.data_dir, paths.keys_dir):
        for path in (directory, *(sorted(directory.iterdir()) if directory.is_dir() else ())):
            if path.name in (".gitignore", "README.md"):
                continue  # of a checkout's keys/: not secret
            problem = _problem(path, may_be_link=directory == paths.data_dir)
            if problem:
                well = False
                yield "fail", problem
    if well:
        yield "ok", "only this account can open the data and key directories"


def _problem(path: Path, *, may_be_link: bool) -> str:
    """What is wrong with a path; empty if nothing is. Links are refused in the key directory, and followed in
    the data directory.
    """
    from p2pforum.keystore.files import link_problem, not_private

    if not may_be_link and path.is_symlink():
        return link_problem(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    return not_private(found, path, "700" if stat.S_ISDIR(found.st_mode) else "600")


def _keystore(session: Session) -> Iterator[Found]:
    from p2pforum.app.facts import idle_warning, keystore_facts

    found = keystore_facts(session)
    if found.error is not None:
        yield "fail", found.error
    elif not found.exists:
        yield "ok", "none yet; the first post makes one"
    elif found.encrypted:
        yield "ok", "sealed with a passphrase"
    else:
        yield "warn", "without a passphrase", "init"
    if found.idle:
        yield "warn", idle_warning(found.idle), "key list"


def _swap(_session: Session) -> Iterator[Found]:
    """Python can't lock its memory, so the system may write secrets of a running command to the swap."""
    rows = _SWAPS.read_text().splitlines()[1:] if _SWAPS.exists() else []
    plain = [name for name in (row.split()[0] for row in rows) if not _is_volatile(name)]
    if plain:
        yield "warn", f"swap is not encrypted ({', '.join(plain)}): keys in memory may reach the disk"
    else:
        yield "ok", "no swap on a disk, or encrypted"


def _is_volatile(device: str) -> bool:
    """Whether swap space is lost when the machine stops: compressed memory, or under dm-crypt."""
    name = os.path.basename(os.path.realpath(device))
    uuid = _BLOCKS / name / "dm" / "uuid"
    return name.startswith("zram") or (uuid.exists() and uuid.read_text().startswith("CRYPT-"))


def _disk(session: Session) -> Iterator[Found]:
    from p2pforum.store.room import free_bytes, write_problem

    directory = session.paths.data_dir
    problem = write_problem(directory)
    free = free_bytes(directory)
    text = f"{free / 1_000_000:,.0f} MB free for {tilde(directory)}"
    if problem:
        yield "fail", f"{tilde(directory)} can't be written: {problem}; {text}, so posts are refused"
    elif free < limits.STORE_ROOM:
        yield "warn", f"only {text}; make room before posts are refused"
    else:
        yield "ok", text


def _node(session: Session) -> Iterator[Found]:
    try:
        trouble = session.node.status()["trouble"]
    except NodeUnreachable:
        yield "ok", "no node is running"
    else:
        yield "ok", "a node is running"
        if trouble:
            yield "fail", f"the node could not keep the last posts that came: {trouble}"
        return
    for address in session.config.listen:
        problem = _cannot_bind(address)
        if problem:
            yield "fail", f"{address}: {problem}"


def _cannot_bind(address: str) -> str:
    """Why a node could not listen there, as /ip4/.../tcp/...; empty if it could."""
    parts = address.split("/")
    families = {"ip4": socket.AF_INET, "ip6": socket.AF_INET6}
    if len(parts) < 5 or parts[1] not in families or parts[3] != "tcp" or not parts[4].isdigit():
        return ""  # the network layer knows more kinds of addresses
    with socket.socket(families[parts[1]]) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a node does: no wait after a stop
        try:
            sock.bind((parts[2], int(parts[4])))
            sock.listen()
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            return f"another program uses it, or it is not an address of this machine ({why})"
    return ""


def _store(session: Session) -> Iterator[Found]:
    if not (session.paths.data_dir / "node.db").exists():
        yield "ok", "none yet"
        return
    from p2pforum.store.doctor import check
    from p2pforum.store.posts import open_store

    try:
        with open_store(session.paths.data_dir, session.config.params) as store:
            problems = check(store, session.config.params)
    except StoreBusy:
        yield "ok", "the running node uses it, and checked it at its start; stop the node to check every post"
        return
    for problem in problems:
        yield "fail", problem
    if not problems:
        yield (
            "ok",
            f"{session.reader.statistics().posts} posts; counts and indexes match them",
        )


def _clock(session: Session) -> Iterator[Found]:
    now = session.now()
    if problem := clock_problem(session):
        yield "fail", f"it shows {date(now)}. {problem[0].upper()}{problem[1:]}"
    else:
        yield "ok", f"{date(now)} (only hours matter)"


_CHECKS: dict[str, Check] = {
    "python": _python,
    "libsodium": _libsodium,
    "sqlite": _sqlite,
    "libp2p": _libp2p,
    "config": _config,
    "files": _files,
    "keystore": _keystore,
    "swap": _swap,
    "disk": _disk,
    "store": _store,
    "node": _node,
    "clock": _clock,
}
