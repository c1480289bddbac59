"""What the local API asks of the node. frontdesk.py implements it; nothing here runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from p2pforum.api.answers import NodeStatus, PeerStatus, SyncResult, SyncSums
from p2pforum.api.new_posts import NewPosts
from p2pforum.core.verdict import Outcome

SyncProgress = Callable[[SyncSums], None]
"""Called with the state of a sync so far. Never blocks and never fails: a slow reader misses steps."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a post that was handed in. `id` is None if the bytes are no post at all."""

    outcome: Outcome
    id: bytes | None
    reason: str = ""
    spread: dict[str, int] | None = None  #: how it left, as counts; only if it is new here


class ApiBackend(Protocol):
    """Errors of core.errors are sent to the front end as they are; any other error is logged as a bug."""

    @property
    def new_posts(self) -> NewPosts:
        """Where front ends hear of posts that become public here."""
        ...

    async def submit(self, raw: bytes, listen: float) -> Submitted:
        """Ingest a post as LOCAL and send it on its way. Returning STORED acknowledges it: it is on disk.

        Then count for `listen` seconds the peers that offer it back, and forget it.
        """
        ...

    async def forget(self, post_id: bytes) -> bool:
        """Remove a post that was handed in here and is not released yet. False if there is no such post."""
        ...

    async def scrub(self) -> bool:
        """Leave nothing of removed posts in the files. False if a reader still needs the old state."""
        ...

    async def submit_bundle(self, raws: Sequence[bytes]) -> Mapping[Outcome, int]:
        """Ingest posts of a bundle; returns how many had which outcome. They are on disk when
        this returns.
        """
        ...

    async def pin(self, root: bytes, pinned: bool) -> bool:
        """Pin or unpin a thread. Neither age nor quota removes a pinned one. Returns whether
        that was a change.
        """
        ...

    def status(self) -> NodeStatus: ...

    def peers(self) -> list[PeerStatus]:
        """Those that are connected, and those that are wanted and are not."""
        ...

    async def sync(self, target: str, progress: SyncProgress) -> SyncResult:
        """Reconcile with one peer, or with all connected ones if `target` is empty.

        `target` is an address, or a connected peer's ID or a unique beginning or end of one; raises NotFound,
        Ambiguous or NetworkError. The outcome of a session is "done", "busy", "budget", "time", "protocol",
        "failed", "spent", "lost" or "broken". Cancelled when the front end goes away.
        """
        ...

    def reload(self) -> None:
        """Read anew which peers to stay connected to. Raises ConfigError; then all stays as it was."""
        ...

    def stop(self) -> None:
        """Ask the node to end in good order. Returns at once."""
        ...
