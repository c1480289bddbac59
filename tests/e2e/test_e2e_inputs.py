"""What an attacker has a user's commands and the local socket read: real processes, and what it costs.

Each control is the same program without the defence (see odd_node.py).
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from e2e_bombs import a_chain, an_answer
from e2e_filled import PARAMS
from e2e_floods import CONFIG, a_post, nodes
from e2e_nodes import CHECKOUT

from p2pforum.api.app import ROUTES
from p2pforum.app.clock import this_hour
from p2pforum.config import find_paths
from p2pforum.core.bundle import MAGIC, MARK, Header, write_bundle
from p2pforum.core.limits import KIB, MAX_BUNDLE_SKIPPED
from p2pforum.core.post import Post
from p2pforum.core.post_id import format_id
from p2pforum.store.posts import open_store
from p2pforum.store.queries import open_reader

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Done:
    """`cpu` in seconds, `peak` of memory in bytes."""

    code: int
    said: str
    cpu: float
    peak: int


def command(kind: str, home: Path, *arguments: str, stdin: str = "") -> Done:
    script = str(Path(__file__).with_name("odd_node.py"))
    done = subprocess.run(
        [sys.executable, script, f"{kind},watched", "--home", str(home), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=90,
        check=False,
        env={**os.environ, "P2PFORUM_HOME": ""},
    )
    assert "Traceback" not in done.stderr
    problems, _, cost = done.stderr.rpartition("COST ")
    cpu, peak = cost.split()
    return Done(done.returncode, done.stdout + problems, float(cpu), int(peak) * KIB)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    find_paths(made).config_file.write_text(CONFIG)
    return made


def fill(home: Path, posts: Sequence[Post]) -> None:
    with open_store(find_paths(home).data_dir, PARAMS) as store:
        store.add([(post, True) for post in posts])


# -- what a thread costs to read ---------------------------------------------------------------------------


def read(kind: str, home: Path, root: Post) -> Done:
    done = command(kind, home, "read", format_id(root.id), "--no-pager")
    assert done.code == 0, done.said
    print(f"{kind}: {len(done.said)} characters, {done.cpu:.2f} s of CPU, {done.peak >> 20} MiB")
    return done


def test_posts_that_are_dear_to_show_cost_a_fraction_of_what_they_cost_before(home: Path) -> None:
    """Letters that are shown as `<U+200B>` each, on one line. The control is in it."""
    root = a_post("Bombs", this_hour())
    body = "\u200b" * 4_070 + "é"
    fill(home, [root, *[an_answer(root, [root.id], [f"{n}{body}"]) for n in range(6)]])
    ours, before = read("plain", home, root), read("quadratic", home, root)
    assert 3 * ours.cpu < before.cpu
    assert 10 * len(ours.said) < len(before.said)


def test_a_chain_of_withdrawals_is_shown_within_the_bounds_of_the_wire(home: Path) -> None:
    """Twenty posts answer the last. The control is in it."""
    posts = a_chain(300)
    fill(home, posts)
    ours, before = read("plain", home, posts[0]), read("boundless", home, posts[0])
    assert 20 * len(ours.said) < len(before.said)


# -- what a file costs to import ---------------------------------------------------------------------------


def a_bundle(place: Path, zeros: int) -> Post:
    """A post, so many zeros (of which a file system keeps none), and another post."""
    one, other = a_post("Before", this_hour()), a_post("Behind", this_hour())
    first, last = (b"".join(write_bundle(Header(PARAMS.name, 1, 1), [post.raw])) for post in (one, other))
    with place.open("wb") as file:
        file.write(first[: first.rindex(MARK)])
        file.seek(zeros, os.SEEK_CUR)
        file.write(last[last.index(MARK, len(MAGIC) + 1) :])
    return other


@pytest.mark.parametrize(("kind", "goes_on"), [("plain", False), ("boundless", True)], ids=["", "control"])
def test_a_sparse_bundle_is_given_up_soon(kind: str, goes_on: bool, home: Path, tmp_path: Path) -> None:
    behind = a_bundle(tmp_path / "sparse", 2 * MAX_BUNDLE_SKIPPED)
    done = command(kind, home, "import", str(tmp_path / "sparse"))
    print(done)
    with open_reader(find_paths(home).data_dir) as reader:
        assert (reader.post(behind.id) is not None) == goes_on
    assert ("too damaged to go on" in done.said) != goes_on


def test_a_text_without_end_is_refused_in_little_memory(home: Path, tmp_path: Path) -> None:
    """The control is in it."""
    endless = tmp_path / "endless.txt"
    endless.write_bytes(b"T\nx\nComments\n")
    os.truncate(endless, 20 * KIB * KIB)
    ours, before = (
        command(kind, home, "publish", "--yes", str(endless), "--format", "text")
        for kind in ("plain", "boundless")
    )
    print(ours, before)
    assert ours.code != 0
    assert "larger than" in ours.said
    assert ours.peak + 100 * KIB * KIB < before.peak


# -- a link in the place of the keys -----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "follows"), [("plain", False), ("following", True)], ids=["", "control"])
def test_no_key_is_written_through_a_link(kind: str, follows: bool, home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    find_paths(home).keys_dir.symlink_to(elsewhere)
    done = command(kind, home, "post", "general", "--yes", "-s", "A subject", stdin="Text.\n")
    print(done)
    assert (done.code == 0) == follows
    assert any(elsewhere.iterdir()) == follows


# -- bodies that can't be read -----------------------------------------------------------------------------


def answers(kind: str, tmp_path: Path) -> tuple[set[int], str]:
    """Of a node to 4,000 brackets at each endpoint that takes a body, and its log."""
    with nodes(tmp_path, [kind]) as (node,):
        node.start()
        transport = httpx.HTTPTransport(uds=str(find_paths(tmp_path / "n0").socket_path))
        with httpx.Client(transport=transport, base_url="http://node") as client:
            paths = [path for path, route in ROUTES.items() if route.method == "POST" and "stop" not in path]
            codes = {client.post(path, content=b"[" * 4_000).status_code for path in paths}
        assert node.node.status(), "it goes on"
        return codes, (tmp_path / "n0.log").read_text()


def test_brackets_are_no_fault_of_the_node(tmp_path: Path) -> None:
    codes, log = answers("plain", tmp_path)
    assert max(codes) < 500
    assert "Traceback" not in log


def test_control_without_the_guard_they_are(tmp_path: Path) -> None:
    codes, log = answers("unguarded", tmp_path)
    assert 500 in codes
    assert "Traceback" in log
