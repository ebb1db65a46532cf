"""Make `.venv` and `node_modules` what the lock files say; a second run costs nothing.

    python3 -m dev.bootstrap demo|dev

Runs with whatever `python3` the machine has, so it keeps to old syntax and the
standard library; the virtual environment gets the newest tested Python it finds.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from dev.problem import (
    DISK_FULL,
    ROOT,
    Problem,
    install_system_package,
    require_disk,
    run_command,
)

OLDEST_PYTHON = (3, 11)
PYTHON_NAMES = ("python3.11", "python3.12", "python3.13", "python3")
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FIRST_INSTALL_GIGABYTES = 3


def ensure_venv() -> None:
    """Create the virtual environment unless a working one is there."""
    version = python_version(str(PYTHON))
    if version and version < OLDEST_PYTHON:
        raise Problem(
            f"{VENV} holds Python {version[0]}.{version[1]}, the portal needs 3.11 or "
            "newer. Delete that folder and run the command again."
        )
    if version and is_importable("pip"):
        return
    command = [find_python(), "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        install_system_package("python3-venv", needed_for="The virtual environment")
        run_or_explain(command, "The virtual environment could not be created.")


def find_python() -> str:
    """Find a supported interpreter on PATH."""
    for name in PYTHON_NAMES:
        found = shutil.which(name)
        version = python_version(found) if found else None
        if found and version and version >= OLDEST_PYTHON:
            return found
    raise Problem(
        "No Python 3.11 or newer was found on PATH (looked for "
        f"{', '.join(PYTHON_NAMES)}). Install one, for example: sudo apt-get install "
        "python3 python3-venv"
    )


def python_version(python: str) -> tuple[int, ...] | None:
    """Ask an interpreter for its version; None when it does not run."""
    command = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in answer.stdout.split())


def is_importable(module: str) -> bool:
    """Say whether the virtual environment has a module."""
    command = [str(PYTHON), "-c", f"import {module}"]
    return not subprocess.run(command, capture_output=True, check=False).returncode


def ensure_packages(extra: str) -> None:
    """Install the pinned Python packages; `dev` contains all of `demo`."""
    wanted = {extra, "dev"}
    if any(is_done(_stamp(each), _requirements(each)) for each in wanted):
        return
    require_disk(ROOT, FIRST_INSTALL_GIGABYTES)
    print("Installing Python packages (a minute or two, once) ...", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    pip += ["--disable-pip-version-check", "--require-hashes", "--no-compile"]
    run_or_explain(
        [*pip, "-r", str(_requirements(extra))],
        "pip could not install the packages: the lines above say why. Most often the "
        "package index cannot be reached; check the network and pip's settings.",
    )
    compile_packages()
    mark_done(_stamp(extra), _requirements(extra))


def compile_packages() -> None:
    """Compile all modules on all cores, where pip would use one.

    Some packages hold files that no Python of today reads; nobody imports those.
    """
    command = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)


def ensure_front_end() -> None:
    """Install the pinned front-end packages; none of their scripts is run."""
    lock = ROOT / "package-lock.json"
    stamp = ROOT / "node_modules" / ".installed"
    if is_done(stamp, lock):
        return
    require_disk(ROOT, 1)
    print("Installing front-end packages ...", flush=True)
    npm = [npm_program(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run_or_explain(
        [*npm, "--loglevel=error", "--prefix", str(ROOT)],
        "npm could not install the front-end packages: the lines above say why. Most "
        "often the registry cannot be reached; check the network and npm's settings.",
    )
    mark_done(stamp, lock)


def npm_program() -> str:
    """Find npm on PATH, else the one in the virtual environment."""
    found = shutil.which("npm") or shutil.which("npm", path=str(VENV / "bin"))
    if not found:
        raise Problem(
            "npm was not found, neither on PATH nor in the virtual environment. "
            "Install it, for example: sudo apt-get install npm"
        )
    return found


def _requirements(extra: str) -> Path:
    return ROOT / "requirements" / f"{extra}.txt"


def _stamp(extra: str) -> Path:
    return VENV / f".installed-{extra}"


def is_done(stamp: Path, lock: Path) -> bool:
    """Say whether what the lock file asks for is installed."""
    return stamp.exists() and stamp.read_text() == _digest(lock)


def mark_done(stamp: Path, lock: Path) -> None:
    """Remember that it is."""
    stamp.write_text(_digest(lock))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def run_or_explain(command: list[str], failure: str) -> None:
    """Run one installer; a full disk is told apart from any other failure."""
    done = subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        is_full = "No space left" in done.stderr or "ENOSPC" in done.stderr
        raise Problem(DISK_FULL if is_full else failure)


def main() -> int:
    if sys.argv[1:] not in (["demo"], ["dev"]):
        raise Problem("Use: python3 -m dev.bootstrap demo|dev")
    ensure_venv()
    ensure_packages(sys.argv[1])
    ensure_front_end()
    return 0


if __name__ == "__main__":
    run_command(main)
