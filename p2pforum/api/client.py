"""A front end's end of the node's local socket. Standard library only, so it starts in 20 ms.

Every failure is one of core.errors: NodeUnreachable when no node answers, else what the node raised.
"""

import contextlib
import http.client
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from p2pforum.api.address import socket_address
from p2pforum.api.answers import NodeStatus, PeerStatus, SyncStep, Version
from p2pforum.core import errors, limits
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.core.verdict import Outcome

T = TypeVar("T")

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0  # a post may wait for a batch and a slow disk
_QUIET_SECONDS = 6.0 * limits.API_ALIVE_SECONDS  # of a stream: a living node sends a line more often

_RAISES: dict[str, type[errors.P2PForumError]] = {
    "invalid": errors.InvalidPost,
    "refused": errors.Refused,
    "too early": errors.Refused,
    "too large": errors.Refused,
    "not found": errors.NotFound,
    "network": errors.NetworkError,
    "store": errors.StoreError,
    "config": errors.ConfigError,
    "keystore": errors.KeystoreError,
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The node has the post that was handed in on disk. `is_new` is False if it was there before.

    `spread` is how it left, in peers: handed, told, heard. The node forgets it after the answer.
    """

    id: str
    is_new: bool
    spread: dict[str, int] | None = None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_SECONDS)
        with socket_address(self._path) as address:
            self.sock.connect(address)
        self.sock.settimeout(self.timeout)


class NodeClient:
    """One connection for each request. `path` is Paths.socket_path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def submit(self, raw: bytes, listen: float = 0) -> Receipt:
        """Hand in a signed post, and let the node count for `listen` seconds the peers that offer it back.

        Raises InvalidPost or Refused when the node does not take it.
        """
        path = f"/v1/posts?listen={listen:g}" if listen else "/v1/posts"
        answer = self._ask("POST", path, raw, "application/cbor")
        return Receipt(str(answer["id"]), answer["outcome"] == "stored", answer.get("spread"))

    def forget(self, post_id: bytes) -> bool:
        """Ask the node to remove a post that was handed in and not released. One post at a time, so that the
        node does not learn which posts belong together.
        """
        body = json.dumps({"id": format_id(post_id)}).encode()
        return bool(self._ask("POST", "/v1/forget", body, "application/json")["forgotten"])

    def scrub(self) -> bool:
        """Leave nothing of removed posts in the node's files. False: try again later."""
        return bool(self._ask("POST", "/v1/scrub")["clean"])

    def submit_bundle(self, posts: bytes) -> Counter[Outcome]:
        """Hand in posts as core.bundle.join_posts joins them; returns how many had which outcome."""
        answer = self._ask("POST", "/v1/bundle", posts, "application/x-p2pforum-posts")
        return Counter({Outcome(name): int(count) for name, count in answer.items()})

    def pin(self, root: bytes, pinned: bool) -> bool:
        body = json.dumps({"root": format_id(root), "pinned": pinned}).encode()
        return bool(self._ask("POST", "/v1/pin", body, "application/json")["changed"])

    def status(self) -> NodeStatus:
        return _checked(NodeStatus, self._ask("GET", "/v1/status"))

    def peers(self) -> list[PeerStatus]:
        return [_checked(PeerStatus, peer) for peer in self._ask("GET", "/v1/peers")]

    def reload(self) -> None:
        """Ask the node to read anew which peers to stay connected to."""
        self._ask("POST", "/v1/reload")

    def stop(self) -> None:
        self._ask("POST", "/v1/stop")

    def version(self) -> Version:
        return _checked(Version, self._ask("GET", "/v1/version"))

    def is_running(self) -> bool:
        try:
            self.version()
        except errors.NodeUnreachable:
            return False
        return True

    def sync(self, target: str = "") -> Iterator[SyncStep]:
        """Give {"progress": ...} while it runs and {"result": ...} last. Raises the error
        that ended the sync.

        Leaving the loop early ends the session.
        """
        body = json.dumps({"peer": target}).encode()
        with self._request("POST", "/v1/sync", body, "application/json", _QUIET_SECONDS) as response:
            for step in _lines(response):
                yield step
                if "result" in step:
                    return

    def new_posts(self) -> Iterator[list[bytes]]:
        """IDs of posts as they become public here. Empty: look into the store, as at the start.

        Raises NodeUnreachable when the node ends. Leaving the loop ends the stream.
        """
        with self._request("GET", "/v1/new", b"", "", _QUIET_SECONDS) as response:
            for step in _lines(response):
                yield _ids(step)

    def _ask(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Any:
        with self._request(method, path, body, content_type, _ANSWER_SECONDS) as response:
            try:
                return _parse(response.read())
            except (OSError, http.client.HTTPException) as error:
                raise errors.NodeUnreachable("the node ended while it answered") from error

    @contextlib.contextmanager
    def _request(
        self, method: str, path: str, body: bytes, content_type: str, timeout: float
    ) -> Iterator[http.client.HTTPResponse]:
        """The response to a request that went well. Raises the error that the node sends."""
        with contextlib.closing(_UnixConnection(self._path, timeout)) as connection:
            headers = {"Connection": "close"}
            if content_type:
                headers["Content-Type"] = content_type
            try:
                connection.connect()
            except OSError as error:  # no socket, no process behind it, or no permission
                raise errors.NodeUnreachable("no node is running here") from error
            try:
                connection.request(method, path, body or None, headers)
                response = connection.getresponse()
                problem = None if response.status < 400 else _parse(response.read())
            except (OSError, http.client.HTTPException) as error:
                raise errors.NodeUnreachable("the node is there but does not answer") from error
            with response:  # it owns the socket once the node said "Connection: close"
                if problem is not None:
                    raise _error_of(problem)
                yield response


def _lines(response: http.client.HTTPResponse) -> Iterator[Any]:
    """What comes line by line; ends with an error of the node, or NodeUnreachable."""
    while True:
        if line := _read_line(response).strip():
            step = _parse(line)
            if not isinstance(step, dict) or "error" in step:
                raise _error_of(step)
            yield step


def _read_line(response: http.client.HTTPResponse) -> bytes:
    try:
        line = response.readline(limits.MAX_FRAME)
    except (OSError, http.client.HTTPException) as error:
        raise errors.NodeUnreachable("the node fell silent in the middle of its answer") from error
    if not line:
        raise errors.NodeUnreachable("the node ended in the middle of its answer")
    return line


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise errors.NodeUnreachable("another program answers on the node's socket") from error


def _checked(kind: Callable[..., T], answer: Any) -> T:
    """An answer that has all keys of this TypedDict. Raises P2PForumError for one that has not."""
    if not isinstance(answer, dict):
        raise errors.NodeUnreachable("another program answers on the node's socket")
    if not get_type_hints(kind).keys() <= answer.keys():
        raise errors.P2PForumError("the running node is of another version than this command: restart it")
    return kind(**answer)


def _ids(step: dict[str, Any]) -> list[bytes]:
    try:
        return [parse_id(text) for text in step.get("new", ())]
    except (ValueError, TypeError, AttributeError) as error:
        raise errors.NodeUnreachable("another program answers on the node's socket") from error


def _error_of(answer: Any) -> errors.P2PForumError:
    if not isinstance(answer, dict):
        return errors.NodeUnreachable("another program answers on the node's socket")
    text, code = str(answer.get("error", "")), str(answer.get("code", ""))
    if code == "ambiguous":
        return errors.Ambiguous(text, [str(c) for c in answer.get("candidates", [])])
    return _RAISES.get(code, errors.P2PForumError)(text)
