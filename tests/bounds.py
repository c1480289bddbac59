"""Which numbers bound something, and how one of them is tried just inside and just outside."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from p2pforum.core import limits
from p2pforum.core.errors import P2PForumError

PACKAGE = Path(__file__).parent.parent / "p2pforum"


def _numbers(module: ModuleType, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Its constants, and the defaults of its dataclasses."""
    for name, value in vars(module).items():
        if name.isupper() and isinstance(value, int | float) and name != "KIB":
            yield prefix + name, value
        elif dataclasses.is_dataclass(value):
            yield from ((prefix + field.name, field.default) for field in dataclasses.fields(value))


PARAMS = sorted(path.parent.name for path in PACKAGE.glob("*/params.py"))
NUMBERS = dict(_numbers(limits))
for _name in PARAMS:
    NUMBERS.update(_numbers(import_module(f"p2pforum.{_name}.params"), f"{_name}."))
"""All of core/limits.py by their names, and of each package's params.py as `package.name`."""


@dataclass(frozen=True)
class Row:
    """`name`: a key of NUMBERS. `takes(n)` raises, or answers False, if `n` of what it counts is too much.

    `inside` and `outside`: how far from the number is the last that is taken, and the first that is not.
    """

    name: str
    where: str
    takes: Callable[[Any], Any]
    inside: float = 0
    outside: float = 1

    def __str__(self) -> str:
        return f"{self.name}, {self.where}"

    def check(self) -> None:
        number = NUMBERS[self.name]
        assert self._is_taken(number + self.inside)
        assert not self._is_taken(number + self.outside)

    def _is_taken(self, n: float) -> bool:
        try:
            return self.takes(n) is not False
        except P2PForumError:
            return False
