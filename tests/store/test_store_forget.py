"""Posts that were never sent can go without a trace; those that were sent are the network's."""

from pathlib import Path

from store_tools import Model, assert_same, found_in_files
from strategies import TEST_NETWORK, a_post

from p2pforum.store import doctor, retention
from p2pforum.store.posts import Store
from p2pforum.store.queries import open_reader

SECRET = "Never sent, with a supercalifragilisticexpialidocious word."


def test_only_what_was_never_released_goes(store: Store, tmp_path: Path) -> None:
    model = Model()
    root = a_post("First.", subject="A thread")
    others = [a_post(f"First {n}.", root=root.id) for n in range(800)]
    mine = [a_post(f"Mine {n}.", subject=f"{n}") for n in range(600)]
    store.add([(post, True) for post in (root, *others)])
    store.add([(post, False) for post in mine])
    model.add([(post, True) for post in (root, *others)])
    ids = [post.id for post in (*mine, *others[:10])]
    assert retention.forget(store, [*ids, bytes(32)]) == len(mine)
    assert_same(store, tmp_path, model)
    assert doctor.check(store, TEST_NETWORK) == []
    assert retention.forget(store, ids) == 0


def test_a_post_that_comes_back_from_the_network_is_taken_as_anyone_s(store: Store, tmp_path: Path) -> None:
    post = a_post("Sent just before it was forgotten.", subject="S")
    store.add([(post, False)])
    assert retention.forget(store, [post.id]) == 1
    assert store.known([post.id]) == set()
    assert store.add([(post, True)]) == [True]
    model = Model()
    model.add([(post, True)])
    assert_same(store, tmp_path, model)


def test_nothing_of_it_is_left_in_the_files(store: Store, tmp_path: Path) -> None:
    """Text, index of words, ID and key; before the cleaning they are there: the control."""
    post, other = a_post(SECRET, subject="Gone"), a_post("Another's.", key=2)
    store.add([(other, True)])
    store.add([(post, False)])
    with open_reader(tmp_path) as reader:
        assert [row.id for row in reader.unreleased()] == [post.id]
    retention.forget(store, [post.id])
    parts = [SECRET.encode(), SECRET.split()[4].lower().encode(), post.id, post.author, post.raw[-64:]]
    assert found_in_files(tmp_path, parts[0])
    assert retention.clean(store)
    assert [found_in_files(tmp_path, part) for part in parts] == [[]] * len(parts)
    with open_reader(tmp_path) as reader:
        assert reader.unreleased() == []
