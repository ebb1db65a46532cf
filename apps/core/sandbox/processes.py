"""Processes of a job as the kernel lists them; on Linux only, elsewhere nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KIBIBYTE = 1024
END_SECONDS = 10.0


@dataclass(frozen=True)
class Process:
    """One process at one look; `pid` and `started` together are never used again."""

    pid: int
    parent: int
    is_zombie: bool
    threads: int
    cpu_seconds: float
    started: int


def all_processes() -> dict[int, Process]:
    """List the processes of this machine, or of this container."""
    found = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        if name.isdigit():
            with suppress(OSError):
                found[int(name)] = _read(int(name))
    return found


def _read(pid: int) -> Process:
    """Read what proc(5) calls /proc/[pid]/stat."""
    text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    state, parent, *rest = text[text.rindex(")") + 2 :].split()
    ticks = sum(map(int, rest[9:13]))  # user and system, own and of ended children
    return Process(
        pid=pid,
        parent=int(parent),
        is_zombie=state in "ZX",
        threads=int(rest[15]),
        cpu_seconds=ticks / TICKS_PER_SECOND,
        started=int(rest[17]),
    )


def descendants(root: int, processes: dict[int, Process]) -> list[Process]:
    """List a process and all that come from it."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found = [processes[root]] if root in processes else []
    for process in found:
        found += children.get(process.pid, [])
    return found


def tasks_of_user(user: int) -> int:
    """Count processes and threads of a user, as the kernel does for its limit."""
    total = 0
    for process in all_processes().values():
        with suppress(OSError):
            if Path(f"/proc/{process.pid}").stat().st_uid == user:
                total += process.threads
    return total


def memory_bytes(processes: Iterable[Process]) -> int:
    """Add up the memory that only ending the processes would give back."""
    return sum(_memory_bytes(process.pid) for process in processes)


def _memory_bytes(pid: int) -> int:
    total = 0
    with suppress(OSError, ValueError):
        for line in (
            Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
        ):
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) * KIBIBYTE
    return total


def end(seen: Iterable[Process]) -> None:
    """Kill processes that were seen, and wait until they are gone."""
    waiting = list(seen)
    deadline = time.monotonic() + END_SECONDS
    # A number that was given to another process since is not the one that was seen.
    while waiting := [process for process in waiting if _is_there(process)]:
        if time.monotonic() > deadline:  # pragma: no cover - stuck in the kernel
            return
        for process in waiting:
            with suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.005)


def _is_there(process: Process) -> bool:
    with suppress(OSError):
        found = _read(process.pid)
        return found.started == process.started and not found.is_zombie
    return False
