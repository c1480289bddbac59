"""Foreign text on a terminal: nothing of it may steer the terminal or pass for what we print."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.cli import render

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x07\x9b\u202e\u2066\u200b\u200d\u200c\ufeff\u0301\u3164\ue000\u115f\u00ad\ufe0f👩日é \t\n"
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
            run = run + 1 if unicodedata.category(char) in ("Mn", "Me") and char not in "\ufe0e\ufe0f" else 0
            assert run <= render.MAX_MARKS


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
        ("a\u200bb\ufeffc\u2060d\u00ade", "a<U+200B>b<U+FEFF>c<U+2060>d<U+00AD>e"),
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
