"""npm packages for the tests against other implementations: pinned by hash, downloaded when needed."""

import shutil
import subprocess
from pathlib import Path

from missing import missing


def install_packages(interop: Path, folder: Path) -> None:
    """Copy `interop` to `folder`, and there what its package-lock.json names."""
    if not shutil.which("npm"):
        missing("npm is missing")
    shutil.copytree(interop, folder, dirs_exist_ok=True)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefer-offline"]
    subprocess.run(npm, cwd=folder, check=True, timeout=100)
