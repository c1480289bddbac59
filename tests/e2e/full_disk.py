"""Runs a node on a disk of its own that fills up (start it with `unshare --mount`), and prints what the
commands say before, while the node refuses posts, after it stopped, and when there is room again.

    unshare --mount --map-root-user python full_disk.py HOME
"""

import json
import subprocess
import sys
from pathlib import Path

from e2e_nodes import CHECKOUT, CONFIG, DemoNode
from strategies import a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.errors import StoreError
from p2pforum.core.network_params import params_for

SIZE = 96  # MiB: more than the free space below which the owner is warned
PARAMS = params_for("test.e2e")


def said(home: Path, *arguments: str) -> dict[str, object]:
    command = [sys.executable, str(CHECKOUT / "node.py"), "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return {"code": done.returncode, "out": done.stdout + done.stderr}


def fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def post_until_refused(node: DemoNode) -> str:
    for number in range(2_000):
        body = "x" * 12_000
        post = a_post(body, subject=f"{number}", board="full", hour=this_hour(), params=PARAMS)
        try:
            node.node.submit(post.raw)
        except StoreError as error:
            return str(error)
    return ""


def main(disk: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "full-disk", str(disk)], check=True)
    home = disk / "home"
    found: dict[str, object] = {}
    with DemoNode("home", home, CONFIG) as node:
        node.start()
        found["before"] = [said(home, "doctor"), said(home, "status")]
        fill(disk / "ballast")
        found["refused"] = post_until_refused(node)
        found["running"] = [said(home, "doctor"), said(home, "status")]
        node.stop()
        found["stopped"] = [said(home, "doctor"), said(home, "status")]
        (disk / "ballast").unlink()
        found["after"] = [said(home, "doctor"), said(home, "status")]
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
