"""Every bound is said once."""

import ast
from collections import Counter
from pathlib import Path

from p2pforum.core import limits


def test_no_bound_is_said_twice() -> None:
    """The second would replace the first without a word, as when two branches choose one name."""
    lines = ast.parse(Path(limits.__file__).read_text()).body
    names = [target.id for line in lines if isinstance(line, ast.Assign) for target in line.targets]  # type: ignore[attr-defined]
    assert [name for name, times in Counter(names).items() if times > 1] == []
