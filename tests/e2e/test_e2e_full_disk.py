"""A disk that is full: the node refuses posts, and `doctor` and `status` say so, with it and without it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_nodes import CHECKOUT
from missing import missing

pytestmark = pytest.mark.e2e


def test_doctor_and_status_say_that_the_disk_is_full(tmp_path: Path) -> None:
    space = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    try:
        able = not subprocess.run([*space, "true"], capture_output=True, check=False).returncode
    except FileNotFoundError:
        able = False
    if not able:
        missing("no mount namespace may be made here")
    (tmp_path / "disk").mkdir()
    program = [sys.executable, str(Path(__file__).with_name("full_disk.py")), str(tmp_path / "disk")]
    environ = {**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'tests'}"}
    done = subprocess.run(
        [*space, *program], capture_output=True, text=True, timeout=120, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "disk" in found["refused"]

    for time in ("before", "after"):
        doctor, status = found[time]
        assert doctor["code"] == 0, doctor
        assert "\n0 failures, " in doctor["out"]
        assert "trouble" not in status["out"]

    doctor, status = found["running"]
    assert doctor["code"] == 1
    assert "can't be written: No space left on device" in doctor["out"]
    assert "the node could not keep the last posts that came: " in doctor["out"]
    assert "the node could not keep the last posts that came" in status["out"]
    assert "only 0 MB free" in status["out"]

    doctor, status = found["stopped"]
    assert doctor["code"] == 1
    assert "can't be written: No space left on device" in doctor["out"]
    assert "only 0 MB free" in status["out"]
