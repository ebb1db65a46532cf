"""What is asked of both servers, and how long each takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks.tracking.filling import START
from benchmarks.tracking.servers import Tracking
from dev.server import HOST

API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
CONNECTIONS = 4
POINTS = 1_000
PIECE = 1024 * 1024
TIMEOUT = 600


class Asking:
    """One connection to a server, opened again whenever the server closes it."""

    def __init__(self, server: Tracking):
        self.server = server
        self.link = HTTPConnection(HOST, server.port, timeout=TIMEOUT)

    def __call__(self, path: str, body: object = None, method: str = "") -> bytes:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        how = method or ("GET" if data is None else "POST")
        self.link.request(how, API + path, data, self.server.headers)
        answer = self.link.getresponse()
        content = answer.read()
        assert answer.status == 200, (path, answer.status, content[:500])
        return content

    def json(self, path: str, body: object = None) -> dict:
        return json.loads(self(path, body))


def new_run(ask: Asking, experiment: str) -> str:
    made = ask.json("runs/create", {"experiment_id": experiment, "start_time": START})
    return made["run"]["info"]["run_id"]


def batch_rate(server: Tracking, experiment: str, requests: int) -> float:
    """Batches of 1,000 points a second, from connections with a run each."""

    def send(number: int) -> None:
        ask = Asking(server)
        run = new_run(ask, experiment)
        for body in _batches(run, requests // CONNECTIONS):
            ask("runs/log-batch", body)

    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(send, range(CONNECTIONS)))
    return requests / (time.perf_counter() - started)


def _batches(run: str, count: int) -> Iterator[bytes]:
    for batch in range(count):
        points = [
            {
                "key": f"metric {place % 10}",
                "value": place / 7,
                "timestamp": START + place,
                "step": batch * POINTS + place // 10,
            }
            for place in range(POINTS)
        ]
        yield json.dumps({"run_id": run, "metrics": points}).encode()


def small_runs_rate(server: Tracking, count: int, folder: Path) -> float:
    """Small runs a second, end to end, by the stock client in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tracking.small_runs", str(count)],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": server.url,
            "MLFLOW_TRACKING_TOKEN": server.token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "HOME": str(folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return count / float(done.stdout.split()[-1])


def search_milliseconds(server: Tracking, experiment: str, times: int) -> float:
    """The median of searches, each with another filter."""
    ask = Asking(server)
    found_names(ask, experiment, 0)
    taken = [
        _timed(lambda n=number: found_names(ask, experiment, n))
        for number in range(times)
    ]
    return median(taken) * 1_000


def found_names(ask: Asking, experiment: str, number: int) -> list[str]:
    """Search once; give the names of the runs in order."""
    body = {
        "experiment_ids": [experiment],
        "filter": f"metrics.m0 > 0.{number % 9} AND params.p1 = 'v{number % 50}'",
        "order_by": ["metrics.m1 DESC"],
        "max_results": 100,
    }
    runs = ask.json("runs/search", body)["runs"]
    return [run["info"]["run_name"] for run in runs]


def write_history(server: Tracking, experiment: str, points: int) -> str:
    """Log a long metric; give its run."""
    ask = Asking(server)
    run = new_run(ask, experiment)
    for first in range(0, points, POINTS):
        metrics = [
            {"key": "loss", "value": 1 / (n + 1), "timestamp": START + n, "step": n}
            for n in range(first, first + POINTS)
        ]
        ask("runs/log-batch", {"run_id": run, "metrics": metrics})
    return run


def history_seconds(server: Tracking, run: str, points: int) -> float:
    """Read a whole history in pages, as the stock client does."""
    ask = Asking(server)
    started, count, token = time.perf_counter(), 0, ""
    while True:
        asked = {"run_id": run, "metric_key": "loss", "max_results": 25_000}
        asked |= {"page_token": token} if token else {}
        page = ask.json(f"metrics/get-history?{urlencode(asked)}")
        count += len(page["metrics"])
        if not (token := page.get("next_page_token", "")):
            assert count == points, count
            return time.perf_counter() - started


class _Random:
    """A body of many bytes that no disk and no store can shorten."""

    def __init__(self, size: int):
        self.left = size
        self.piece = os.urandom(PIECE)

    def read(self, _: int = 0) -> bytes:
        given = self.piece[: min(PIECE, self.left)]
        self.left -= len(given)
        self.piece = self.piece[1:] + self.piece[:1]
        return given


def transfer(server: Tracking, experiment: str, size: int) -> tuple[float, float]:
    """Seconds to put one file up, and to get it back."""
    ask = Asking(server)
    created = ask.json("runs/create", {"experiment_id": experiment})
    root = created["run"]["info"]["artifact_uri"].partition(":/")[2]
    path = f"{ARTIFACTS}{root}/big.bin"
    headers = server.headers | {"Content-Type": "application/octet-stream"}
    up = _timed(lambda: _put(server, path, headers, size))
    down = _timed(lambda: _get(server, path, headers, size))
    return up, down


def _put(server: Tracking, path: str, headers: dict[str, str], size: int) -> None:
    link = HTTPConnection(HOST, server.port, timeout=TIMEOUT, blocksize=PIECE)
    link.request("PUT", path, _Random(size), headers | {"Content-Length": str(size)})
    answer = link.getresponse()
    content = answer.read()
    assert answer.status == 200, content[:500]


def _get(server: Tracking, path: str, headers: dict[str, str], size: int) -> None:
    link = HTTPConnection(HOST, server.port, timeout=TIMEOUT)
    link.request("GET", path, headers=headers)
    answer, count = link.getresponse(), 0
    while piece := answer.read(PIECE):
        count += len(piece)
    assert (answer.status, count) == (200, size)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alias_rate(server: Tracking, model: str, requests: int) -> float:
    """Answers a second to which version an alias names, from several connections."""

    def ask(_: int) -> None:
        asking = Asking(server)
        path = f"registered-models/alias?{urlencode({'name': model, 'alias': 'live'})}"
        for _ in range(requests // CONNECTIONS):
            assert asking.json(path)["model_version"]["version"] == "1"

    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(ask, range(CONNECTIONS)))
    return requests / (time.perf_counter() - started)


def register(server: Tracking, experiment: str, model: str) -> None:
    """Register one version with an alias."""
    ask = Asking(server)
    run = ask.json("runs/create", {"experiment_id": experiment})["run"]["info"]
    path = f"{run['artifact_uri'].partition(':/')[2]}/model/model.onnx"
    link = HTTPConnection(HOST, server.port, timeout=TIMEOUT)
    link.request("PUT", ARTIFACTS + path, b"a model", server.headers)
    link.getresponse().read()
    ask("registered-models/create", {"name": model})
    given = {
        "name": model,
        "source": f"{run['artifact_uri']}/model",
        "run_id": run["run_id"],
    }
    ask("model-versions/create", given)
    ask("registered-models/alias", {"name": model, "alias": "live", "version": "1"})
