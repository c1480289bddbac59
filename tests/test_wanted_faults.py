"""The control for `wanted_faults`: a test in which a node has a fault of its own fails, if nobody wants it.

Each service is broken by hand in a test of its own, which pytest runs in another process.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
BROKEN = """
from random import Random

import pytest
import trio
from exchange_nodes import FIRST, an_exchange_node
from gossip_nodes import a_node
from stem_nodes import a_stem_node

from p2pforum.network.memory_network import MemoryHub


async def gossip(hub):
    async with a_node(hub, "a") as node:
        node.service._router.heartbeat = None
        await trio.sleep(5)


async def stem(hub):
    async with a_stem_node(hub, "a") as node:
        node.stem.router.tick = None
        await trio.sleep(60)


async def exchange(hub):
    async with an_exchange_node(hub, "a") as one, an_exchange_node(hub, "b") as other:
        one.service._sample = None
        await other.network.dial(one.network.addresses[0])
        await trio.sleep(FIRST)


@pytest.mark.parametrize("use", [gossip, stem, exchange])
@pytest.mark.parametrize("is_wanted", [True, False])
async def test_it(use, is_wanted, autojump_clock, wanted_faults):
    name = {gossip: "gossip", stem: "the stem", exchange: "the exchange of addresses"}[use]
    if is_wanted:
        wanted_faults.append(f"a fault in {name}")
    await use(MemoryHub(Random(1)))
"""


@pytest.mark.slow
def test_a_fault_that_nobody_wants_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(BROKEN)
    # tests/conftest.py as a plugin: the file is elsewhere
    options = ["-q", "--noconftest", "-p", "conftest", "-p", "no:cacheprovider", "-c"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, TESTS.parent / "pyproject.toml", tmp_path],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^ERROR \S*::test_it\[False-(\w+)\]", done.stdout, re.MULTILINE)
    assert failed == ["gossip", "stem", "exchange"], done.stdout
    assert "6 passed, 3 errors" in done.stdout, done.stdout
    assert done.returncode is pytest.ExitCode.TESTS_FAILED.value
