"""One run of the engine, from start to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from apps.core.sandbox import processes, view
from apps.core.sandbox.launch import Launch, is_root, user_of_jobs
from apps.core.sandbox.limits import Breach, Limits, Meter, out_of_time
from apps.core.sandbox.modes import Mode, NoSandbox, mode_in_force, words
from apps.core.sandbox.outcome import Outcome, failure, read_outcome
from apps.core.sandbox.progress import Progress, read_progress

POLL_SECONDS = 0.25
LOOK_SECONDS = 0.5
BEAT_SECONDS = 2.0
KEEPER_SECONDS = 3.0
# The only work that is handed on to other machines.
VERBS_ON_MANY_MACHINES = frozenset({"train"})

# Gets progress; answers "go on", "cancel", "lost" or "interrupt".
Watch = Callable[[Progress], str]
STATUS_AFTER = {"cancel": "cancelled", "interrupt": "interrupted"}


def run(
    folder: Path,
    verb: str,
    *,
    watch: Watch,
    wall_seconds: float | None = None,
    memory_bytes: int | None = None,
) -> Outcome:
    """Run `python -m engine <verb> <folder>` and wait for its end.

    Args:
        folder: a job folder with spec.json and inputs.
        verb: of the engine.
        watch: called at least every two seconds with the progress.
        wall_seconds: everything is killed after this time; None: as the settings say.
        memory_bytes: what all processes together may take; None: as the settings say.
    """
    try:
        mode = mode_in_force()
    except NoSandbox as refusal:
        return failure(
            folder,
            "no_sandbox",
            "The worker cannot keep this job apart as the portal demands, so it was "
            "not started. Ask an operator to look at the health page.",
            str(refusal),
        )
    limits = Limits.of_portal(wall_seconds=wall_seconds, memory_bytes=memory_bytes)
    has_network = bool(settings.DASK_ADDRESS) and verb in VERBS_ON_MANY_MACHINES
    child = _start(mode, Launch(folder, limits, has_network), verb)
    meter = Meter(child.pid, folder, limits)
    try:
        stopped = _follow(child, meter, watch, folder)
    finally:
        _end(child, meter, mode)
    if isinstance(stopped, Breach):
        return failure(folder, stopped.code, stopped.message)
    if stopped:
        return Outcome(stopped, folder)
    return read_outcome(folder, child.returncode)


def _start(mode: Mode, start: Launch, verb: str) -> subprocess.Popen[bytes]:
    folder = start.folder
    seen_as = folder if mode is Mode.PLAIN else view.INSIDE
    # -P and -s: nothing that is imported comes from the folder of the job.
    program = [sys.executable, "-P", "-s", "-m", "engine", verb, str(seen_as)]
    if mode is not Mode.PLAIN and is_root():
        _give_to(user_of_jobs(), folder)
    with (folder / "console.log").open("wb") as console:
        return subprocess.Popen(
            words(mode, start, program),
            cwd=folder,
            env=_environment(seen_as, has_network=start.has_network),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _give_to(user: int, folder: Path) -> None:
    os.chown(folder, user, user)
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            os.chown(Path(place) / name, user, user, follow_symlinks=False)


def _environment(folder: Path, *, has_network: bool) -> dict[str, str]:
    threads = str(settings.JOB_THREADS)
    cluster = {"ENGINE_DASK_ADDRESS": settings.DASK_ADDRESS} if has_network else {}
    return cluster | {
        "PATH": os.defpath,
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        # Not in /dev/shm, of which there is little.
        "JOBLIB_TEMP_FOLDER": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }


def _follow(
    child: subprocess.Popen[bytes], meter: Meter, watch: Watch, folder: Path
) -> Breach | str:
    """Watch the child; return why it must be stopped, or "" when it ended itself."""
    progress, position, next_beat, next_look = Progress(), 0, 0.0, 0.0
    deadline = time.monotonic() + meter.limits.wall_seconds
    while True:
        ended = child.poll() is not None
        seen = position
        position = read_progress(folder / "progress.jsonl", position, progress)
        if ended or time.monotonic() >= next_look:
            next_look = time.monotonic() + LOOK_SECONDS
            breach = meter.look()
            progress.usage = meter.usage
            if breach:
                watch(progress)
                return breach
        if ended or position != seen or time.monotonic() >= next_beat:
            next_beat = time.monotonic() + BEAT_SECONDS
            answer = watch(progress)
            if answer != "go on":
                return STATUS_AFTER.get(answer, answer)
        if ended:
            return ""
        if time.monotonic() >= deadline:
            return out_of_time(meter.limits.wall_seconds)
        time.sleep(POLL_SECONDS)


def _end(child: subprocess.Popen[bytes], meter: Meter, mode: Mode) -> None:
    """Kill all that the child started, and wait until it is gone."""
    meter.note_processes()
    if mode is Mode.PLAIN:  # its keeper ends all that it keeps, then itself
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(KEEPER_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    processes.end(meter.seen.values())
