"""Breaks one rule of a codec at a time and shows that a vector notices: python docs/vectors/mutants.py

Each mutant is this program with one piece of text replaced. A mutant that passes all vectors is a survivor: a
rule that an implementer could get wrong without noticing. There must be none. The vectors are run in a
process of their own for each mutant, so nothing on the disk is changed.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]

from mutant_list import MUTANTS, Mutant  # noqa: E402


class _Mutator(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module with one piece of its text replaced."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        path = ROOT.joinpath(*mutant.module.split(".")).with_suffix(".py")
        super().__init__(mutant.module, str(path))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._mutant.module:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        source = Path(self.path).read_text()
        return compile(source.replace(self._mutant.old, self._mutant.new), self.path, "exec")


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    noticed: str  #: the first vector that fails; empty for a survivor


def run(mutant: Mutant, without: str = "") -> Result:
    """Run the vectors, in a process that has not imported the program yet. `without`: a check
    that is left out.
    """
    sys.meta_path.insert(0, _Mutator(mutant))
    try:
        import check
    except Exception as error:  # the mutant does not even start, so it is noticed
        return Result(mutant, repr(error))
    check.CHECKS = tuple(each for each in check.CHECKS if each.__name__ != without)
    return Result(mutant, next(check.failures(), ""))


def misplaced() -> Iterator[str]:
    """Mutants whose text is not exactly once in the program, because the program has changed."""
    for mutant in MUTANTS:
        source = ROOT.joinpath(*mutant.module.split(".")).with_suffix(".py").read_text()
        if source.count(mutant.old) != 1:
            yield f"{mutant.rule}: {mutant.module} has {source.count(mutant.old)} of {mutant.old!r}"


def results(chosen: Sequence[Mutant] = MUTANTS, without: str = "") -> Iterator[Result]:
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(mp_context=context, max_tasks_per_child=1) as pool:
        yield from pool.map(run, chosen, [without] * len(chosen))


def main() -> int:
    """Run all mutants and print what noticed each. Returns 1 if one survives or is misplaced."""
    wrong = list(misplaced())
    print("\n".join(wrong))
    survivors = []
    for result in results():
        print(f"{result.mutant.rule}: {result.noticed or 'NOT NOTICED'}")
        if not result.noticed:
            survivors.append(result)
    print(f"{len(MUTANTS)} mutants, {len(survivors)} survivors")
    return bool(survivors or wrong)


if __name__ == "__main__":
    sys.exit(main())
