"""The walls of docs/ARCHITECTURE.md: one forbidden import each, and lint-imports must see it."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIGNERS = "only who signs opens the keystore"
NODE = "the process that parses bytes from strangers can't sign"
LIBP2P = "libp2p in two files"
INSIDE = "the inside of forum"
PURE = "protocols do no I/O"

KEYSTORE = "from p2pforum.keystore.keystore import Keystore"
FORUM = "from p2pforum.forum import publish"
VIOLATIONS = [
    ("node.py", KEYSTORE, {SIGNERS, NODE}),
    ("gossip/service.py", KEYSTORE, {SIGNERS, NODE}),
    ("sync/service.py", "import p2pforum.keystore.format", {SIGNERS, NODE}),
    ("store/posts.py", "from p2pforum.keystore import contents", {SIGNERS, NODE}),
    ("agent/client.py", KEYSTORE, {SIGNERS, "the agent can open nothing"}),
    ("node.py", FORUM, {NODE}),  # by way of others, too
    ("api/app.py", FORUM, {NODE}),
    ("cli/commands/run.py", "from p2pforum.app.unlocking import open_keystore", {NODE}),
    ("app/writing.py", "from p2pforum.forum import authors", {INSIDE}),
    ("cli/commands/key_burn.py", "from p2pforum.forum.traces import unsent", {INSIDE}),
    ("app/writing.py", "import click", {"app has no terminal"}),
    ("app/session.py", "import getpass", {"app has no terminal"}),
    ("app/facts.py", "from p2pforum.cli.terminal import console", {"app has no terminal", "layers"}),
    ("outbound_posts.py", "import libp2p", {LIBP2P}),
    ("connection_manager.py", "import libp2p", {LIBP2P}),
    ("node.py", "from libp2p.peer.id import ID", {LIBP2P}),
    ("network/ranges.py", "import libp2p", {LIBP2P}),
    ("network/peer_seed.py", "import libp2p", {LIBP2P}),
    ("core/address.py", "import multiaddr", {"addresses are read by core/address.py"}),
    ("store/posts.py", "import sqlite_utils", {"sqlite_utils in one file"}),
    ("gossip/own.py", "import time", {PURE}),
    ("gossip/own.py", "import socket", {PURE}),
    ("stem/router.py", "from p2pforum.stem import guard_file", {PURE}),  # by way of one that may
    ("sync/session.py", "from p2pforum.network import interface", {PURE}),
    ("peers/added.py", "import sqlite3", {PURE}),  # a module that nobody wrote into a list
    ("peers/book.py", "from p2pforum.gossip import seen", {"layers"}),
    ("added.py", "", {"layers"}),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "p2pforum", copy / "p2pforum", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    for name in ("pyproject.toml", "tests/pure_contract.py"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture
def added(tree: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    name, line, _ = request.param
    path = tree / "p2pforum" / name
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    yield
    if before is None:
        path.unlink()
    else:
        path.write_text(before)


def broken(tree: Path) -> set[str]:
    """Names of the contracts that lint-imports calls broken; `layers` if a module has no place in them."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
    ]
    run = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=100, check=False)
    names = set(re.findall(r"^(.+) BROKEN", run.stdout, re.MULTILINE))
    assert (run.returncode != 0) == bool(names), run.stdout + run.stderr
    return names


def test_the_tree_as_it_is_breaks_nothing(tree: Path) -> None:
    assert broken(tree) == set()


@pytest.mark.parametrize(
    ("added", "contracts"),
    [(violation, violation[2]) for violation in VIOLATIONS],
    indirect=["added"],
    ids=[f"{name}: {line}" for name, line, _ in VIOLATIONS],
)
@pytest.mark.usefixtures("added")
def test_a_forbidden_import_breaks_a_contract(tree: Path, contracts: set[str]) -> None:
    assert broken(tree) == contracts


def test_what_of_forum_nothing_else_imports_is_its_inside() -> None:
    """As the docstring and the contract say it, both of which follow the imports of all other packages."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (inside,) = (c["protected_modules"] for c in contracts if c["name"] == INSIDE)
    _, _, told = (ROOT / "p2pforum/forum/__init__.py").read_text().partition("The inside")
    assert {f"p2pforum.forum.{name}" for name in re.findall(r"^(\w+)\.py ", told, re.MULTILINE)} == {*inside}
    used = set()
    for path in (ROOT / "p2pforum").rglob("*.py"):
        if path.parent.name != "forum":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module == "p2pforum.forum":
                    used |= {f"p2pforum.forum.{alias.name}" for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    used.add(node.module or "")
    every = {f"p2pforum.forum.{path.stem}" for path in (ROOT / "p2pforum/forum").glob("[!_]*.py")}
    assert every - used == {*inside}
