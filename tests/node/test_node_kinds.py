"""A kind of post that is added later: nodes that know it and nodes that do not are one network.

Two kinds are made up, in one place: a row each in the table. One node has it, the other has not; gossip and
sync carry posts both ways, with contents that fit and contents that do not. Then the other is upgraded.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
import trio
from made_up_kinds import DECIDING, LABEL, NEW, OLD, TASK
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum import node as node_module
from p2pforum.config import Config
from p2pforum.core import kinds
from p2pforum.core.kinds import Row
from p2pforum.core.post import Post
from p2pforum.forum.reading import ThreadView, thread_view
from p2pforum.network.memory_network import MemoryHub, MemoryNetwork
from p2pforum.node import Node
from p2pforum.store import change, doctor, retention
from p2pforum.store.posts import Store, open_store
from p2pforum.store.queries import open_reader

CONFIG = Config(network=TEST_NETWORK.name, hide_origin=False)
_table: ContextVar[Mapping[int, Row]] = ContextVar("_table", default=OLD)


class TableOfTheTask:
    """What `kinds.TABLE` is for whoever asks: each node's tasks, and their threads, have their own."""

    def get(self, number: int) -> Row | None:
        return _table.get().get(number)


@contextmanager
def knowing(table: Mapping[int, Row]) -> Iterator[None]:
    token = _table.set(table)
    try:
        yield
    finally:
        _table.reset(token)


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "TABLE", TableOfTheTask())
    monkeypatch.setattr(node_module, "now_hours", lambda: HOUR)


def some_posts(place: str) -> list[Post]:
    """A thread that begins with a task, one that begins with a post, and what does not fit."""
    task = a_post(kind=TASK, content=(f"Task of {place}", "Count the kestrels."))
    plain = a_post(f"A post of {place}.", hour=HOUR - 1)
    odd = [
        a_post(kind=TASK, root=plain.id, content=(1, b"no text"), hour=HOUR - 2),
        a_post(kind=TASK, content=(place.encode(),)),
        a_post(kind=LABEL, root=plain.id, content=(plain.id, 7)),
        a_post(kind=LABEL, content=(f"A label of {place} that is a root, and a text of kestrels",)),
        a_post(kind=TASK, version=2, root=plain.id, content=(f"Another version of {place}",)),
    ]
    replies = [
        a_post("An answer.", key=2, root=task.id),
        a_post(kind=TASK, key=2, root=plain.id, content=("Count the buzzards.",), hour=HOUR - 1),
        a_post(kind=LABEL, key=3, root=plain.id, content=(plain.id, "a good start")),
    ]
    return [task, plain, *odd, *replies]


COUNTED = 7  # of these ten: all but the labels
BY_SYNC = {name: some_posts(f"{name} by sync") for name in ("old", "new")}
BY_GOSSIP = {name: some_posts(f"{name} by gossip") for name in ("old", "new")}
ALL = [post for some in (BY_SYNC, BY_GOSSIP) for posts in some.values() for post in posts]


@dataclass
class House:
    name: str
    node: Node
    network: MemoryNetwork
    store: Store

    @property
    def held(self) -> set[bytes]:
        return self.store.known([post.id for post in ALL])

    def thinks_well_of_its_peers(self) -> bool:
        """No blame of any kind, by any door."""
        counts = self.node.gossip.statistics()
        peers = [connection.peer for connection in self.network.connections()]
        return (
            len(peers) == 1
            and not counts.invalid + counts.expelled
            and not any(peer in self.node.network.bans for peer in peers)
            and all(view.score >= 0 for view in self.node.gossip.peers().values())
        )


@asynccontextmanager
async def a_house(
    hub: MemoryHub, name: str, table: Mapping[int, Row], directory: Path
) -> AsyncIterator[House]:
    """Everything in it has that table: its tasks by inheritance, what peers start in it by hand."""
    with knowing(table), open_store(directory / name, TEST_NETWORK) as store:
        async with hub.network(name) as network, trio.open_nursery() as nursery:
            set_handler = network.set_handler

            def with_table(protocol: str, handler: object) -> None:
                async def handle(peer: object, stream: object) -> None:
                    with knowing(table):
                        await handler(peer, stream)  # type: ignore[operator]

                set_handler(protocol, handle)

            network.set_handler = with_table  # type: ignore[method-assign]
            node = Node(CONFIG, store, network, Random(name))
            store.add([(post, True) for post in BY_SYNC[name]])
            await nursery.start(node.run)
            yield House(name, node, network, store)
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """In real time: stores work in threads. The bound is for what does not come true, as in the control."""
    with trio.move_on_after(10):
        while not condition():
            await trio.sleep(0.01)


async def tell_the_story(directory: Path, table: Mapping[int, Row]) -> list[str]:
    """What went wrong: empty if both end with all posts and think well of each other."""
    hub = MemoryHub(Random(1))
    async with a_house(hub, "old", OLD, directory) as old, a_house(hub, "new", table, directory) as new:
        await old.network.dial(new.network.addresses[0])
        await until(lambda: all(h.node.gossip.has_taker for h in (old, new)))
        with knowing(table):
            await new.node.desk.sync("", lambda _: None)
        await until(lambda: len(old.held) >= 20 and len(new.held) >= 20)
        for house in (old, new):
            with knowing(OLD if house is old else table):
                for post in BY_GOSSIP[house.name]:
                    await house.node.desk.submit(post.raw)
        await until(lambda: len(old.held) == len(new.held) == len(ALL))
        missing = [f"{h.name} lacks posts" for h in (old, new) if len(h.held) < len(ALL)]
        return missing + [f"{h.name} blames" for h in (old, new) if not h.thinks_well_of_its_peers()]


def look(directory: Path, name: str, table: Mapping[int, Row]) -> tuple[dict[bytes, ThreadView], int]:
    """Open the store as a program with that table does: doctor must find nothing. Threads, and all posts."""
    with knowing(table):
        with open_store(directory / name, TEST_NETWORK) as store:
            assert doctor.check(store, TEST_NETWORK) == []
        with open_reader(directory / name) as reader:
            threads = reader.threads(None, 100)
            views = {thread.root: thread_view(reader, thread.root) for thread in threads}
            for thread in threads:
                assert len(views[thread.root].posts) == thread.posts, "what is counted is what is shown"
            assert sum(board.posts for board in reader.boards()) == sum(t.posts for t in threads)
            return views, sum(thread.posts for thread in threads)


def found(directory: Path, name: str, word: str) -> int:
    with open_reader(directory / name) as reader:
        return len(reader.search(word, limit=100))


async def test_both_have_all_posts_and_nobody_is_blamed(tmp_path: Path) -> None:
    assert await tell_the_story(tmp_path, NEW) == []
    seen = {}
    for name, table in (("old", OLD), ("new", NEW)):
        seen[name], count = look(tmp_path, name, table)
        assert count == 4 * COUNTED
    assert seen["old"].keys() == seen["new"].keys()
    for posts in (*BY_SYNC.values(), *BY_GOSSIP.values()):
        task, plain = posts[:2]
        assert seen["old"][task.id].subject == ""
        assert seen["new"][task.id].subject == task.payload.content[0]
        for name, understood, newer in (("old", 1, 2), ("new", 2, 1)):
            thread = seen[name][plain.id]
            assert sum(post.is_understood for post in thread.posts) == understood, name
            assert len(thread.posts) == 4
            assert thread.newer == newer, "labels that are not understood"


@pytest.mark.parametrize(("name", "table"), [("old", NEW), ("new", OLD)])
async def test_after_an_upgrade_and_after_going_back_the_store_is_right(
    tmp_path: Path, name: str, table: Mapping[int, Row]
) -> None:
    assert await tell_the_story(tmp_path, NEW) == []
    as_new, count = look(tmp_path, "new", NEW)
    views, again = look(tmp_path, name, table)
    assert again == count == 4 * COUNTED
    assert views == as_new or table is OLD
    assert found(tmp_path, name, "kestrels") == 8  # four tasks, four labels that do not fit
    with knowing(table), open_store(tmp_path / name, TEST_NETWORK) as store:
        retention.drop(store, [post.id for post in ALL[:10]])
        assert doctor.check(store, TEST_NETWORK) == []
    assert found(tmp_path, name, "kestrels") == 6
    assert look(tmp_path, name, table)[1] == 3 * COUNTED


@pytest.mark.slow
async def test_control_where_the_content_rule_decides_validity_the_network_splits(tmp_path: Path) -> None:
    """The rule of the founding kinds, asked of a kind that was added: what PROTOCOL said before."""
    assert set(await tell_the_story(tmp_path, DECIDING)) >= {"new lacks posts", "new blames"}


async def test_control_what_is_derived_by_understanding_is_wrong_after_the_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_counted(number: int) -> bool:
        row = kinds.TABLE.get(number)
        return row is None or not row.has_target

    def understood_text(post: Post) -> str:
        return f"{post.subject}\n{post.body}"

    monkeypatch.setattr(change, "is_counted", is_counted)
    monkeypatch.setattr(change, "indexed_text", understood_text)
    with knowing(OLD), open_store(tmp_path / "old", TEST_NETWORK) as store:
        store.add([(post, True) for post in ALL])
    with knowing(NEW), open_store(tmp_path / "old", TEST_NETWORK) as store:
        assert doctor.check(store, TEST_NETWORK) == ["posts of a thread are miscounted"]
    assert found(tmp_path, "old", "kestrels") == 0
