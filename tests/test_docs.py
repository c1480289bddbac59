"""How wide the documents are; what they say of the tests, and packages of their files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from p2pforum.cli.command_list import ENTRIES

ROOT = Path(__file__).parents[1]
PACKAGES = [ROOT / "simulation", *sorted(path.parent for path in (ROOT / "p2pforum").glob("**/__init__.py"))]
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()
WIDTH, ROW = 100, 120  # columns of a line, of a row of a table
_TEST = re.compile(r"`(tests/[\w/]+\.py)?::(\w+)`")


def too_wide(text: str) -> list[str]:
    """Lines that need a wide window. Code and single words (URLs, names of tests) can't be cut."""
    found = []
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif line.startswith("|"):
            if len(line) > ROW:
                found.append(f"{number}: a row of {len(line)}")
        elif not is_code and len(line) > WIDTH and " " in re.sub(r"^ *(\* |- |\d+\. )?", "", line):
            found.append(f"{number}: {len(line)}")
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_needs_no_wide_window(name: str) -> None:
    assert too_wide((ROOT / name).read_text()) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{'word ' * 19}words", 0),
        (f"{'word ' * 19}wordy!", 1),
        ("* `tests/" + "a" * 100 + "`", 0),
        ("12. `tests/" + "a" * 100 + "`", 0),
        ("12. of `tests/" + "a" * 100 + "`", 1),
        (f"```\n{'code ' * 40}\n```\n", 0),
        (f"```\n```\n{'word ' * 40}", 1),
        (f"| {'a' * 116} |", 0),
        (f"| {'a' * 117} |", 1),
    ],
)
def test_the_width_test_sees_both_sides_of_each_bound(text: str, count: int) -> None:
    assert len(too_wide(text)) == count


def numbered(heading: str) -> dict[str, str]:
    """The items of a section of THREATS by their numbers."""
    section = (ROOT / "docs/THREATS.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", section, re.MULTILINE | re.DOTALL))


def test_each_claim_of_protection_names_tests_that_exist() -> None:
    claims, tests = numbered("Protected"), numbered("Appendix: the tests that can fail")
    assert list(claims) == [str(number) for number in range(1, len(claims) + 1)]
    assert len(claims) > 10
    assert claims.keys() == tests.keys()
    for number, item in tests.items():
        named = _TEST.findall(item)
        assert named, f"no test: {number}"
        path = ""
        for said, name in named:  # a name without a path is in the file named before
            path = said or path
            text = (ROOT / path).read_text()
            assert re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


def test_threats_begins_with_twelve_sentences_for_everybody() -> None:
    assert list(numbered("In twelve sentences")) == [str(number) for number in range(1, 13)]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_each_package_says_which_files_it_has(package: Path) -> None:
    """Whoever looks for a file reads the docstring first (docs/ARCHITECTURE.md)."""
    named = set(re.findall(r"[\w/]+\.py\b", (package / "__init__.py").read_text()))
    elsewhere = {name for name in named if "/" in name}  # named as what it is not, or is for
    assert [name for name in elsewhere if not (ROOT / "p2pforum" / name).exists()] == []
    there = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    commands = {f"{module}.py" for module, _ in ENTRIES.values()} | {
        path.name for path in package.glob("key_*.py")
    }
    assert named - elsewhere - there == set()
    assert there - named <= (commands if package.name == "commands" else set())


def lost(text: str) -> set[str]:
    """What a text names between backticks, or as a test to run, and is not in this tree: files, and
    names in Python. NAME stands for what the reader adds.
    """
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [f"/{name}" for name in tracked.stdout.split()]
    source = "\n".join((ROOT / name[1:]).read_text() for name in files if name.endswith(".py"))
    defined = set(re.findall(r"\b(?:class|def) (\w+)|^ *(\w+)(?=: | = )", source, re.MULTILINE))
    known = {name for pair in defined for name in pair}
    spans = re.findall(r"`([^`\n]+)`", text)
    named = {name for name in spans if re.fullmatch(r"[\w/]+\.\w+|(?:p2pforum|tests|docs)/[\w/]+", name)}
    for before, group, after in re.findall(r"(tests/[\w/]+)\{([\w,]+)\}(\.py)", text):
        named |= {before + name + after for name in group.split(",")}
    found = {name for name in named if not any(f"/{name.rstrip('/')}/" in f"{file}/" for file in files)}
    names = {name for name in spans if re.fullmatch(r"\w*[A-Z_]\w*", name)}
    return {name for name in found | (names - known) if "NAME" not in name}


def test_what_recipes_name_is_there() -> None:
    assert lost((ROOT / "docs/CONTRIBUTING.md").read_text()) == set()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("`tests/test_docs.py`, `test_docs.py`, `tests/cli/`, `Kind`, `_flag`, `tests/test_NAME.py`", ""),
        ("`tests/no_such.py`", "tests/no_such.py"),
        ("pytest tests/test_{docs,no_such}.py", "tests/test_no_such.py"),
        ("makes a `NoSuch" + "Class`", "NoSuch" + "Class"),
    ],
)
def test_control_what_is_lost_is_found(text: str, missing: str) -> None:
    assert lost(text) == ({missing} if missing else set())


def test_the_lints_of_contributing_are_those_of_the_ci() -> None:
    told, done = ((ROOT / name).read_text() for name in ("docs/CONTRIBUTING.md", ".ci/run"))
    (off,) = re.findall(r"--disable=[A-Z0-9,]+", told)
    assert re.findall(r"--disable=[A-Z0-9,]+", done) == [off]
    for program in ("ruff format", "ruff check", "mypy", "lint-imports --no-cache", "flake8-async"):
        assert f"bin/{program}" in told
        assert f"$py/{program}" in done
    install = r"python3 -m venv .*requirements-dev\.lock"
    (line,) = re.findall(install, told)
    assert re.findall(install, (ROOT / "README.md").read_text()) == [line]


def test_the_drawing_of_a_sync_session_is_that_of_its_table() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "docs/session_drawing.py"], capture_output=True, text=True, check=True
    ).stdout
    assert f"```mermaid\n{made}```" in (ROOT / "docs/ARCHITECTURE.md").read_text()
