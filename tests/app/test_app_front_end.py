"""A second front end, docs/front_end.py: forty lines, by app/ alone."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app_node import running_node
from app_world import CONFIG, release
from strategies import a_post

from p2pforum.app.session import Session
from p2pforum.core.post_id import parse_id
from p2pforum.core.verdict import Origin

PROGRAM = Path(__file__).parents[2] / "docs/front_end.py"


def run(*words: str, stdin: str = "") -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_has_forty_lines_and_imports_app_alone() -> None:
    text = PROGRAM.read_text()
    assert len(text.splitlines()) <= 45
    code = text.partition('"""\n\n')[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
    named = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in named if name and name.startswith("p2pforum")}
    assert ours
    assert all(name.startswith("p2pforum.app.") for name in ours)


def test_it_posts_replies_and_reads_what_is_new() -> None:
    home = Path(os.environ["P2PFORUM_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    (made,) = run("post", "library", "A subject", stdin="A text")
    assert (made["outcome"], made["node"], made["board"]) == ("stored", False, "library")
    (answer,) = run("reply", made["id"][:8], stdin="An answer")
    assert (answer["root"], answer["parents"], answer["key"]) == (made["id"], [made["id"]], made["key"])
    assert run("new", "0") == [], "neither is public yet"
    with Session(str(home)) as session:
        release(session, parse_id(made["id"]), parse_id(answer["id"]))
    assert sorted(post["body"] for post in run("new", "0")) == ["A text", "An answer"]
    assert run("new", str(made["hour"] + 2)) == []


def test_it_follows_live() -> None:
    home = Path(os.environ["P2PFORUM_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    first, second = (run("post", "library", text, stdin=text)[0]["id"] for text in ("First", "Second"))
    with (
        Session(str(home)) as session,
        subprocess.Popen([sys.executable, str(PROGRAM), "follow", "0"], stdout=subprocess.PIPE) as follow,
    ):
        assert follow.stdout is not None
        for post_id in (first, second):
            release(session, parse_id(post_id))
            assert json.loads(follow.stdout.readline())["id"] == post_id
        follow.terminate()


def test_it_follows_a_running_node() -> None:
    home = Path(os.environ["P2PFORUM_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    with (
        Session(str(home)) as session,
        running_node(session) as node,
        subprocess.Popen([sys.executable, str(PROGRAM), "follow", "0"], stdout=subprocess.PIPE) as follow,
    ):
        assert follow.stdout is not None
        for number in range(3):
            params, hour = session.config.params, session.now()
            post = a_post(f"{number}", subject="S", hour=hour, params=params)
            node.takes([post], Origin.GOSSIP)
            assert json.loads(follow.stdout.readline())["body"] == f"{number}"
            node.until(lambda: node.listeners() == 1)  # so the next ones come by the node's socket
        follow.terminate()
