"""What a text may say of its author. Beside each stands a text that says the same and gives nothing away."""

import time
from pathlib import Path

import pytest
from forum_world import a_person
from hypothesis import given
from hypothesis import strategies as st
from strategies import HOUR, TEST_NETWORK, a_key, a_post

from p2pforum.forum.keys import new_pseudonym
from p2pforum.forum.leak_checks import check
from p2pforum.forum.leak_patterns import Leak, leaks_of_text
from p2pforum.forum.names import set_petname
from p2pforum.forum.publish import Publisher
from p2pforum.store.posts import Store, open_store
from p2pforum.store.queries import Reader, open_reader

UUID_1 = "6fa459ea-ee8a-11ee-8c5d-0242ac120002"
UUID_4 = "16fd2706-8baf-433b-82eb-8c7fada847da"

GIVES_AWAY = {
    "tracking in a link": [
        ("See https://a.example/x?id=3&utm_source=news", "See https://a.example/x?id=3"),
        ("https://a.example/?fbclid=IwAR0abc", "https://a.example/?page=2"),
        ("(https://a.example/a?x=1&GCLID=9)", "(https://a.example/a?x=1&y=2)"),
        ("https://youtu.be/abc?si=Ab3dE", "https://a.example/abc?si=units"),
        ("https://www.amazon.com/dp/1?tag=me-20", "https://a.example/dp/1?tag=books"),
        ("https://a.example/p#utm_campaign=1", "https://a.example/p#chapter-2"),
    ],
    "a secret in a link": [
        ("https://a.example/?access_token=abc", "https://a.example/?colour=red"),
        ("https://ada:secret@a.example/", "https://a.example/@ada"),
    ],
    "lines of a mail": [
        ("From: Ada L. <x>\nHello", "Away from: home\nHello"),
        ("Received: by mx.example", "I received: nothing"),
        ("X-Mailer: Thing 3.1", "X-rays: they hurt"),
        ("On Mon, 3 Mar 2025, Ada wrote:", "On Monday Ada wrote a letter"),
    ],
    "a mail address": [("Write to ada@mail.example", "Write to me @ home")],
    "a path with a user's name": [
        ("open /home/ada/notes.txt", "open /usr/share/notes.txt"),
        ("/Users/ada/Desktop", "The /Users directory"),
        (r"C:\Users\Ada\x.doc", r"C:\Windows\x.doc"),
        ("file:///srv/x", "the file is on my disk"),
    ],
    "a shell's prompt": [
        ("ada@box:~/src$ ls", "it costs ada 3$ a day"),
        ("[ada@box src]$ make", "[1]$ each"),
    ],
    "data of a photo or document": [
        ("GPS Latitude : 51 deg", "The latitude is high"),
        ("Camera Model Name: X100", "My camera is old"),
        ("Date/Time Original = 2024", "The original date"),
        ("<dc:creator>Ada</dc:creator>", "<creator>"),
        ("Last Modified By: ada", "last modified by somebody"),
    ],
    "a place on the map": [("at 48.20849, 16.37208", "at 48.2, 16.4"), ("59.32938 N, 18.06871 E", "59, 18")],
    "a clock's time": [
        ("2026-11-24T21:03:11.123Z it broke", "2026-11-24 it broke"),
        ("21:03:11 +0200", "at 21:03"),
    ],
    "an address of a device": [
        ("ping 192.168.1.17", "ping 127.0.0.1"),
        ("at 8.8.4.4.", "version 8.8.4 of it"),
        ("00:1a:2b:3c:4d:5e", "00:1a:2b"),
        (UUID_1, UUID_4),
    ],
    "a name of this machine": [
        ("on Thorin, my laptop", "on throne, my laptop"),
        ("signed, ada  lovelace", "signed, ada"),
    ],
}
MACHINE = ["thorin", "Ada Lovelace", "root", "al"]


@pytest.mark.parametrize(
    ("kind", "leaking", "harmless"), [(kind, *pair) for kind, pairs in GIVES_AWAY.items() for pair in pairs]
)
def test_what_a_text_gives_away_by_itself(kind: str, leaking: str, harmless: str) -> None:
    assert kind in [leak.kind for leak in leaks_of_text(leaking, MACHINE)]
    assert leaks_of_text(harmless, MACHINE) == []


def test_names_that_say_nothing_are_passed_over() -> None:
    assert leaks_of_text("As root, al runs it at home.", MACHINE) == []


pieces = st.sampled_from(
    ["http://", "[", "]", "::", "?utm_x=", "&", "@", "#", "%zz", "\n", "From: ", "/home/", "x"]
)


@given(st.text(max_size=200) | st.lists(pieces, max_size=20).map("".join))
def test_any_text_can_be_looked_at(text: str) -> None:
    leaks_of_text(text, MACHINE)


def test_hostile_text_takes_no_time() -> None:
    """A text may be pasted from anywhere: no pattern may take longer than its length."""
    for text in ("a" * 12_000, "1." * 6_000, "x@" * 6_000, "http://" * 1_700, "/home/" * 2_000, ": " * 6_000):
        started = time.thread_time()
        leaks_of_text(text, MACHINE)
        leaks_of_text(text.replace("a", "\n"), MACHINE)
        assert time.thread_time() - started < 2, text[:10]


# --- with my other pseudonyms ---------------------------------------------------------------------------

FILLER = "the weather was fine and people went out for their walks along river number"


class Life:
    """A person with a real store, in which others write by day: hours 8 to 19."""

    def __init__(self, directory: Path, store: Store, reader: Reader) -> None:
        self.person = a_person(directory)
        self.store = store
        self.reader = reader
        keystore = self.person.keystore
        self.publisher = Publisher(keystore, reader, self._submit, TEST_NETWORK, lambda: self.person.hour)

    def _submit(self, raw: bytes) -> object:
        from p2pforum.core.post import decode
        from p2pforum.core.verdict import Outcome

        self.store.add([(decode(raw, TEST_NETWORK), True)])
        return Outcome.STORED

    def others_write(self, count: int = 200) -> None:
        morning = HOUR - HOUR % 24 + 8
        posts = [
            a_post(f"Here {FILLER} {n}.", key=50 + n % 9, subject=f"{n}", hour=morning + n % 12)
            for n in range(count)
        ]
        self.store.add([(post, True) for post in posts])

    def findings(
        self, text: str, root: bytes = b"", key: str | None = None, hour: int | None = None
    ) -> list[Leak]:
        now = self.person.hour if hour is None else hour
        return check(text, self.person.keystore.read(), self.reader, (root, key), now, MACHINE)

    def kinds(self, text: str, **how: object) -> list[str]:
        return [leak.kind for leak in self.findings(text, **how)]


@pytest.fixture
def life(tmp_path: Path) -> object:
    with open_store(tmp_path / "data", TEST_NETWORK) as store, open_reader(tmp_path / "data") as reader:
        found = Life(tmp_path, store, reader)
        found.person.hour = HOUR - HOUR % 24 + 12  # noon
        yield found


def test_names_of_my_other_pseudonyms(life: Life) -> None:
    with life.person.keystore.transaction() as box:
        new_pseudonym(box, "Lady Grey", HOUR)
        set_petname(box, b"", a_key(7), "the baker")
    first = life.publisher.new_thread("library", "Books", "Which ones?")
    assert life.kinds("I am lady  grey.") == ["another pseudonym of yours"]
    assert life.kinds("I am lady grey.", key="Lady Grey") == []  # it is the one that signs
    assert life.kinds(f"As {first.name} said,") == ["another pseudonym of yours"]
    assert life.kinds(f"As {first.name} said,", root=first.post.id) == []
    assert life.kinds("Ask the baker.") == ["a name that only you use"]
    assert life.kinds("Ask the bakers, lady.") == []


def test_my_own_words_from_elsewhere(life: Life) -> None:
    first = life.publisher.new_thread("library", "Books", "My cat sleeps all day on top of the router.")
    (leak,) = life.findings("Well: my cat sleeps ALL day, on top of the oven.")
    assert (leak.kind, leak.found) == (
        "your own words from elsewhere",
        ("my cat sleeps ALL day on top of the",),
    )
    assert life.kinds("My cat sleeps all day on top of the router.", root=first.post.id) == []  # the same key
    assert life.kinds("> My cat sleeps all day on top of the router.\n\nMine too.") == []  # quoted
    assert life.kinds("My cat sleeps all night on top of my router.") == []


def test_unusual_words(life: Life) -> None:
    life.others_write()
    life.publisher.new_thread("library", "Books", "This zymurgical contraption leaks; the weather was fine.")
    (leak,) = life.findings("Another zymurgical evening, in such weather.")
    assert (leak.kind, leak.found) == ("unusual words", ("zymurgical",))
    assert life.kinds("Another brewing evening, in such weather, with people.") == []


def test_with_few_posts_nobody_knows_what_is_unusual(life: Life) -> None:
    life.others_write(20)
    life.publisher.new_thread("library", "Books", "This zymurgical contraption leaks.")
    assert life.kinds("Another zymurgical evening.") == []


def test_the_hour(life: Life) -> None:
    night = HOUR - HOUR % 24 + 27
    assert life.kinds("Good night.", hour=night) == []  # nothing is known
    life.others_write()
    assert life.kinds("Good night.", hour=night) == ["the hour"]
    assert life.kinds("Good day.", hour=night + 8) == []
    assert "other pseudonyms" not in life.findings("Good night.", hour=night)[0].why
    life.person.hour = night - 24
    life.publisher.new_thread("library", "Books", "Which ones?")
    (leak,) = life.findings("Good night.", hour=night)  # my own posts do not make it usual
    assert leak.found == ("03:00 UTC",)
    assert "other pseudonyms of yours did" in leak.why
