"""nostr-tools' Negentropy in a node process: an initiator that nobody here wrote."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npm_packages import install_packages

_FOLDER = Path(__file__).parent / "interop"


class NostrTools:
    """One session at a time; `open` begins a new one. `seconds`: after so long, an answer is a refusal."""

    def __init__(self, process: "subprocess.Popen[str]", seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self.cpu = 0.0  #: seconds that the last answer took there

    def open(self, keys: Iterable[tuple[int, bytes]], limit: int = 2**40) -> bytes:
        """The first message for these items. Hours below 2^31, or it never ends."""
        answer = self._ask({"open": [[hour, id_.hex()] for hour, id_ in keys], "limit": limit})
        return bytes.fromhex(answer["message"])

    def reply(self, message: bytes) -> tuple[bytes | None, list[bytes], list[bytes]] | None:
        """(next message or None at the end, have, need); None if it refused the message."""
        answer = self._ask({"reply": message.hex(), "seconds": self._seconds})
        if "error" in answer:
            return None
        following = bytes.fromhex(answer["message"]) if answer["message"] is not None else None
        return following, _ids(answer["have"]), _ids(answer["need"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        self.cpu = answer.get("cpu", 0.0)
        return answer


def _ids(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


@contextmanager
def open_nostr_tools(folder: Path, seconds: float = 0.5) -> Iterator[NostrTools]:
    """Install what interop/package-lock.json names into `folder`, and run it."""
    install_packages(_FOLDER, folder)
    process = subprocess.Popen(
        ["node", "initiator.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield NostrTools(process, seconds)
        assert process.stdin is not None
        process.stdin.close()
