"""A real Postgres and a real Valkey, from the wheels of the virtual environment.

Both run as our own children, so they stop when we stop. A server that `DATABASE_URL` or
`REDIS_URL` names in the environment is used instead of starting one.

    python -m dev.services run -- COMMAND ...     throw-away services around one command
    python -m dev.services start --folder DIR     kept services, until Ctrl-C
"""

import argparse
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dev.postgres import postgres
from dev.problem import ROOT, Problem, run_command
from dev.processes import Stopped, stopping_on_signals
from dev.server import Server
from dev.valkey import valkey

Services = dict[str, Server]

SERVERS = {"REDIS_URL": valkey, "DATABASE_URL": postgres}


@contextmanager
def services(folder: Path, *, throw_away: bool = False) -> Iterator[Services]:
    """Run both services under `folder`.

    Args:
        folder: keeps data and logs; only one process at a time may use it.
        throw_away: trade durability for speed, for data nobody will miss.

    Yields:
        The servers by the name of the variable that holds their address.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(only_user_of(folder))
        running: Services = {}
        for name, run in SERVERS.items():
            url = os.environ.get(name)
            ours = run(folder, throw_away=throw_away)
            running[name] = Server(url) if url else stack.enter_context(ours)
        yield running


def addresses(running: Services) -> dict[str, str]:
    """Give `DATABASE_URL` and `REDIS_URL`."""
    return {name: server.url for name, server in running.items()}


@contextmanager
def throw_away_environment() -> Iterator[dict[str, str]]:
    """Run both services in a temporary folder; give all that a test process must know.

    Everything is deleted afterwards.
    """
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    folder.chmod(0o711)  # the account of Postgres must pass it, see dev/postgres.py
    own = {
        "PORTAL_MODE": "test",
        "SECRET_KEY": f"test-{secrets.token_hex(32)}",
        "STORAGE_URL": f"file://{folder / 'blobs'}",
        "JOBS_DIR": str(folder / "jobs"),
        "UPLOADS_DIR": str(folder / "uploads"),
    }
    try:
        with services(folder, throw_away=True) as running:
            yield os.environ | own | addresses(running)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def only_user_of(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with our process however that ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                f"The services in {folder} are already running. Stop the other "
                "terminal (Ctrl-C there) first."
            ) from None
        yield


def require_running(running: Services) -> None:
    """Raise a `Problem` when one of the services has stopped by itself."""
    for server in running.values():
        server.require_running()


def _run(command: list[str]) -> int:
    with throw_away_environment() as env:
        return subprocess.run(command, env=env, check=False).returncode


def _start(folder: Path) -> int:
    with services(folder) as running:
        for name, url in addresses(running).items():
            print(f"{name}={url}", flush=True)
        while True:
            time.sleep(1)
            require_running(running)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.services")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run").add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("start").add_argument(
        "--folder", type=Path, default=ROOT / "var" / "services"
    )
    asked = parser.parse_args()
    try:
        with stopping_on_signals():
            if asked.verb == "start":
                return _start(asked.folder)
            return _run([part for part in asked.command if part != "--"])
    except Stopped as stopped:
        return stopped.exit_code


if __name__ == "__main__":
    run_command(main)
