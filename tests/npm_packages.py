"""npm packages for the tests against other implementations: pinned by hash, downloaded when needed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def install_packages(interop: Path, folder: Path) -> None:
    """Copy `interop` to `folder`, and there what its package-lock.json names.

    Without npm the tests are skipped on a developer's machine, and fail in CI.
    """
    if not shutil.which("npm"):
        if os.environ.get("CI"):
            pytest.fail("npm is missing, and CI must run the interoperability tests")
        pytest.skip("npm is missing")
    shutil.copytree(interop, folder, dirs_exist_ok=True)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefer-offline"]
    subprocess.run(npm, cwd=folder, check=True, timeout=100)
