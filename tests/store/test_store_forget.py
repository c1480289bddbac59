"""Posts that were never sent can go without a trace; those that were sent are the network's."""

from pathlib import Path

import pytest
from store_tools import Model, assert_same, found_in_files
from strategies import TEST_NETWORK, a_post

from p2pforum.store import doctor, retention, rows
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


EVERY_SCRIPT = "Größenwahn 電子書籍リーダー हिन्दी Ёлка supercalifragilisticexpialidocious"


def words_kept(store: Store) -> set[str]:
    with store.exclusive() as db:
        return {word for (word,) in db.execute("SELECT term FROM vocabulary WHERE term NOT LIKE 'b%'")}


def test_no_word_of_any_script_is_left_in_the_index(store: Store, tmp_path: Path) -> None:
    post, other = a_post(EVERY_SCRIPT, subject="Gone"), a_post("Another's.", key=2)
    store.add([(other, True)])
    before = words_kept(store)
    store.add([(post, False)])
    came = words_kept(store) - before
    assert {"電子", "子書", "ー", "हिन्दी", "елка", "gone"} <= came
    assert all(found_in_files(tmp_path, word.encode()) for word in ("電子", "हिन्दी"))
    retention.forget(store, [post.id])
    assert retention.clean(store)
    assert words_kept(store) == before
    assert [word for word in came if len(word.encode()) > 5 and found_in_files(tmp_path, word.encode())] == []


def test_control_words_that_are_made_otherwise_when_the_post_goes_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is why the words of a text do not depend on Python's version (words.py)."""
    post = a_post(EVERY_SCRIPT, subject="Gone")
    store.add([(post, False)])
    monkeypatch.setattr(rows, "indexed", lambda text: text)
    retention.forget(store, [post.id])
    assert retention.clean(store)
    assert {"電子", "子書", "елка"} <= words_kept(store)
