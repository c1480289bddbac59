"""requirements.lock has what the program needs to run, and nothing else.

Every module is imported, every command is started, and nodes run, on a Python that has those packages alone.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT, CONFIG, DemoNode, wait_until
from locked_site import LockedPython, entries, locked

from p2pforum.core.post_id import format_id

RUN, DEV = CHECKOUT / "requirements.lock", CHECKOUT / "requirements-dev.lock"
MOST = 45  # packages that a person has to trust; fewer is better

EVERY_MODULE = """
import importlib, pkgutil, click, p2pforum
for module in pkgutil.walk_packages(p2pforum.__path__, "p2pforum."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

def every_command(group, words):
    assert p2pforum.cli.main.run([*words, "--help"]) == 0, words
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            every_command(group.get_command(context, name), [*words, name])

every_command(p2pforum.cli.main.cli, [])
"""


def imported(package: Path) -> set[str]:
    """First names of all modules that the sources import, inside functions too."""
    found = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - {"p2pforum"} - sys.stdlib_module_names


class Person(DemoNode):
    """Who has set up as the README says: the node and the commands run on the packages of the lock."""

    def __init__(self, name: str, directory: Path, python: LockedPython, config: str = CONFIG) -> None:
        super().__init__(name, directory / name, config)
        self._python = python

    def _command(self, *arguments: str) -> list[str]:
        return [str(self._python.executable), *super()._command(*arguments)[1:]]

    def types(self, *arguments: str, stdin: str = "") -> str:
        return run(self._command(*arguments), stdin)


def run(command: list[str], stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=100, cwd=CHECKOUT)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_locks_agree() -> None:
    """What people run is what was tested."""
    run, dev = locked(RUN), locked(DEV)
    assert run.items() <= dev.items()
    assert len(run) <= MOST


def ours(packages: Iterable[str]) -> set[str]:
    """Those of which our sources import something, be it in a function that few runs reach."""
    wanted = imported(CHECKOUT / "p2pforum")
    return {name for name in packages if wanted & modules(name)}


def modules(package: str) -> set[str]:
    return {entry.partition(".")[0] for entry in entries(package)}


@pytest.mark.slow
def test_every_import_of_ours_is_locked() -> None:
    top = set().union(*map(modules, locked(RUN)))
    wanted = imported(CHECKOUT / "p2pforum")
    assert {"trio", "libp2p", "zeroconf", "miniupnpc"} <= wanted
    assert wanted <= top
    assert "pytest" in imported(CHECKOUT / "tests") - top, "the control: tests need more"


@pytest.mark.e2e
def test_the_lock_is_what_the_program_needs_and_no_more(tmp_path: Path) -> None:
    """`httpx`, which the tests use, is the control: the test sees a package that nobody needs."""
    packages = {*locked(RUN), "httpx"}
    python = LockedPython(tmp_path / "python", packages)
    run([str(python.executable), "-c", EVERY_MODULE])
    with Person("alice", tmp_path, python) as alice, Person("bob", tmp_path, python) as bob:
        alice.start()
        bob.start(alice.address())
        post = alice.new_thread("general", "Hello", "Only what is needed.").post
        assert post is not None
        wait_until(lambda: bob.holds(post), "the post did not arrive")
        bob.types("sync")
        assert "Only what is needed." in bob.types("read", format_id(post.id))
        assert "Hello" in bob.types("search", "needed")
        bob.types("doctor")
    assert packages - python.loaded() - ours(packages) == {"httpx"}


@pytest.mark.e2e
def test_a_package_that_is_missing_is_noticed(tmp_path: Path) -> None:
    python = LockedPython(tmp_path / "python", set(locked(RUN)) - {"multiaddr"})
    with pytest.raises(AssertionError, match="No module named 'multiaddr'"):
        run([str(python.executable), "-c", EVERY_MODULE])
