"""A part of libp2p without the rest, and the whole of it for those who ask."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pforum.network.on_demand import PackagesOnDemand

LIBRARY = {
    "__init__.py": "RUNS.append('library')\nfrom .deep import answer\nfrom .other import thing\n",
    "other.py": "thing = 'a thing'\n",
    "deep/__init__.py": "RUNS.append('deep')\nfrom .useful import answer\n",
    "deep/useful.py": "answer = 42\n",
    "broken/__init__.py": "RUNS.append('broken')\nimport no_such_module\n",
    "broken/part.py": "whole = True\n",
}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Which packages of a library called `library` have run, in their order."""
    for name, text in LIBRARY.items():
        file = tmp_path / "library" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    runs: list[str] = []
    monkeypatch.setattr("builtins.RUNS", runs, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield runs
    for name in [name for name in sys.modules if name.partition(".")[0] == "library"]:
        del sys.modules[name]


@pytest.fixture
def on_demand(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "meta_path", [PackagesOnDemand("library"), *sys.meta_path])
    return runs


def load(name: str) -> object:
    return importlib.import_module(name)


def test_the_ordinary_import_runs_all_packages_on_the_way(runs: list[str]) -> None:
    """The control."""
    load("library.deep.useful")
    assert runs == ["library", "deep"]


def test_a_part_runs_no_package(on_demand: list[str]) -> None:
    assert load("library.deep.useful").answer == 42  # type: ignore[attr-defined]
    assert not on_demand


def test_a_package_runs_once_when_asked_for_a_name(on_demand: list[str]) -> None:
    part = load("library.deep.useful")
    deep = load("library.deep")
    assert deep.useful is part, "a submodule that is there is no reason to run the package"  # type: ignore[attr-defined]
    assert not on_demand
    assert deep.answer == 42  # type: ignore[attr-defined]
    assert on_demand == ["deep"]
    library = load("library")
    assert library.thing == "a thing"  # type: ignore[attr-defined]
    assert library.thing == "a thing"  # type: ignore[attr-defined]
    assert on_demand == ["deep", "library"]
    with pytest.raises(AttributeError):
        _ = library.no_such_name  # type: ignore[attr-defined]


def test_tools_that_look_a_module_over_run_nothing(on_demand: list[str]) -> None:
    assert not hasattr(load("library"), "__warningregistry__")
    assert not on_demand


def test_a_package_that_fails_says_so_each_time(on_demand: list[str]) -> None:
    assert load("library.broken.part").whole  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            _ = load("library.broken").name  # type: ignore[attr-defined]
    assert on_demand == ["broken", "broken"]


def test_other_libraries_are_left_alone() -> None:
    found = PackagesOnDemand("library")
    assert found.find_spec("json", None) is None
    assert found.find_spec("libraryish", None) is None
    assert found.find_spec("library.missing", []) is None


TWO_NODES = """
import sys, trio
from p2pforum.network.libp2p_network import open_libp2p_network

async def answer(peer, stream):
    await stream.send_all(await stream.receive_some(100))
    await stream.send_eof()

async def main():
    async with (
        open_libp2p_network(["/ip4/127.0.0.1/tcp/0"]) as one,
        open_libp2p_network([]) as two,
    ):
        one.set_handler("/echo", answer)
        peer = await two.dial(one.addresses[0])
        stream = await two.open_stream(peer, "/echo")
        await stream.send_all(b"hello")
        assert await stream.receive_some(100) == b"hello"

trio.run(main)
loaded = [name for name in sys.modules if name.partition(".")[0] == "libp2p"]
print(len(loaded), "libp2p.host.basic_host" in loaded)
from libp2p import new_host
from libp2p.peer.id import ID
from p2pforum.network import libp2p_noise
print(callable(new_host), ID is libp2p_noise.ID, "libp2p.host.basic_host" in sys.modules)
"""


@pytest.mark.e2e
def test_two_nodes_need_a_quarter_of_libp2p_and_can_still_have_it_all() -> None:
    """If this fails after an upgrade of libp2p, a part of it that a node runs imports more than before."""
    program = [sys.executable, "-c", TWO_NODES]
    first, second = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    count, has_host = first.split()
    assert int(count) < 80, "the library has about 300"
    assert (has_host, second) == ("False", "True True True")
