"""Runs the engine on a job folder, in a process of its own.

The child gets its own process group and session, a scrubbed environment without any
credential, limits on memory, CPU and wall time, and dies with the worker. It talks
back through files only: progress.jsonl while it runs, result.json at the end. What it
writes is not trusted: links are not followed, and only so much of a file is read.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings

POLL_SECONDS = 0.25
BEAT_SECONDS = 2.0
MAX_RESULT_BYTES = 32 * 1024 * 1024
MAX_PROGRESS_BYTES = 1024 * 1024  # of each look; the rest waits for the next one
MAX_LOG_CHARACTERS = 20_000
TAIL_BYTES = 2000
MAX_POINTS = 2000
MAX_KEY_CHARACTERS = 250
MAX_STEP = 2**53  # larger ones lose digits in a browser
NOT_AN_ENTRY = (
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Outcome:
    """How a run of the engine ended.

    Args:
        status: succeeded, failed, cancelled or lost (another worker has the job now).
        result: the verb's result when it succeeded.
        code: short code of a failure.
        message: a sentence for the person who asked.
        details: up to 100 entries that say where the input is wrong.
        folder: the job folder, with its outputs.
    """

    status: str
    folder: Path
    result: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    details: list[Any] = field(default_factory=list)


class Point(NamedTuple):
    """One value that was measured while the job runs."""

    key: str
    step: int
    value: float


@dataclass(frozen=True)
class Usage:
    """What all processes of the job together take, as the portal's side measures it.

    Args:
        cpu_seconds: processor time so far.
        memory_bytes: at the last look, without what files on disk can give back.
        memory_peak_bytes: the most at any look.
        disk_bytes: of the job folder, inputs included.
    """

    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    memory_peak_bytes: int = 0
    disk_bytes: int = 0


@dataclass
class Progress:
    """What the engine has reported so far, and what it takes."""

    ratio: float = 0.0
    stage: str = "Starting"
    log: str = ""
    metrics: deque[Point] = field(default_factory=partial(deque, maxlen=MAX_POINTS))
    usage: Usage | None = None


# Gets progress; answers "go on", "cancel" or "lost".
Watch = Callable[[Progress], str]


@contextmanager
def job_folder(name: str) -> Iterator[Path]:
    """Make a private folder for one attempt and remove it afterwards."""
    settings.JOBS_DIR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=settings.JOBS_DIR))
    try:
        for part in ("inputs", "outputs", "tmp"):
            (folder / part).mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, verb: str, *, wall_seconds: float, watch: Watch) -> Outcome:
    """Run `python -m engine <verb> <folder>` and wait for its end.

    Args:
        folder: a job folder with spec.json and inputs.
        verb: ingest, train or evaluate.
        wall_seconds: the process group is killed after this time.
        watch: called at least every two seconds with the progress.
    """
    with (folder / "console.log").open("wb") as console:
        child = subprocess.Popen(
            [sys.executable, "-m", "engine", verb, str(folder)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        stopped = _follow(child, folder, time.monotonic() + wall_seconds, watch)
    finally:
        _kill(child)
    if stopped == "timeout":
        return Outcome(
            "failed",
            folder,
            code="timeout",
            message=f"Stopped after its time limit of {wall_seconds:.0f} seconds. "
            "Use less data, a smaller search or a higher limit.",
        )
    if stopped:
        return Outcome(stopped, folder)
    return _read_outcome(folder, child.returncode)


def _environment(folder: Path) -> dict[str, str]:
    threads = str(settings.JOB_THREADS)
    return {
        "PATH": os.defpath,
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }


def _follow(
    child: subprocess.Popen[bytes], folder: Path, deadline: float, watch: Watch
) -> str:
    """Watch the child; return why it must be stopped, or "" when it ended itself."""
    progress, position, next_beat = Progress(), 0, 0.0
    while True:
        ended = child.poll() is not None
        seen = position
        position = _read_progress(folder / "progress.jsonl", position, progress)
        if ended or position != seen or time.monotonic() >= next_beat:
            next_beat = time.monotonic() + BEAT_SECONDS
            answer = watch(progress)
            if answer != "go on":
                return {"cancel": "cancelled"}.get(answer, answer)
        if ended:
            return ""
        if time.monotonic() >= deadline:
            return "timeout"
        time.sleep(POLL_SECONDS)


def _read_progress(path: Path, position: int, progress: Progress) -> int:
    """Take in whole new lines; return the position after them."""
    with suppress(OSError), _open_plain(path) as lines:
        lines.seek(position)
        text = lines.read(MAX_PROGRESS_BYTES)
        whole = text[: text.rfind(b"\n") + 1]
        if len(text) == MAX_PROGRESS_BYTES:
            whole = whole or text  # a line too long to be one of the engine's
        for line in whole.splitlines():
            with suppress(*NOT_AN_ENTRY):
                _take_entry(_storable(json.loads(line)), progress)
        return position + len(whole)
    return position


def _take_entry(entry: dict[str, Any], progress: Progress) -> None:
    if "metric" in entry:
        progress.metrics.append(_point(entry))
    ratio = float(entry.get("ratio", progress.ratio))
    progress.ratio = ratio if math.isfinite(ratio) else progress.ratio
    progress.stage = str(entry.get("stage", progress.stage))
    if "log" in entry:
        progress.log = f"{progress.log}{entry['log']}\n"[-MAX_LOG_CHARACTERS:]


def _point(entry: dict[str, Any]) -> Point:
    """Read a point.

    Raises:
        ValueError: it is not one.
    """
    step, value = int(entry["step"]), float(entry["value"])
    if not math.isfinite(value) or not 0 <= step <= MAX_STEP:
        raise ValueError("not a point")
    return Point(str(entry["metric"])[:MAX_KEY_CHARACTERS], step, value)


def _open_plain(path: Path) -> IO[bytes]:
    """Open a file that the child wrote.

    Raises:
        OSError: it is not there, or is a link, a pipe or anything but a file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is not a file")
    return os.fdopen(descriptor, "rb")


def _kill(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _read_outcome(folder: Path, returncode: int) -> Outcome:
    result = _read_result(folder / "result.json")
    if result is None or not _is_plain(folder / "outputs"):
        return _crash(folder, returncode)
    if result.get("status") == "succeeded" and returncode == 0:
        return Outcome("succeeded", folder, result=result)
    return Outcome(
        "failed",
        folder,
        code=str(result.get("code", "internal"))[:32],
        message=str(result.get("message", "The engine failed without a reason.")),
        details=list(result.get("details", []))[:100],
    )


def _read_result(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, RecursionError), _open_plain(path) as file:
        text = file.read(MAX_RESULT_BYTES + 1)
        result = _storable(json.loads(text)) if len(text) <= MAX_RESULT_BYTES else None
        return result if isinstance(result, dict) else None
    return None


def _is_plain(path: Path) -> bool:
    """Say whether there are only files and folders: a link could lead anywhere."""
    kind = path.lstat().st_mode
    if stat.S_ISDIR(kind):
        return all(map(_is_plain, path.iterdir()))
    return stat.S_ISREG(kind)


def _storable(value: Any) -> Any:
    """Replace what no text in the database can hold: NUL and halves of characters."""
    match value:
        case str():
            return (
                value.replace("\0", "\N{REPLACEMENT CHARACTER}")
                .encode(errors="replace")
                .decode()
            )
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def _crash(folder: Path, returncode: int) -> Outcome:
    tail = _storable(_tail(folder / "console.log"))
    if returncode < 0:
        return Outcome(
            "failed",
            folder,
            code="out_of_resources",
            message=f"Stopped by {signal.Signals(-returncode).name}: most likely it "
            "needed more memory or processor time than allowed. Use less data, a "
            "smaller search or a higher limit.",
            details=[tail],
        )
    return Outcome(
        "failed",
        folder,
        code="internal",
        message="The engine stopped unexpectedly. An operator finds the cause in the "
        "details of this job.",
        details=[tail],
    )


def _tail(path: Path) -> str:
    with suppress(OSError), _open_plain(path) as file:
        file.seek(max(os.fstat(file.fileno()).st_size - TAIL_BYTES, 0))
        return file.read(TAIL_BYTES).decode(errors="replace")
    return ""
