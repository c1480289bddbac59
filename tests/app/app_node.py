"""A real node beside a front end, in a thread: all of it, but its network has no other node."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

import trio

from p2pforum.api.server import serve_api
from p2pforum.app.session import Session
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.network.memory_network import MemoryHub
from p2pforum.node import Node
from p2pforum.store.posts import open_store


class RunningNode:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._run,))
        self._node: Node
        self._token: trio.lowlevel.TrioToken

    async def _run(self) -> None:
        config, paths = self._session.config, self._session.paths
        with open_store(paths.data_dir, config.params) as store:
            async with MemoryHub(Random(1)).network("node") as network, trio.open_nursery() as nursery:
                self._node = Node(config, store, network, Random(2))
                self._token = trio.lowlevel.current_trio_token()
                await nursery.start(serve_api, self._node.desk, paths.socket_path)
                await nursery.start(self._node.run)
                self._ready.set()
                await self._node.desk.wait_stopped()
                nursery.cancel_scope.cancel()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20)

    def stop(self) -> None:
        trio.from_thread.run_sync(self._node.desk.stop, trio_token=self._token)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def takes(self, posts: Sequence[Post], origin: Origin) -> None:
        """As if they had come in that way."""
        raws = [post.raw for post in posts]
        trio.from_thread.run(self._node.door.ingest, raws, origin, trio_token=self._token)

    def releases(self, post: Post) -> None:
        """As gossip does before the first peer has it; here there is none."""
        trio.from_thread.run(self._node._releases.release, [post.id], trio_token=self._token)

    def tells(self, *ids: bytes) -> None:
        """As if they became public now."""
        trio.from_thread.run_sync(self._node.desk.new_posts.tell, ids, trio_token=self._token)

    def listeners(self) -> int:
        return len(self._node.desk.new_posts._listeners)

    def until(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            with trio.fail_after(20):
                while not condition():
                    await trio.sleep(0.001)

        trio.from_thread.run(wait, trio_token=self._token)


@contextmanager
def running_node(session: Session) -> Iterator[RunningNode]:
    node = RunningNode(session)
    node.start()
    try:
        yield node
    finally:
        node.stop()
