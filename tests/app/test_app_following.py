"""What is new: each public post once, late ones too, and nothing that is not public."""

import itertools

import pytest
from app_world import HOUR, release, write
from strategies import a_post

from p2pforum.app import following
from p2pforum.app.following import Follower
from p2pforum.app.session import Session
from p2pforum.core.post import Post
from p2pforum.store.posts import open_store
from p2pforum.store.queries import Reader


def posted(session: Session, body: str, board: str = "library", hour: int = HOUR) -> Post:
    """By me; not public yet."""
    session.now = lambda: hour
    post = write(session, lambda w: w.post(board, "Subject", body)).published.post
    session.now = lambda: HOUR
    return post


def bodies(follower: Follower) -> list[str]:
    return [row.body for row in follower.new()]


def test_only_what_becomes_public_and_only_once(session: Session) -> None:
    old = posted(session, "Old")
    release(session, old.id)
    follower = Follower(session)
    assert bodies(follower) == [], "what is here already is not new"
    new = posted(session, "New")
    assert bodies(follower) == [], "it may be anybody's, and is not public"
    release(session, new.id)
    assert bodies(follower) == ["New"]
    assert bodies(follower) == []


def test_what_came_late_is_new_though_it_is_dated_before(session: Session) -> None:
    first, late = posted(session, "First"), posted(session, "Late", hour=HOUR - 50)
    release(session, first.id)
    follower = Follower(session)
    release(session, late.id)
    assert bodies(follower) == ["Late"]


@pytest.mark.parametrize(("age", "is_told"), [(7 * 24, True), (7 * 24 + 1, False)])
def test_what_is_dated_longer_ago_than_a_week_is_not_told_of(
    session: Session, age: int, is_told: bool
) -> None:
    posted(session, "A store")
    follower = Follower(session)
    release(session, posted(session, "Late", hour=HOUR - age).id)
    assert bodies(follower) == (["Late"] if is_told else [])


def test_since_an_hour_in_the_order_of_all_nodes(session: Session) -> None:
    made = [posted(session, f"{n}", hour=HOUR - 5 + n // 2) for n in range(6)]
    release(session, *(post.id for post in made))
    wanted = sorted((p for p in made if p.payload.hour >= HOUR - 4), key=lambda p: (p.payload.hour, p.id))
    assert bodies(Follower(session, since=HOUR - 4)) == [post.body for post in wanted]
    assert bodies(Follower(session, "nowhere", since=0)) == []
    assert len(bodies(Follower(session, "library", since=0))) == 6


def test_one_board(session: Session) -> None:
    follower = Follower(session, "library")
    release(session, posted(session, "Here").id, posted(session, "There", "node-ops").id)
    assert bodies(follower) == ["Here"]


def test_begun_before_there_is_a_store(session: Session) -> None:
    """Which a node makes when it starts: this session has no part in it."""
    follower = Follower(session)
    assert bodies(follower) == []
    with open_store(session.paths.data_dir, session.config.params) as store:
        store.add([(a_post("First", subject="S", hour=HOUR), True)])
    assert bodies(follower) == ["First"]


def test_who_stops_in_the_middle_gets_the_rest_later(session: Session) -> None:
    posted(session, "A store")
    follower = Follower(session)
    release(session, *(posted(session, f"{n}").id for n in range(4)))
    some = [row.body for row in itertools.islice(follower.new(), 2)]
    assert sorted(some + bodies(follower)) == ["0", "1", "2", "3"]


def test_a_look_reads_no_posts_while_nothing_is_written(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted(session, "A store")
    follower = Follower(session)
    list(follower.new())
    reads = []
    since = Reader.since
    monkeypatch.setattr(Reader, "since", lambda *args: reads.append(args) or since(*args))
    for _ in range(100):
        assert bodies(follower) == []
    assert not reads
    posted(session, "Another")  # the control: now it has to look
    bodies(follower)
    assert len(reads) == 1


def test_waiting_gives_posts_as_they_come(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of each pause something happens; a pause with nothing in it is one more look."""
    post = posted(session, "A store")
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            release(session, post.id)

    monkeypatch.setattr(following.time, "sleep", pause)
    assert next(Follower(session).wait(0.25)).body == "A store"
    assert pauses == [0.25] * 3


def test_what_was_dropped_meanwhile_is_left_out(session: Session) -> None:
    post = posted(session, "Gone")
    follower = Follower(session)
    release(session, post.id)
    from p2pforum.store import retention

    with open_store(session.paths.data_dir, session.config.params) as store:
        retention.drop(store, [post.id])
    assert bodies(follower) == []
