"""Following while a node runs, starts and stops: each public post once, by one way or the other."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from app_node import RunningNode, running_node
from app_world import HOUR
from strategies import a_post

from p2pforum.app import following
from p2pforum.app.following import Follower
from p2pforum.app.session import Session
from p2pforum.core import limits
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.store.posts import open_store
from p2pforum.store.queries import PostRow, Reader

PARAMS = params_for("test.app")


def made(name: str, board: str = "library", hour: int = HOUR) -> Post:
    return a_post(name, subject="S", board=board, hour=hour, params=PARAMS)


@pytest.fixture(autouse=True)
def _the_same_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pforum.node.now_hours", lambda: HOUR)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens in place of each pause of a follower that finds no node, one after another."""
    left: list[Callable[[], object]] = []
    monkeypatch.setattr(following.time, "sleep", lambda _: left.pop(0)())
    return left


def bodies(rows: Iterator[PostRow], count: int) -> list[str]:
    return sorted(row.body for row in itertools.islice(rows, count))


def begin(node: RunningNode, rows: Iterator[PostRow]) -> None:
    """Until the follower has looked for the first time and listens to the node."""
    for name in ("First", "Second"):
        node.takes([made(name)], Origin.GOSSIP)
        assert next(rows).body == name
    assert node.listeners() == 1


def test_what_the_node_gets_comes_by_its_socket(session: Session, pauses: list[Callable[[], object]]) -> None:
    """Without one look of its own: `pauses` is empty, so a pause would fail."""
    with running_node(session) as node:
        node.takes([made("Before")], Origin.GOSSIP)
        with closing(Follower(session).wait()) as rows:
            node.takes([made("Between")], Origin.SYNC)  # not begun: it looks when it begins
            assert next(rows).body == "Between"
            for origin in (Origin.GOSSIP, Origin.SYNC, Origin.BUNDLE):
                node.takes([made(f"By {origin}"), made(f"Else {origin}", "node-ops")], origin)
                assert bodies(rows, 2) == sorted((f"By {origin}", f"Else {origin}"))


def test_own_posts_are_told_of_when_they_are_public(session: Session) -> None:
    own, relayed, later = made("Own"), made("Relayed"), made("Later")
    with running_node(session) as node, closing(Follower(session).wait()) as rows:
        node.takes([made("First")], Origin.GOSSIP)
        assert next(rows).body == "First"
        assert session.node.submit(own.raw).is_new
        node.takes([relayed], Origin.STEM)
        node.takes([later], Origin.GOSSIP)
        assert next(rows).body == "Later", "the two before it are not public"
        node.releases(own)
        assert next(rows).body == "Own"
        node.takes([relayed], Origin.GOSSIP)  # it comes back
        assert next(rows).body == "Relayed"


def test_a_follower_of_a_board_or_of_a_week_skips_the_rest(session: Session) -> None:
    old, oldest = HOUR - 7 * 24 - 1, HOUR - 7 * 24
    with running_node(session) as node, closing(Follower(session, "library").wait()) as rows:
        begin(node, rows)
        node.takes(
            [made("There", "node-ops"), made("Old", hour=old), made("In time", hour=oldest)], Origin.SYNC
        )
        node.takes([made("Last")], Origin.SYNC)
        assert bodies(rows, 2) == ["In time", "Last"]


def test_what_the_node_tells_twice_or_too_early_or_has_dropped_is_skipped(session: Session) -> None:
    """The store is what counts, and what was shown is not shown again."""
    shown, kept = made("Shown"), made("Kept")
    with running_node(session) as node, closing(Follower(session).wait()) as rows:
        begin(node, rows)
        node.takes([shown], Origin.GOSSIP)
        assert next(rows).body == "Shown"
        node.takes([kept], Origin.STEM)
        node.tells(shown.id, shown.id, kept.id, bytes(32))
        node.takes([made("Last")], Origin.GOSSIP)
        assert next(rows).body == "Last"
        node.takes([kept], Origin.GOSSIP)
        assert next(rows).body == "Kept"


def test_a_node_that_starts_and_stops_meanwhile_costs_no_post_and_repeats_none(
    session: Session, pauses: list[Callable[[], object]]
) -> None:
    """No node, then one, then none, then another: something becomes public in each time and between."""
    nodes = [RunningNode(session), RunningNode(session)]

    def written_here(name: str) -> None:
        with open_store(session.paths.data_dir, PARAMS) as store:
            store.add([(made(name), True)])

    def started(node: RunningNode, name: str) -> None:
        node.start()
        node.takes([made(name)], Origin.GOSSIP)

    pauses += [
        lambda: written_here("No node"),
        lambda: None,
        lambda: started(nodes[0], "Node 0"),
        lambda: None,  # it has ended
        lambda: started(nodes[1], "Node 1"),
        lambda: None,
        lambda: written_here("The last"),
    ]
    written_here("A store")
    with closing(Follower(session).wait()) as rows:
        assert next(rows).body == "No node"
        for number, node in enumerate(nodes):
            name = f"Node {number}"
            assert next(rows).body == name
            for what in ("seen as the stream begins", "told by it"):
                node.takes([made(f"{name} {what}")], Origin.GOSSIP)
                assert next(rows).body == f"{name} {what}"
            node.takes([made(f"{name} told and not read")], Origin.SYNC)
            node.stop()
            written_here(f"{name} after the end")
            assert bodies(rows, 2) == [f"{name} after the end", f"{name} told and not read"]
        assert next(rows).body == "The last", "nothing is told twice, else it would come first"
    assert not pauses


def test_while_a_node_tells_nothing_else_is_read(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week of IDs would be much for each post. They are read when the hour turns."""
    reads: list[object] = []
    since = Reader.since
    with running_node(session) as node, closing(Follower(session).wait()) as rows:
        begin(node, rows)
        monkeypatch.setattr(Reader, "since", lambda *args: reads.append(args) or since(*args))
        for number in range(5):
            node.takes([made(f"{number}")], Origin.GOSSIP)
            assert next(rows).body == f"{number}"
        assert not reads
        session.now = lambda: HOUR + 1  # the control, and what was seen is forgotten when it is too old
        node.takes([made("Next hour")], Origin.GOSSIP)
        assert next(rows).body == "Next hour"
        assert reads


def test_more_than_can_be_named_are_found_all_the_same(session: Session) -> None:
    with running_node(session) as node, closing(Follower(session).wait()) as rows:
        begin(node, rows)
        many = [made(f"{n:03}") for n in range(limits.API_NEW_IDS + 1)]
        node.takes(many, Origin.BUNDLE)
        assert bodies(rows, len(many)) == [post.body for post in many]


def test_what_was_shown_is_not_kept_for_ever(session: Session) -> None:
    with running_node(session) as node:
        follower = Follower(session)
        with closing(follower.wait()) as rows:
            begin(node, rows)
            session.now = lambda: HOUR + 8 * 24
            node.takes([made("Late", hour=HOUR + 1)], Origin.GOSSIP)
            node.takes([made("As late", hour=HOUR)], Origin.GOSSIP)
    del rows
    list(follower.new())
    assert follower._seen == set()


def test_leaving_the_loop_ends_the_stream(session: Session) -> None:
    with running_node(session) as node:
        rows = Follower(session).wait()
        begin(node, rows)
        rows.close()
        node.until(lambda: node.listeners() == 0)
