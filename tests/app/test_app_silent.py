"""What every front end shares says nothing by itself: it has no terminal (pyproject holds its imports)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "p2pforum"


def terminal_in(tree: ast.AST) -> Iterator[str]:
    """What of a module speaks to a terminal: print and input, sys.std*, the console, control sequences."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print" | "input" as name)):
                yield name
            case ast.Attribute(value=ast.Name(id="sys"), attr=str(name)) if name.strip("_").startswith("std"):
                yield f"sys.{name}"
            case ast.ImportFrom(module="sys", names=names):
                yield from (f"sys.{a.name}" for a in names if a.name.strip("_").startswith("std"))
            case ast.Constant(value=str(text)) if "\x1b" in text or text == "/dev/tty":
                yield repr(text)


@pytest.mark.parametrize("path", sorted((PACKAGE / "app").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_in_app_speaks_to_a_terminal(path: Path) -> None:
    assert list(terminal_in(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "print('x')",
        "input()",
        "import sys; sys.stdout.write('x')",
        "import sys; sys.__stderr__.write('x')",
        "from sys import stderr",
        "x = '\\x1b[1m'",
        "open('/dev/tty')",
    ],
)
def test_the_test_can_fail(line: str) -> None:
    assert list(terminal_in(ast.parse(line)))
