"""The portal and a stock MLflow server side by side, on one Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.measuring import ROOT
from dev.server import HOST, free_port

STOCK = ROOT / "var" / "stock-mlflow"
PINNED = ROOT / "benchmarks" / "tracking" / "stock.txt"
WORKERS = 2
START_SECONDS = 120


@dataclass(frozen=True)
class Tracking:
    """A server to be measured.

    Args:
        name: of the row.
        port: on loopback.
        token: of the portal; the stock server asks for none.
        pid: of the process whose children serve.
        database: where its tables are.
    """

    name: str
    port: int
    token: str
    pid: int
    database: str

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        return headers | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )

    def peak_mebibytes(self) -> float:
        """The most memory that any process of the server ever had."""
        return max(_peak(pid) for pid in _family(self.pid)) / 1024


@contextmanager
def stock_server(folder: Path, url: str) -> Iterator[Tracking]:
    """Run MLflow's own server as it comes, with two workers, in a database beside ours.

    Its environment is made once under var/, from pinned and hashed packages.
    """
    database = f"{url.rpartition('/')[0]}/stock"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE stock")
    port = free_port()
    command = [
        *(_stock_environment() / "bin" / "mlflow", "server"),
        *(
            "--backend-store-uri",
            database.replace("postgresql:", "postgresql+psycopg2:"),
        ),
        *("--artifacts-destination", folder / "stock-artifacts"),
        *("--host", HOST, "--port", str(port), "--workers", str(WORKERS)),
    ]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    with _process(command, folder / "stock.log", quiet) as pid:
        _await(f"http://{HOST}:{port}/health", folder / "stock.log")
        yield Tracking("stock", port, "", pid, database)


@contextmanager
def portal_server(folder: Path, url: str, token: str) -> Iterator[Tracking]:
    """Run the portal's web process as the Makefile and the image do."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "mlops_portal.wsgi:application"),
        *("--workers", str(WORKERS), "--threads", "4", "--timeout", "120"),
        *("--keep-alive", "0", "--limit-request-line", "8190"),
        *("--no-control-socket", "--bind", f"{HOST}:{port}"),
    ]
    # Connections to the database last for a minute, as outside of tests.
    with _process(command, folder / "portal.log", {}) as pid:
        _await(f"http://{HOST}:{port}/health", folder / "portal.log")
        yield Tracking("portal", port, token, pid, url)


def _stock_environment() -> Path:
    if not (STOCK / "complete").exists():
        print(f"Installing the peer into {STOCK.relative_to(ROOT)} …", flush=True)
        venv.create(STOCK, with_pip=True, clear=True)
        subprocess.run(
            [
                *(STOCK / "bin" / "python", "-m", "pip", "install", "--quiet"),
                *("--require-hashes", "--requirement", PINNED),
            ],
            check=True,
        )
        (STOCK / "complete").touch()
    return STOCK


@contextmanager
def _process(command: list[object], log: Path, more: dict[str, str]) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=os.environ | more,
            stdout=output,
            stderr=output,
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


def _await(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 our own address
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"A server did not start:\n{log.read_text()[-2000:]}")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _peak(pid: int) -> int:
    """Kibibytes, as the kernel counted."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0
