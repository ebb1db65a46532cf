"""What went wrong on this machine, said in a sentence that also names the fix."""

from __future__ import annotations  # bootstrap.py imports this with any Python 3

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GIGABYTE = 1024**3
DISK_FULL = "The disk is full. Free some space and run the command again."


class Problem(Exception):
    """Something the person at the terminal can fix; the message says how."""


def require_disk(folder: Path, gigabytes: float) -> None:
    """Refuse to go on when the disk of `folder` has less room than needed."""
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < gigabytes:
        raise Problem(
            f"The disk of {folder} is nearly full: {free:.1f} GB free, about "
            f"{gigabytes:g} GB needed. Free some space and run the command again."
        )


def install_system_package(package: str, *, needed_for: str) -> None:
    """Install a package of the system where that is possible without asking anyone.

    Raises:
        Problem: it is not possible; the message says what to install.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Problem(
            f"{needed_for} needs {package}. Install it with your system's package "
            f"manager, for example: sudo apt-get install {package}"
        )
    print(f"Installing {package} with apt-get: {needed_for} needs it.", flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if subprocess.run(install, env=env, check=False).returncode:
        raise Problem(
            f"apt-get could not install {package} (the lines above say why), and "
            f"{needed_for} needs it."
        )


def run_command(main: Callable[[], int]) -> None:
    """Run one command; a known problem becomes one sentence and exit code 1."""
    try:
        code = main()
    except Problem as problem:
        print(f"\nCannot go on: {problem}", file=sys.stderr)
        code = 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"\nCannot go on: {DISK_FULL}", file=sys.stderr)
        code = 1
    sys.exit(code if code >= 0 else 128 - code)
