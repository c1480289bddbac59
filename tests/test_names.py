"""Names: a public class is called as no other one is, so that whoever searches for it finds one thing."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]


def classes_of(text: str) -> set[str]:
    """The public classes that a module defines at its top."""
    return {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def shared(modules: dict[str, str]) -> dict[str, list[str]]:
    """Public classes by name that several of these modules define; `modules` holds each one's text."""
    defined = defaultdict(list)
    for path, text in modules.items():
        for name in classes_of(text):
            defined[name].append(path)
    return {name: paths for name, paths in defined.items() if len(paths) > 1}


def test_no_two_modules_define_a_public_class_of_one_name() -> None:
    modules = {str(path): path.read_text() for path in sorted((ROOT / "p2pforum").rglob("*.py"))}
    assert len(modules) > 200
    assert shared(modules) == {}


def test_the_control_a_name_that_two_modules_define_is_seen() -> None:
    one, other = "class Session:\n    pass\n", "class _Own:\n    class Inner: ...\n\nclass Session: ...\n"
    assert shared({"a.py": one, "b.py": other, "c.py": "class _Own: ...\nclass Inner: ...\n"}) == {
        "Session": ["a.py", "b.py"]
    }
