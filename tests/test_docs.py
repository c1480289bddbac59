"""What the documents say of the tests."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_TEST = re.compile(r"`(tests/[\w/]+\.py)?::(\w+)`")


def test_each_claim_of_protection_names_tests_that_exist() -> None:
    section = (ROOT / "docs/THREATS.md").read_text().partition("\n## Protected\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        named = _TEST.findall(row)
        assert named, f"no test: {row}"
        path = ""
        for said, name in named:  # a name without a path is in the file named before
            path = said or path
            text = (ROOT / path).read_text()
            assert re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"
