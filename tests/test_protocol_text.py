"""docs/PROTOCOL.md against what it speaks of: its vectors, its headings, its references to itself."""

import hashlib
import json
import re
from itertools import takewhile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
VECTORS = DOCS / "vectors"
TEXT = (DOCS / "PROTOCOL.md").read_text()


def _load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def _table(head: str) -> list[list[str]]:
    """The cells of each row of the table whose head begins with these words."""
    assert TEXT.count(f"\n| {head} |") == 1, head
    _, _, rest = TEXT.partition(f"\n| {head} |")
    lines = takewhile(lambda line: line.startswith("|"), rest.split("\n")[2:])
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _joined(rows: list[list[str]]) -> str:
    return "".join(row[0].strip("` ") for row in rows)


def _headings() -> list[str]:
    prose = re.sub(r"(?ms)^```.*?^```", "", TEXT)
    return re.findall(r"(?m)^#{2,3} (.+)$", prose)


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_pieces_of_the_first_post_make_that_post_its_sig_structure_and_its_id() -> None:
    post = _load("post-v1.json")["accept"][0]
    assert _joined(_table("bytes")) == post["raw"]
    signed = bytes.fromhex(_joined(_table("bytes of the Sig_structure")))
    assert hashlib.sha256(signed).hexdigest() == post["id"]
    assert f"these {len(signed)} bytes:\n`{post['id']}`" in TEXT


def test_the_session_in_the_text_is_that_of_the_vectors_frame_by_frame() -> None:
    told = [row[1:3] for row in _table("| from")]
    frames = _load("sync-v1.json")["sessions"]["posts on both sides"]["frames"]
    assert told == [[frame["from"], frame["says"]] for frame in frames]


def test_each_file_of_vectors_is_named_and_each_that_is_named_is_there() -> None:
    _, _, section = TEXT.partition("\n### The vectors\n")
    section = section.partition("\n### ")[0]
    listed = set(re.findall(r"`([\w-]+\.json)`", section))
    assert listed == {path.name for path in VECTORS.glob("*.json")}
    for named in re.findall(r"vectors/([\w*.-]+\.(?:json|py))", TEXT):
        assert list(VECTORS.glob(named)), named


def test_vectors_that_sections_name_without_their_ending_are_there() -> None:
    rows = _table("it needs")
    named = [name for row in rows for name in re.findall(r"`([\w-]+)`", row[2])]
    assert len(named) > 4
    for name in named:
        assert (VECTORS / f"{name}.json").exists(), name


def test_the_contents_list_the_headings_in_their_order_and_each_link_leads_somewhere() -> None:
    contents, _, _ = TEXT.partition("\n## ")
    links = re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", contents)
    listed = [title for title, _ in links]
    numbered = [re.sub(r"^\d+\. ", "", heading) for heading in re.findall(r"(?m)^## (.+)$", TEXT)]
    assert listed == numbered
    anchors = [_anchor(heading) for heading in _headings()]
    assert [anchor for _, anchor in links if anchor not in anchors] == []


def test_sections_and_appendices_that_the_text_refers_to_are_there() -> None:
    there = {match[1] for heading in _headings() if (match := re.match(r"(\d+|A\.\d+)\.? ", heading))}
    there |= {match[1] for heading in _headings() if (match := re.match(r"Appendix ([AB])\.", heading))}
    named = set(re.findall(r"[Ss]ections? (\d+)(?!\.)|(?:Appendix )?\b(A\.\d+)|Appendix ([AB])\b", TEXT))
    named_flat = {name for groups in named for name in groups if name}
    assert len(named_flat) > 15
    assert named_flat <= there, named_flat - there
    titles = re.findall(r"\(\*([^*]+)\*\)", TEXT)  # a section without a number is named so
    assert titles
    assert [title for title in titles if title not in _headings()] == []
