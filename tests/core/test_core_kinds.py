"""The table of kinds is the only place that knows kinds, and no row that is added decides validity."""

import re
from pathlib import Path

import pytest
from strategies import TEST_NETWORK, a_post

from p2pforum.core import kinds
from p2pforum.core.errors import InvalidPost
from p2pforum.core.kinds import REMARKS, TABLE, Kind, Meaning, is_counted
from p2pforum.core.post import decode

PACKAGE = Path(kinds.__file__).parents[1]
PROTOCOL = (PACKAGE.parent / "docs" / "PROTOCOL.md").read_text()
# A number beside the word, in Python or in SQL; `kind` of frames and of addresses have names for theirs.
NUMBERS = re.compile(r"\bkind\b\"?\]?\s*(?:[=!<>]=?|\bnot in\b|\bin\b)\s*[(\[{]?\s*\d", re.IGNORECASE)


FOUNDING = [row for row in TABLE.values() if row.is_founding]


def test_the_founding_kinds_are_these_for_ever() -> None:
    """Whoever adds one here splits the network: old nodes pass on what new ones take for invalid."""
    assert {row.number for row in FOUNDING} == {0, 1, 2, 5}
    assert {row.number for row in TABLE.values()} == set(Kind)


def test_no_other_file_knows_a_number() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "kinds.py"
        for line in path.read_text().splitlines()
        if NUMBERS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "if row.kind == 0:",
        "fields.kind in (1, 2)",
        "AND post.kind NOT IN (1, 2) GROUP BY",
        "kind < 32768",
        '["kind"] != 5',
    ],
)
def test_control_a_number_would_be_found(line: str) -> None:
    assert NUMBERS.search(line)


def test_the_registry_in_protocol_has_the_rows_of_the_table() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([a-z ]+) \|", PROTOCOL, re.MULTILINE))
    assert {str(row.number): row.name for row in TABLE.values()}.items() <= rows.items()
    assert len(rows) > len(TABLE) + 10, "numbers are set aside"


def test_what_counts_is_told_by_the_number() -> None:
    for row in FOUNDING:
        assert is_counted(row.number) == (row.meaning in (Meaning.TEXT, Meaning.REVEALS))
    assert is_counted(REMARKS - 1)
    assert not is_counted(REMARKS)
    assert not is_counted(2**16 - 1)


@pytest.mark.parametrize("kind", [row.number for row in FOUNDING])
def test_a_founding_rule_decides_in_version_1_alone(kind: int) -> None:
    odd = (1, b"x")
    with pytest.raises(InvalidPost, match="not that of a"):
        a_post(kind=kind, root=bytes(32), content=odd)
    newer = a_post(kind=kind, root=bytes(32), content=odd, version=2)
    assert decode(newer.raw, TEST_NETWORK).meaning is None


def test_of_what_is_not_understood_the_texts_are_known_all_the_same() -> None:
    post = a_post(kind=900, content=("one", 2, ("three", (b"x", "four"))))
    assert post.texts == ["one", "three", "four"]
    assert (post.subject, post.body, post.target, post.meaning) == ("", "", b"", None)
