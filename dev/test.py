"""Everything that must hold before a change is merged, with services of its own.

python -m dev.test                    checks, tests with coverage, browser tests
python -m dev.test check|browser      one part of it
python -m dev.test crash              kills and stops under load, several minutes
python -m dev.test -- ARGUMENTS ...   pytest with these arguments, nothing else
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dev.problem import ROOT, install_system_package, require_disk, run_command
from dev.processes import Stopped, stopping_on_signals
from dev.services import throw_away_environment

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHECKS = {
    "format": "ruff format --check .",
    "lint": "ruff check .",
    "types": "mypy",
    "imports": "lint-imports",
    "template format": "djlint templates --check --quiet",
    "template lint": "djlint templates --lint --quiet",
    "migrations": "python manage.py makemigrations --check --dry-run",
    "reference": "python manage.py generate_reference --check",
}
# Each test process copies this database, which is cheaper than to migrate its own.
DATABASE = {"database": "python manage.py migrate --verbosity 0"}
UNIT_TESTS = {
    "tests": "pytest tests --ignore=tests/browser --ignore=tests/crash -n 2"
    " --dist loadfile --no-loadscope-reorder --cov=apps --cov=engine --cov-branch"
    " --cov-report=term:skip-covered --cov-fail-under=95",
}
BROWSER_TESTS = {"browser": "pytest tests/browser -m browser -n0"}
CRASH_TESTS = {"crash": "pytest tests/crash -n0"}


def main() -> int:
    require_disk(ROOT, 1)
    asked = sys.argv[1:]
    try:
        with stopping_on_signals(), throw_away_environment() as env:
            env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
            # Hundreds of processes of the portal start; each would compile it anew.
            env.pop("PYTHONDONTWRITEBYTECODE", None)
            if any("browser" in each for each in asked or ["browser"]):
                env["PORTAL_CHROMIUM"] = find_chromium()
            if asked[:1] == ["--"]:
                return _run(["pytest", *asked[1:]], env)
            parts = asked or ["check", "tests", "browser"]
            if "DATABASE_URL" not in os.environ:  # a server of our own
                env["TEST_DATABASE_TEMPLATE"] = urlsplit(env["DATABASE_URL"]).path[1:]
                parts = with_database(parts)
            return run_parts(parts, env)
    except Stopped as stopped:
        return stopped.exit_code


def with_database(parts: list[str]) -> list[str]:
    """Put the migration of the database before the first part that tests."""
    checks = [part for part in parts if part == "check"]
    tests = [part for part in parts if part != "check"]
    return [*checks, "database", *tests] if tests else checks


def run_parts(parts: list[str], env: dict[str, str]) -> int:
    """Run parts in order up to the first that fails, then print what took how long."""
    steps = {"check": CHECKS, "database": DATABASE, "tests": UNIT_TESTS}
    steps |= {"browser": BROWSER_TESTS, "crash": CRASH_TESTS}
    results: list[tuple[str, bool, float]] = []
    for part in parts:
        results += [_timed(name, step, env) for name, step in steps[part].items()]
        if not all(passed for _, passed, _ in results):
            break
    print("\n" + "\n".join(_line(*result) for result in results), flush=True)
    return 0 if all(passed for _, passed, _ in results) else 1


def find_chromium() -> str:
    """Find a Chromium for the browser tests; as root, install one when missing."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found:
        return found
    install_system_package("chromium", needed_for="The browser test")
    return shutil.which("chromium") or "chromium"


def _timed(name: str, step: str, env: Mapping[str, str]) -> tuple[str, bool, float]:
    print(f"\n── {name}: {step}", flush=True)
    start = time.monotonic()
    code = _run(step.split(), env)
    return name, code == 0, time.monotonic() - start


def _line(name: str, passed: bool, seconds: float) -> str:
    return f"{'ok    ' if passed else 'FAILED'} {name:16} {seconds:6.1f} s"


def _run(command: list[str], env: Mapping[str, str]) -> int:
    program = shutil.which(command[0], path=env["PATH"]) or command[0]
    done = subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    run_command(main)
