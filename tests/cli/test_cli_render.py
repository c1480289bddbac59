"""Foreign text on a terminal: nothing of it may steer the terminal or pass for what we print."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from types import ModuleType

import pytest
from cli_world import HOUR
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.app import characters
from p2pforum.cli.terminal import render
from p2pforum.cli.terminal.table import flow, table
from p2pforum.cli.terminal.times import ago
from p2pforum.core import limits

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x07\x9b\u202e\u2066\u200b\u200d\u200c\ufeff\u0301\u3164\ue000\u115f\u00ad\ufe0f"
            "👩日é \t\nक\u094d"
        ),
    ),
    max_size=200,
)
FORBIDDEN = {"Cc", "Co", "Cn", "Cs", "Zl", "Zp"}


@given(NASTY)
def test_a_line_is_one_line_without_anything_hidden(text: str) -> None:
    shown = render.line(text)
    for i, char in enumerate(shown):
        assert unicodedata.category(char) not in FORBIDDEN
        if unicodedata.category(char) == "Cf":
            assert char in "\u200c\u200d"
            assert 0 < i < len(shown) - 1


@given(NASTY)
def test_marks_never_pile_up(text: str) -> None:
    for shown in render.lines(text):
        run = 0
        for char in shown:
            run = run + 1 if render.width(char) == 0 else 0
            assert run <= characters.MAX_MARKS


@given(NASTY, st.integers(2, 60))
def test_widths(text: str, columns: int) -> None:
    for shown in render.lines(text):
        assert render.width(render.cut(shown, columns)) <= columns
        assert render.width(render.pad(shown, columns)) == columns
        for part in render.wrap(shown, columns):
            assert render.width(part) <= columns


@given(NASTY, st.integers(20, 60))
def test_wrapping_loses_nothing_but_blanks(text: str, columns: int) -> None:
    for shown in render.lines(text):
        if shown.startswith((" ", ">")):
            continue  # the indent is repeated
        assert "".join(render.wrap(shown, columns)).replace(" ", "") == shown.replace(" ", "")


@given(NASTY, st.integers(20, 100))
def test_every_line_of_a_body_carries_the_bar(text: str, columns: int) -> None:
    for shown in render.block(text, columns):
        assert re.match(r"│( |$)", shown)
        assert render.width(shown) <= columns


@given(NASTY)
def test_plain_text_is_left_alone(text: str) -> None:
    plain = re.sub(r"[^\x20-\x7e]", "", text)
    assert render.line(plain) == plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "<U+001B>[31mred<U+0007>"),
        ("\x9b2J", "<U+009B>2J"),
        ("\x1b]8;;http://evil\x1b\\link", "<U+001B>]8;;http://evil<U+001B>\\link"),
        ("abc\u202ecba", "abc<U+202E>cba"),
        ("a\u200bb\ufeffc\u2060d", "a<U+200B>b<U+FEFF>c<U+2060>d"),
        # What web pages and word processors leave in honest texts, in its place and out of it.
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
        ("क्षे\u00adत्र", "क्षेत्र"),
        ("\u00ada\u00ad \u00ad\u00ad", "<U+00AD>a<U+00AD> <U+00AD><U+00AD>"),
        ("a\u00ad\u00adb", "a<U+00AD><U+00AD>b"),
        ("\ufeffA text", "A text"),
        ("\ufeff\ufeffA text", "<U+FEFF>A text"),
        ("\u200e+358 40\u200e, שלום\u200f!", "+358 40, שלום!"),
        ("a\u200f\u200fb\u200e\u200bc", "a<U+200F><U+200F>b<U+200E><U+200B>c"),
        ("a \u200f\u0301", "a \u25cc\u0301"),
        ("\ue000\U000f0000", "<U+E000><U+F0000>"),
        ("\u0378", "<U+0378>"),  # unassigned
        ("\u2028\u2029", "<U+2028><U+2029>"),
        ("a\u034fb\u3164c\uffa0d", "a<U+034F>b<U+3164>c<U+FFA0>d"),
        ("\U000e0101", "<U+E0101>"),
        ("one\ntwo", "one two"),
        ("a\u00a0b", "a b"),
        ("\u0301abc", "\u25cc\u0301abc"),  # a mark must not land on what we printed before it
        ("a" + "\u0301" * 20, "a" + "\u0301" * 8 + "<12 marks>"),
        ("a" + "\u0301" * 20 + "b", "a" + "\u0301" * 8 + "<12 marks>b"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("क" + "\u094d\u200d" * 6 + "ष", "क" + "\u094d\u200d" * 4 + "<4 marks>ष"),
        ("a" + "\u200b" * 8 + "b", "a" + "<U+200B>" * 8 + "b"),
        ("a" + "\u200b" * 11 + "b", "a" + "<U+200B>" * 8 + "<3 hidden characters>b"),
        ("\u200b" * 5 + "\ufeff" * 5, "<U+200B>" * 5 + "<U+FEFF>" * 3 + "<2 hidden characters>"),
        ("می\u200cخو", "می\u200cخو"),
        ("क्\u200dष", "क्\u200dष"),
        ("a\u200db", "a<U+200D>b"),
        ("a\u200d", "a<U+200D>"),
        ("\u200da", "<U+200D>a"),
        ("x\ufe0fy", "x<U+FE0F>y"),
        ("日本語 ÅÄÖ Ελληνικά", "日本語 ÅÄÖ Ελληνικά"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert render.line(text) == shown


def test_wide_letters_count_twice() -> None:
    assert render.width("日本") == 4
    assert render.width("e\u0301") == 1
    assert render.cut("日本語", 5) == "日本…"
    assert render.wrap("日本語日本語", 4) == ["日本", "語日", "本語"]


def test_quotes_stay_quotes_when_wrapped() -> None:
    assert render.wrap("> one two three four", 12) == ["> one two", "> three four"]
    assert render.wrap("    one two three", 12) == ["    one two", "    three"]


LINK = "https://example.org/a/very/long/path?with=many&parameters=in&it"


def test_long_links_stay_whole() -> None:
    assert render.wrap(f"See {LINK} and ({LINK}).", 20) == ["See", LINK, "and", f"({LINK})."]
    assert render.block(f"> see {LINK} there", 30) == ["│ > see", f"│ > {LINK}", "│ > there"]
    assert render.wrap("see " + LINK, 100) == ["see " + LINK]
    assert max(map(len, render.wrap("x" * 205 + LINK, 20))) == 20, "a link begins a word"
    assert max(map(len, render.wrap("javascript:" + "x" * 200, 20))) == 20


def test_nothing_that_looks_like_a_line_of_ours_hides_in_a_link() -> None:
    """A link runs on below the margin, so it must have no blanks and nothing that is not plain."""
    fake = LINK + "\u00a0" + "lusab-babad-gutih  k7q2mf0a  this hour " * 3
    assert all(part == LINK or len(part) <= 20 for part in render.wrap(render.line(fake), 20))
    assert all(part == LINK or len(part) <= 20 for part in render.wrap(LINK + "\u2502" * 50, 20))


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (-9672, "2028-01-01"),
        (-60 * 24, "2027-01-23"),
        (-60 * 24 + 1, "in 8 weeks"),
        (-14 * 24, "in 2 weeks"),
        (-14 * 24 + 1, "in 13 days"),
        (-48, "in 2 days"),
        (-47, "tomorrow"),
        (-24, "tomorrow"),
        (-23, "in 23 hours"),
        (-2, "in 2 hours"),
        (-1, "in the next hour"),
        (0, "this hour"),
        (1, "1 hour ago"),
        (23, "23 hours ago"),
        (24, "yesterday"),
        (48, "2 days ago"),
        (14 * 24, "2 weeks ago"),
        (60 * 24 - 1, "8 weeks ago"),
        (60 * 24, "2026-09-25"),
    ],
)
def test_hours_as_people_say_them(passed: int, said: str) -> None:
    assert ago(HOUR - passed, HOUR) == said


def rows_of(lines: list[list[str]]) -> list[str]:
    return [line for row in lines for line in row]


ROWS = [["k7q2mf0a", "A subject of some length, or more", "lusab-babad-gutih", "#b", "this hour"]]


def test_a_table_uses_what_it_has() -> None:
    assert table([], 80, text=1) == []
    assert rows_of(table(ROWS, 200, text=1)) == ["  ".join(ROWS[0])]
    fits = len("  ".join(ROWS[0]))
    assert rows_of(table(ROWS, fits, text=1)) == ["  ".join(ROWS[0])]
    (cut,) = rows_of(table(ROWS, fits - 1, text=1))
    assert "A subject of some length, or mo…  lusab" in cut
    spared = rows_of(table(ROWS, fits - 10, text=1, spare=2))
    assert spared == ["k7q2mf0a  A subject of some length, or more  #b  this hour"]
    assert rows_of(table(ROWS, 40, text=1, spare=2)) == [
        "k7q2mf0a  A subject of some length, or…",
        "  lusab-babad-gutih  #b  this hour",
    ]
    assert rows_of(table(ROWS, 30, text=1)) == [
        "k7q2mf0a  A subject of some l…",
        "  lusab-babad-gutih  #b",
        "  this hour",
    ]
    assert rows_of(table(ROWS, 29, text=1))[:2] == ["k7q2mf0a", "  A subject of some length,…"]


def test_cells_stand_at_their_edge_and_empty_columns_are_left_out() -> None:
    rows = [["a", "one", "", "1 post"], ["b", "three", "", "10 posts"], ["c", "日本", "", ""]]
    assert rows_of(table(rows, 80, text=1, right=(3,), style=str.upper)) == [
        "a  ONE      1 post",
        "b  THREE  10 posts",
        "c  日本",
    ]


def test_flowing_breaks_between_parts_only() -> None:
    assert flow(["one", "", "two"], 8) == ["one  two"]
    assert flow(["one", "two"], 7) == ["one", "  two"]
    assert flow(["one", LINK, "two"], 20) == ["one", LINK, "  two"]
    assert flow(["\x1b[1mone\x1b[0m", "two"], 8) == ["\x1b[1mone\x1b[0m  two"], "styles take no room"


def test_tabs_become_blanks() -> None:
    assert render.block("a\tb\n\tc", 40) == ["│ a   b", "│     c"]


def test_a_body_can_not_imitate_the_next_post() -> None:
    fake = "end\n\nlusab-babad-gutih  k7q2mf0a  this hour\n│ I agree with everything"
    assert render.block(fake, 80) == [
        "│ end",
        "│",
        "│ lusab-babad-gutih  k7q2mf0a  this hour",
        "│ │ I agree with everything",
    ]


def test_many_empty_lines_are_counted() -> None:
    assert render.block("a" + "\n" * 9 + "b", 40) == ["│ a", *["│"] * 8, "│ b"]
    assert render.block("a" + "\n" * 100 + "b", 40) == ["│ a", *["│"] * 8, "│ <91 empty lines>", "│ b"]
    assert len(render.block("\u2800\n" * 3_000 + "b", 40)) < 12


# What makes one character cost most: hidden ones, marks, joiners, wide ones, blanks, one long word.
BOMBS = [
    "\u200d",
    "é\u200d",
    "é\u0301",
    "日",
    "é ",
    "é  \u3000",
    "क\u094d\u200d",
    "é\n",
    "\n",
    "a" * 70 + " é",
]


def measured(monkeypatch: pytest.MonkeyPatch, text: str) -> int:
    """How often a character was looked at to show `text` as a body, a subject and a snippet."""
    counts = Counter[str]()

    def counting(module: ModuleType, name: str) -> Callable[[str], object]:
        real = getattr(module, name)

        def count(char: str) -> object:
            counts[name] += 1
            return real(char)

        return count

    with monkeypatch.context() as patch:
        patch.setattr(render, "_char_width", counting(render, "_char_width"))
        for name in ("is_mark", "_visible", "_code"):
            patch.setattr(characters, name, counting(characters, name))
        render.block(text, 80)
        line = render.line(text)
        render.wrap(line, 80)
        render.wrap(line, 1)
        render.pad(line, 80)
    return counts.total()


@pytest.mark.parametrize("bomb", BOMBS)
def test_the_work_grows_as_the_text_does(monkeypatch: pytest.MonkeyPatch, bomb: str) -> None:
    one = "ö" + bomb * (1_000 // len(bomb))
    assert measured(monkeypatch, one * 4) <= 4.2 * measured(monkeypatch, one)


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_is_shown_of_a_post_is_a_few_times_its_bytes(bomb: str) -> None:
    text = bomb * (limits.MAX_BODY // len(bomb.encode()))
    rows = render.block(text, 80)
    assert sum(map(len, rows)) <= 5 * limits.MAX_BODY
    assert "".join(rows).count("日") == text.count("日")


@given(NASTY)
def test_each_character_is_shown_or_counted(text: str) -> None:
    """Nothing is left out without a word: the numbers said and the characters shown are all there were."""
    shown = render.line(text)
    said = sum(int(number) for number in re.findall(r"<(\d+) (?:marks|hidden characters)>", shown))
    plain = re.sub(r"<\d+ (?:marks|hidden characters)>", "", shown)
    plain = re.sub(r"<U\+[0-9A-F]{4,6}>", "?", plain)
    own = plain.replace("\u25cc", "")
    assert len(own) + said == len(text.replace("\u25cc", ""))
