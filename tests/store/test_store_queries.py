"""Reads for people: every row as the posts say, nothing shown twice, and no text that makes search fail."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_tools import add, opened
from strategies import HOUR, a_key, a_post, a_thread

from p2pforum.core import limits
from p2pforum.core.errors import Ambiguous, InvalidQuery, NotFound, StoreError
from p2pforum.core.kinds import Kind
from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id, short_id
from p2pforum.core.thread import reading_order
from p2pforum.store import retention
from p2pforum.store.posts import Store
from p2pforum.store.queries import PostRow, Reader, open_reader


def row_of(post: Post, *, released: bool = True) -> PostRow:
    p = post.payload
    return PostRow(
        id=post.id, root=post.thread, board=p.board, author=post.author, hour=p.hour, parents=p.parents,
        kind=p.kind, version=p.version, subject=post.subject, body=post.body, target=post.target,
        released=released, meaning=post.meaning,
    )  # fmt: skip


def test_without_a_database_there_is_nothing(tmp_path: Path) -> None:
    with open_reader(tmp_path / "nowhere") as reader:
        assert reader.boards() == []
        assert reader.threads(None, 10) == reader.threads("general", 10) == []
        assert reader.thread(bytes(32)) == []
        assert reader.post(bytes(32)) is None
        assert reader.search("anything") == reader.search("anything", board="general") == []
        assert reader.statistics().posts == reader.statistics().size == 0
        with pytest.raises(NotFound):
            reader.resolve("abcd")
    assert not (tmp_path / "nowhere").exists()


def test_posts_come_back_as_they_were_written(store: Store, reader: Reader) -> None:
    root = a_post("The body.", subject="The subject")
    posts = [
        root,
        a_post("A reply.", key=2, root=root.id, hour=HOUR + 1),
        a_post(root=root.id, kind=Kind.RETRACT, content=(root.id,)),
        a_post(root=root.id, kind=Kind.SUPERSEDE, content=(root.id, "Better.")),
        a_post(root=root.id, kind=77, content=("from the future", (1, b"x"))),
        a_post(root=root.id, version=3, content=()),
    ]
    add(store, posts)
    assert [reader.post(post.id) for post in posts] == [row_of(post) for post in posts]
    assert sorted(reader.thread(root.id), key=lambda row: row.id) == sorted(
        map(row_of, posts), key=lambda r: r.id
    )
    assert reader.post(posts[4].id).meaning is None


def test_an_own_post_is_read_at_once_and_shows_that_it_is_not_public(store: Store, reader: Reader) -> None:
    post = a_post("Not yet heard back.")
    add(store, [post], released=False)
    assert reader.post(post.id) == row_of(post, released=False)
    assert [row.post.id for row in reader.search("heard")] == [post.id]
    assert reader.statistics().unreleased == 1
    store.release([post.id])
    assert reader.post(post.id) == row_of(post)
    assert reader.statistics().unreleased == 0


def test_a_thread_of_which_the_root_comes_last(store: Store, reader: Reader) -> None:
    thread = a_thread(5)
    add(store, thread[1:])
    (row,) = reader.threads(None, 10)
    assert (row.root, row.board, row.subject, row.author, row.posts, row.hour) == (
        thread[0].id, "general", "", b"", 4, 0,
    )  # fmt: skip
    assert len(reader.thread(thread[0].id)) == 4
    assert reader.resolve(short_id(thread[0].id)) == thread[0].id
    add(store, thread[:1])
    (row,) = reader.threads("general", 10)
    assert (row.subject, row.author, row.posts, row.hour) == ("A thread of 5", a_key(1), 5, HOUR)
    assert [placed.post.id for placed in reading_order(reader.thread(thread[0].id))] == [p.id for p in thread]


def test_replies_on_another_board_do_not_get_into_a_thread(store: Store, reader: Reader) -> None:
    thread = a_thread(3)
    stray = a_post("Stray.", board="spam", root=thread[0].id)
    add(store, [stray, *thread])
    assert {row.id for row in reader.thread(thread[0].id)} == {post.id for post in thread}
    assert {(row.board, row.posts, row.subject) for row in reader.threads(None, 9)} == {
        ("general", 3, "A thread of 3"),
        ("spam", 1, ""),
    }


def test_threads_by_pages(store: Store, reader: Reader) -> None:
    roots = [a_post(f"{n}", subject=f"{n}", hour=HOUR + n // 3, board=f"b{n % 2}") for n in range(40)]
    add(store, roots)
    everything = reader.threads(None, 100)
    assert {row.root for row in everything} == {post.id for post in roots}
    pages: list[bytes] = []
    while page := reader.threads(None, 7, before=pages[-1] if pages else None):
        pages += [row.root for row in page]
    assert pages == [row.root for row in everything]
    of_board = reader.threads("b1", 100)
    assert [row.root for row in of_board] == [row.root for row in everything if row.board == "b1"]
    assert reader.threads("b1", 100, before=of_board[3].root) == of_board[4:]
    assert reader.threads("no-such-board", 5) == []
    with pytest.raises(NotFound):
        reader.threads(None, 5, before=bytes(32))


def test_boards(store: Store, reader: Reader) -> None:
    add(
        store,
        [*a_thread(20, board="zebra"), *a_thread(3, board="ape"), a_post("x", board="ape", subject="y")],
    )
    assert [(row.name, row.threads, row.posts, row.last_hour) for row in reader.boards()] == [
        ("ape", 2, 4, HOUR),
        ("zebra", 1, 20, HOUR + 1),
    ]


def test_short_ids(store: Store, reader: Reader) -> None:
    posts = [a_post(f"{n}", subject=f"Subject {n}") for n in range(200)]
    add(store, posts)
    for post in posts[:5]:
        assert reader.resolve(format_id(post.id)) == reader.resolve(format_id(post.id).upper()) == post.id
    common = max("0123456789abcdefghjkmnpqrstvwxyz", key=lambda c: sum(short_id(p.id)[0] == c for p in posts))
    with pytest.raises(Ambiguous) as told:
        reader.resolve(common)
    assert 2 <= len(told.value.candidates) <= 10
    assert all(text.startswith(common) and "Subject" in text for text in told.value.candidates)
    missing = next(t for t in map(short_id, (bytes([n]) * 32 for n in range(256))) if t not in posts)
    for typed in (missing, "", "!", "uuuu", "a" * 60):
        with pytest.raises(NotFound):
            reader.resolve(typed)


def test_a_dropped_post_is_not_shown_and_leaves_no_text(store: Store, reader: Reader) -> None:
    thread = a_thread(4)
    add(store, thread)
    retention.drop(store, [thread[0].id, thread[2].id])
    assert {row.id for row in reader.thread(thread[0].id)} == {thread[1].id, thread[3].id}
    assert reader.post(thread[2].id) is None
    (row,) = reader.threads(None, 5)
    assert (row.subject, row.author, row.posts) == ("", b"", 2)
    assert reader.search("reply 2") == []


def ids_found(reader: Reader, query: str, **kwargs: object) -> set[bytes]:
    return {row.post.id for row in reader.search(query, **kwargs)}


def test_search(store: Store, reader: Reader) -> None:
    cat = a_post("The cat sat on the mat.", subject="Über Katzen", hour=HOUR + 3)
    dog = a_post("A dog, a mat; no cats.", subject="Dogs", board="dogs", hour=HOUR + 2)
    edit = a_post(root=cat.id, kind=Kind.SUPERSEDE, content=(cat.id, "The cat stood."), hour=HOUR + 1)
    add(store, [cat, dog, edit])
    everything = {cat.id, dog.id, edit.id}
    for query, found in {
        "cat": everything,
        "CAT": everything,
        '"cat"': {cat.id, edit.id},
        "cat mat": {cat.id, dog.id},
        '"cat" AND mat': {cat.id},
        "mat": {cat.id, dog.id},
        "cat OR dog": everything,
        "sat OR stood cat": {cat.id, edit.id},
        '"cat" -sat': {edit.id},
        "mat -cat": set(),
        'mat -"cat"': {dog.id},
        "mat -do*": {cat.id},
        '"the mat"': {cat.id},
        '"mat the"': set(),
        '"cats"': {dog.id},
        "cat*": everything,
        "ca*": everything,
        "s*": {cat.id, edit.id},
        '"the m"*': {cat.id},
        '"the m"': set(),
        "cat & mat ;": {cat.id, dog.id},
        "uber": {cat.id},
        "über": {cat.id},
        "no-cats": {dog.id},
        "text:cat": set(),
        "board:general": set(),
    }.items():
        assert ids_found(reader, query) == found, query
    assert ids_found(reader, "mat", board="dogs") == {dog.id}
    assert ids_found(reader, "mat", board="cats") == set()
    assert [row.post.id for row in reader.search("cat OR dog")] == [cat.id, dog.id, edit.id]  # newest first
    assert [row.post.id for row in reader.search("cat OR dog", limit=1)] == [cat.id]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        *((query, "no letter or digit") for query in ("", " ", "(((", '""', "''; --", "\x00", "❤")),
        *(
            (query, "all words are to be left out")
            for query in ("-wind", '-"low power"', "-wind -sun", "-w*")
        ),
        *((query, "not closed") for query in ('"', '"the mat', 'the "mat', 'the -"mat')),
        *(
            (query, "between two words")
            for query in ("OR", "cats OR", "OR cats", "cat OR -dog", "-cat OR dog")
        ),
        *((query, "between two words") for query in ("cat AND", "cat OR AND dog", "AND cat")),
        *((query, "without a space") for query in ("*", "-", "cat *", "cat - dog", "batt -*")),
        ("cat NOT dog", 'write "-"'),
        ("w " * 33, "at most 32 words"),
    ],
)
def test_a_query_that_says_nothing_or_two_things_is_refused(reader: Reader, query: str, said: str) -> None:
    with pytest.raises(InvalidQuery, match=said):
        reader.search(query)


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        (
            "Which e-readers do you use?",
            "reader readers e-reader READERS read* using used",
            "read reading user",
        ),
        ("Solar batteries hold.", "battery batteries holding holds", "batter"),
        ("We ran while they were running", "run runs running", "runner"),
        ("An operation", "operate operating operations operat*", "opera"),
        ("The cafés closed", "café cafe cafés close closing", "caf"),
        ("I go", "go", "goes"),
    ],
)
def test_words_of_the_same_stem(store: Store, reader: Reader, text: str, found: str, not_found: str) -> None:
    add(store, [a_post(text)])
    assert [word for word in found.split() if not ids_found(reader, word)] == []
    assert [word for word in not_found.split() if ids_found(reader, word)] == []


def test_letters_that_are_folded_away_find_nothing(store: Store, reader: Reader) -> None:
    add(store, [a_post("reader ـــــ")])
    assert not ids_found(reader, "ـــــ")
    assert not ids_found(reader, '"ـــــ"')  # as the check of what gives the author away asks


def test_quotes_mean_these_very_words(store: Store, reader: Reader) -> None:
    add(store, [a_post("Which e-readers do you use?")])
    assert ids_found(reader, '"e-readers"')
    assert not ids_found(reader, '"e-reader"')
    assert not ids_found(reader, "which -reader")


def test_an_excerpt_shows_a_word_of_the_same_stem(store: Store, reader: Reader) -> None:
    add(store, [a_post("Filler. " * 100 + "One battery is here. " + "Filler. " * 60)])
    (row,) = reader.search("batteries")
    assert "One battery is here." in row.snippet


def test_a_flood_of_words_hides_relatives_and_never_the_word(
    store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, several = a_post("reader"), a_post("readers", key=2)
    add(store, [plain, several])
    assert ids_found(reader, "reader") == {plain.id, several.id}, "the control"
    monkeypatch.setattr(limits, "SEARCH_WORDS_COMPARED", 101)
    add(store, [a_post(" ".join(f"reade{n:04}" for n in range(100)))])
    assert ids_found(reader, "reader") == {plain.id}
    monkeypatch.setattr(limits, "SEARCH_WORDS_COMPARED", 102)
    assert ids_found(reader, "reader") == {plain.id, several.id}
    monkeypatch.setattr(limits, "MAX_SEARCH_RELATIVES", 1)
    assert ids_found(reader, "reader") == {plain.id, several.id}
    monkeypatch.setattr(limits, "MAX_SEARCH_RELATIVES", 0)
    assert ids_found(reader, "reader") == {plain.id}


def test_a_word_in_a_post_does_not_put_it_on_another_board(store: Store, reader: Reader) -> None:
    """Boards are words of the search index too; a post must not be able to say one."""
    add(store, [a_post("Here.", board="quiet")])
    with store.exclusive() as db:
        token = f"b{db.execute('SELECT id FROM board').fetchone()[0]}"
    add(store, [a_post(f"Here {token} {token}.", board="loud")])
    assert [row.post.board for row in reader.search("here", board="quiet")] == ["quiet"]
    assert [row.post.board for row in reader.search(token)] == ["loud"]


def test_an_excerpt_shows_what_was_found(store: Store, reader: Reader) -> None:
    add(store, [a_post("Wörter davor. " * 60 + "Die Nadel\nim Heu. " + "Und danach. " * 60, subject="Lang")])
    (row,) = reader.search("nadel")
    assert "Die Nadel im Heu." in row.snippet
    assert row.snippet.startswith("…")
    assert row.snippet.endswith("…")
    assert len(row.snippet) < 200


@pytest.fixture(scope="module")
def filled() -> Iterator[Reader]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        add(opened(stack, directory), a_thread(30))
        yield stack.enter_context(open_reader(directory))


words = st.sampled_from(
    ["reply", "first", '"', "*", "OR", "AND", "NOT", "NEAR(", ")", "(", "-", "^", "{text}:", "+"]
)
queries = st.lists(words | st.text(alphabet=st.characters(), max_size=5), max_size=40).map(" ".join)


@given(query=queries | st.text(alphabet=st.characters()) | st.lists(words, max_size=20).map("".join))
def test_any_text_is_a_query_or_refused_with_a_word(filled: Reader, query: str) -> None:
    for board in (None, "general"):
        with suppress(InvalidQuery):  # any other error is a bug
            filled.search(query, board=board, limit=5)


def test_a_reader_cannot_write(store: Store, reader: Reader) -> None:
    with pytest.raises(StoreError, match="can't be written"):
        reader._all("DELETE FROM post")


def test_a_reader_sees_what_another_process_writes(store: Store, tmp_path: Path) -> None:
    """A command that reads beside a running node; here the reader is the other process."""
    add(store, a_thread(7))
    code = (
        "import sys; from pathlib import Path; from p2pforum.store.queries import open_reader\n"
        "with open_reader(Path(sys.argv[1])) as reader: print(reader.boards()[0].posts)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "7\n"


def test_a_damaged_row_hides_only_itself(
    store: Store, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    thread = a_thread(3)
    add(store, thread)
    with store.exclusive() as db:
        db.execute("UPDATE post SET raw = x'00' WHERE id = ?", (thread[1].id,))
    assert {row.id for row in reader.thread(thread[0].id)} == {thread[0].id, thread[2].id}
    assert "doctor" in caplog.text
    assert retention.expire(store, HOUR + 9) == 3  # and it can still go
