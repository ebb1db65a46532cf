"""What a job may take altogether, and how its person is told that it took more.

The engine limits its own process; these limits hold for all processes of the job
together, whatever they do to themselves. The portal looks twice a second, so a job may
go over a limit for that long.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.core.sandbox.folder import Contents, measure
from apps.core.sandbox.processes import (
    Process,
    all_processes,
    descendants,
    memory_bytes,
)
from apps.core.sandbox.progress import Usage

GIBIBYTE = 1024**3


@dataclass(frozen=True)
class Limits:
    """What all processes of a job together may take.

    Args:
        wall_seconds: from start to end.
        cpu_seconds: processor time.
        memory_bytes: at one moment.
        disk_bytes: what the job adds to its folder.
        files: what the job adds to its folder, folders counted as well.
        processes: at one moment; threads are counted where the kernel does.
    """

    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    disk_bytes: int
    files: int
    processes: int

    @classmethod
    def of_portal(
        cls, *, wall_seconds: float | None = None, memory_bytes: int | None = None
    ) -> Limits:
        """Take the limits of the settings, except those that are given."""
        return cls(
            wall_seconds=wall_seconds or settings.JOB_WALL_SECONDS,
            cpu_seconds=settings.JOB_CPU_SECONDS,
            memory_bytes=memory_bytes or settings.JOB_MEMORY_BYTES,
            disk_bytes=settings.JOB_DISK_BYTES,
            files=settings.JOB_FILES,
            processes=settings.JOB_PROCESSES,
        )


@dataclass(frozen=True)
class Breach:
    """A limit that a job went over: a code, and a sentence for who asked for it."""

    code: str
    message: str


class Meter:
    """Looks at what one job takes, again and again.

    Args:
        root: the first process of the job.
        folder: of the job.
        limits: of the job.
    """

    def __init__(self, root: int, folder: Path, limits: Limits) -> None:
        self.usage = Usage()
        self.seen: dict[tuple[int, int], Process] = {}
        self.limits = limits
        self._root, self._folder = root, folder
        self._before = self._contents()
        self.note_processes()

    def look(self) -> Breach | None:
        """Measure anew; return the first limit that is broken."""
        tree = self.note_processes()
        alive = [process for process in tree if not process.is_zombie]
        contents = self._contents()
        memory = memory_bytes(alive)
        self.usage = Usage(
            cpu_seconds=max(
                self.usage.cpu_seconds, sum(process.cpu_seconds for process in tree)
            ),
            memory_bytes=memory,
            memory_peak_bytes=max(self.usage.memory_peak_bytes, memory),
            disk_bytes=contents.size_bytes,
        )
        return self._breach(len(alive), contents)

    def note_processes(self) -> list[Process]:
        """List the processes of the job, and remember them."""
        tree = descendants(self._root, all_processes())
        self.seen |= {(process.pid, process.started): process for process in tree}
        return tree

    def _contents(self) -> Contents:
        return measure(self._folder, most_files=2 * self.limits.files)

    def _breach(self, processes: int, contents: Contents) -> Breach | None:
        limits, usage = self.limits, self.usage
        if usage.memory_bytes > limits.memory_bytes:
            return _out_of_memory(usage.memory_bytes, limits.memory_bytes)
        if usage.cpu_seconds > limits.cpu_seconds:
            return Breach(
                "timeout",
                f"Stopped because it used {usage.cpu_seconds:,.0f} seconds of "
                f"processor time; its limit is {limits.cpu_seconds:,.0f}. Use less "
                "data or a smaller search, or ask an operator for a higher limit.",
            )
        if processes > limits.processes:
            return Breach(
                "too_many_processes",
                f"Stopped because it ran {processes:,} processes at once; its limit "
                f"is {limits.processes:,}. Use fewer.",
            )
        return self._breach_on_disk(contents)

    def _breach_on_disk(self, contents: Contents) -> Breach | None:
        limits = self.limits
        written = contents.size_bytes - self._before.size_bytes
        if written > limits.disk_bytes:
            return Breach(
                "out_of_disk",
                f"Stopped because it wrote {_gibibytes(written)} to disk; its limit "
                f"is {_gibibytes(limits.disk_bytes)}. Keep fewer or smaller results.",
            )
        if contents.files - self._before.files > limits.files:
            return Breach(
                "too_many_files",
                f"Stopped because it made more than {limits.files:,} files. Keep "
                "results in fewer files.",
            )
        if shutil.disk_usage(self._folder).free < settings.JOB_DISK_RESERVE_BYTES:
            return Breach(
                "disk_full",
                "Stopped because the disk of the worker is almost full. Ask an "
                "operator for room, then start it again.",
            )
        return None


def _out_of_memory(taken: int, limit: int) -> Breach:
    return Breach(
        "out_of_memory",
        f"Stopped because its processes together took {_gibibytes(taken)} of memory; "
        f"its limit is {_gibibytes(limit)}. Use fewer rows or features or a smaller "
        "search, or ask for a higher limit.",
    )


def out_of_time(seconds: float) -> Breach:
    """Say that a job ran for too long."""
    return Breach(
        "timeout",
        f"Stopped after its time limit of {seconds:.0f} seconds. "
        "Use less data, a smaller search or a higher limit.",
    )


def _gibibytes(size_bytes: int) -> str:
    return f"{size_bytes / GIBIBYTE:.2f} GiB"
