"""Look for secrets in the raw bytes of files: what is really gone, whatever an index says.

Finds every run of 16 bytes or more of a secret, at any offset, in any file under the given directories,
databases and their logs included. It sees what the file system shows: not free blocks, not memory.
"""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUN = 16  # bytes of a secret that count as a find
_BLOCK = 8  # bytes: every run of RUN holds a whole block of a secret that is cut into such
_CHUNK = 8 * 1024 * 1024
_OVERLAP = 64  # bytes read again, so that no run of RUN is cut at the edge of a chunk
_FEW = 40  # blocks: above, one pass for all is faster than one for each
_DULL = 3  # different bytes in a block, at most: rulers and blanks are in every file


@dataclass(frozen=True, slots=True)
class Secret:
    """`what` names it, in words that are no secret."""

    what: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """`size` bytes of a secret at this place of a file.

    An `offset` of -1: it may be somewhere inside, sealed or in another form; the search can't tell.
    """

    path: Path
    offset: int
    size: int
    what: str

    @property
    def is_certain(self) -> bool:
        return self.offset >= 0


@dataclass(slots=True)
class Scan:
    """What was read. `unread` are files that could not be opened, so that we know nothing about them."""

    findings: list[Finding] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)
    files: int = 0
    size: int = 0


def scan(paths: Iterable[Path], secrets: Sequence[Secret], chunk_size: int = _CHUNK) -> Scan:
    """Read every plain file in these directories (or the files themselves). Follows no links.

    Holds `chunk_size` bytes in memory at a time.
    """
    result = Scan()
    needles = _Needles(secrets)
    for path in plain_files(paths):
        try:
            findings, size = _scan_file(path, needles, chunk_size)
        except OSError:
            result.unread.append(path)
            continue
        result.files += 1
        result.size += size
        result.findings += findings
    return result


def plain_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each plain file once, even if it has several names."""
    seen: set[Path] = set()
    for top in paths:
        single = [(str(top.parent), list[str](), [top.name])]
        for directory, _, names in os.walk(top) if top.is_dir() else single:
            for path in (Path(directory, name) for name in sorted(names)):
                if path not in seen and _is_plain(path):
                    seen.add(path)
                    yield path


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:  # gone since it was listed
        return False


class _Needles:
    """The secrets, cut into blocks; with each block its secret and its position there."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._occurrences: dict[bytes, list[tuple[Secret, int]]] = {}
        for secret in secrets:
            for at in range(0, len(secret.value) - _BLOCK + 1, _BLOCK):
                block = secret.value[at : at + _BLOCK]
                if len(set(block)) > _DULL:
                    self._occurrences.setdefault(block, []).append((secret, at))
        self._blocks = {int.from_bytes(block, sys.byteorder): block for block in self._occurrences}
        self._numbers = set(self._blocks)

    def runs(self, chunk: bytes) -> Iterator[tuple[int, int, str]]:
        """Offset, size and kind of every run of RUN bytes or more; one run may come more than once."""
        for block in self._blocks_in(chunk):
            at = chunk.find(block)
            while at >= 0:
                for secret, origin in self._occurrences[block]:
                    start, end = _extend(chunk, at, secret.value, origin)
                    if end - start >= RUN:
                        yield start, end - start, secret.what
                at = chunk.find(block, at + 1)

    def _blocks_in(self, chunk: bytes) -> Iterable[bytes]:
        """All blocks, if they are few; else those that one pass at each of eight alignments meets."""
        if len(self._occurrences) <= _FEW:
            return self._occurrences
        found: set[int] = set()
        for shift in range(_BLOCK):
            whole = (len(chunk) - shift) // _BLOCK * _BLOCK
            found |= self._numbers.intersection(memoryview(chunk)[shift : shift + whole].cast("Q"))
        return [self._blocks[number] for number in found]


def _extend(chunk: bytes, at: int, secret: bytes, origin: int) -> tuple[int, int]:
    """The whole run that is equal around a block of `secret` found in `chunk`."""
    before = 0
    while before < min(at, origin) and chunk[at - before - 1] == secret[origin - before - 1]:
        before += 1
    after, most = _BLOCK, min(len(chunk) - at, len(secret) - origin)
    while after < most and chunk[at + after] == secret[origin + after]:
        after += 1
    return at - before, at + after


def _scan_file(path: Path, needles: _Needles, chunk_size: int) -> tuple[list[Finding], int]:
    """The findings, and how many bytes were read."""
    runs: dict[int, tuple[int, str]] = {}
    size = 0
    with path.open("rb", buffering=0) as file:
        chunk = file.read(chunk_size)
        start = 0
        while chunk:
            size = start + len(chunk)
            for offset, length, what in needles.runs(chunk):
                runs[start + offset] = max(runs.get(start + offset, (0, "")), (length, what))
            tail = chunk[-_OVERLAP:]
            start, fresh = size - len(tail), file.read(chunk_size)
            chunk = tail + fresh if fresh else b""
    return [Finding(path, offset, *runs[offset]) for offset in sorted(runs)], size
