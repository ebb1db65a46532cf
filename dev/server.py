"""One server as our child: it answers before the block begins and ends with it."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dev.problem import Problem
from dev.processes import spawn

HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A server to talk to; one that is not ours to run has no process."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    def require_running(self) -> None:
        """Raise a `Problem` when the server has stopped by itself."""
        if self.process and self.process.poll() is not None:
            raise Problem(
                f"A server stopped by itself: the end of {self.log} says why. "
                "Everything else was stopped too."
            )


@contextmanager
def running_server(
    command: Sequence[str | Path],
    *,
    url: str,
    log: Path,
    answers: Callable[[], bool],
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server in the foreground until the block ends.

    The block begins once `answers` says yes; until then it may also raise OSError.
    SIGINT is the orderly stop of Postgres (it ends open sessions) and of Valkey alike.
    """
    with log.open("wb") as output:
        process = spawn(
            command,
            env=plain_environment() if env is None else env,
            cwd=log.parent,
            output=output,
            user=user,
            death_signal=signal.SIGINT,
        )
    try:
        _wait_for(process, answers, log)
        yield Server(url, process, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(
    process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            if answers():
                return
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-1500:]
    raise Problem(f"{log.stem} did not start. The end of {log}:\n{tail}")


def stop_leftover(pid_file: Path, *, data: Path) -> None:
    """End the server that a crash left behind on `data`, and drop its pid file.

    We hold the lock of the folder, so nobody else uses that server. A pid that by now
    belongs to another program (its command line lacks `data`) is left alone.
    """
    if not pid_file.exists():
        return
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    deadline = time.monotonic() + STOP_SECONDS
    while pid and str(data) in _command_line(pid):
        if time.monotonic() > deadline:
            raise Problem(
                f"A server of an earlier start does not stop. End it: kill -9 {pid}"
            )
        os.kill(int(pid), signal.SIGINT)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)


def _command_line(pid: str) -> str:
    if Path("/proc/self").exists():  # a small Linux may have no ps
        with suppress(OSError):
            return Path("/proc", pid, "cmdline").read_text()
        return ""
    command = ["ps", "-p", pid, "-o", "command="]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wheel_folder(package: str, *, instead: str) -> Path:
    """Find an installed package without importing it; `instead` is the way around."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise Problem(
            f"The package {package} is not installed. Run `make demo` or `make test` "
            f"(they install it), or name a running server in {instead}."
        )
    return Path(found.submodule_search_locations[0]).resolve()


def kept_secret(file: Path, *, prefix: str = "") -> str:
    """Read a random text that is made once and that only we can read."""
    file.touch(mode=0o600)
    if not file.read_text():
        file.write_text(prefix + secrets.token_hex(32))
    return file.read_text()


def free_port() -> int:
    """Find a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def plain_environment() -> dict[str, str]:
    """Give a server only what it needs from our environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
