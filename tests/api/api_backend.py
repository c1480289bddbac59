"""A backend for API tests: records what it is asked; a small node without a network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import trio
import trio.testing
from node_answers import a_peer, a_status, sums

from p2pforum.api.answers import NodeStatus, PeerStatus, SyncResult
from p2pforum.api.backend import Submitted, SyncProgress
from p2pforum.api.new_posts import NewPosts
from p2pforum.core.errors import Ambiguous, NotFound
from p2pforum.core.verdict import Outcome


@dataclass
class RecordingBackend:
    answer: Submitted = field(default_factory=lambda: Submitted(Outcome.STORED, bytes(32)))
    submitted: list[bytes] = field(default_factory=list)
    listened: list[float] = field(default_factory=list)
    forgotten: list[bytes] = field(default_factory=list)
    synced: list[str] = field(default_factory=list)
    pins: set[bytes] = field(default_factory=set)
    reloads: int = 0
    new_posts: NewPosts = field(default_factory=NewPosts)
    stopped: trio.Event = field(default_factory=trio.Event)
    reported: trio.Event = field(default_factory=trio.Event)
    sync_cancelled: trio.Event = field(default_factory=trio.Event)
    error: Exception | None = None

    async def submit(self, raw: bytes, listen: float) -> Submitted:
        await trio.lowlevel.checkpoint()
        self.listened.append(listen)
        if self.error:
            raise self.error
        self.submitted.append(raw)
        return self.answer

    async def submit_bundle(self, raws: Sequence[bytes]) -> Counter[Outcome]:
        await trio.lowlevel.checkpoint()
        self.submitted += raws
        return Counter({Outcome.STORED: len(raws)})

    async def pin(self, root: bytes, pinned: bool) -> bool:
        await trio.lowlevel.checkpoint()
        before = set(self.pins)
        (self.pins.add if pinned else self.pins.discard)(root)
        return self.pins != before

    async def forget(self, post_id: bytes) -> bool:
        self.forgotten.append(post_id)
        return post_id == bytes(32)

    async def scrub(self) -> bool:
        return True

    def status(self) -> NodeStatus:
        return a_status(network="lab", peers=2)

    def peers(self) -> list[PeerStatus]:
        return [a_peer(peer="12D3KooWaaa", address="/ip4/127.0.0.1/tcp/1")]

    async def sync(self, target: str, progress: SyncProgress) -> SyncResult:
        self.synced.append(target)
        if target == "nobody":
            raise NotFound('no connected peer is called "nobody"')
        if target == "several":
            raise Ambiguous("several peers begin so", ["12D3KooWaaa", "12D3KooWabc"])
        if target == "bug":
            raise RuntimeError("secret detail")
        if target in ("slow", "flood"):
            try:
                for _ in range(1 if target == "slow" else 100):  # 2 MB: more than socket buffers hold
                    progress({**sums(got=1), "padding": "x" * 20_000})
                    await trio.testing.wait_all_tasks_blocked()
                self.reported.set()
                await trio.sleep_forever()
            finally:
                self.sync_cancelled.set()
        for got in range(3):
            progress(sums(got=got, wanted=3))
            await trio.testing.wait_all_tasks_blocked()
        return {**sums(new=3, sent=1), "done": 1, "sessions": []}

    def reload(self) -> None:
        if self.error:
            raise self.error
        self.reloads += 1

    def stop(self) -> None:
        self.stopped.set()
