"""The README's first command: three real nodes, six posts that travel, and nothing left behind."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT, cli

from p2pforum.config import load_config
from p2pforum.config.paths import find_paths
from p2pforum.store.queries import open_reader

pytestmark = pytest.mark.e2e


def demo(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "node.py"), "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env={"TMPDIR": str(directory), "PATH": "", "HOME": str(directory)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_six_posts_reach_three_nodes(tmp_path: Path) -> None:
    said = demo(tmp_path, "--keep")
    assert len(re.findall(r"at all 3 nodes \d+ ms later", said)) == 5
    assert len(re.findall(r"at all 2 nodes \d+ ms later", said)) == 1  # and the third by sync
    assert "6 posts by 3 pseudonyms" in said
    assert said.count("0 of them named a sender") == said.count("0 peer IDs of other nodes and 0 keys") == 3
    assert "its posts carry no stamps" in said
    homes = [home for home in next(tmp_path.glob("p2pforum-demo-*")).iterdir() if home.is_dir()]
    kept = []
    for home in homes:
        paths = find_paths(str(home))
        assert load_config(paths).params.stamp_floor == 0, "what it says of stamps is so"
        with open_reader(paths.data_dir) as reader:
            kept.append({row.id for row in reader.thread(reader.threads("demo", 1)[0].root)})
    assert len(kept) == 3
    assert [len(posts) for posts in kept] == [6, 6, 6]
    assert kept[0] == kept[1] == kept[2]


def test_it_leaves_nothing_behind_and_the_command_that_it_names_last_posts(tmp_path: Path) -> None:
    said = demo(tmp_path)
    words = shlex.split(said.rstrip().rsplit("\n", 1)[1])
    assert words[:3] == ["echo", "Hello.", "|"]
    assert cli(tmp_path / "new", *words[words.index("post") :], stdin="Hello.").startswith("Posted ")
    shutil.rmtree(tmp_path / "new")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
