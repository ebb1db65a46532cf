"""What a job reports while it runs, and what it takes of its machine."""

from __future__ import annotations

import json
import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from apps.core.sandbox.folder import open_plain, storable

MAX_PROGRESS_BYTES = 1024 * 1024  # of each look; the rest waits for the next one
MAX_LOG_CHARACTERS = 20_000
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


def read_progress(path: Path, position: int, progress: Progress) -> int:
    """Take in whole new lines; return the position after them."""
    with suppress(OSError), open_plain(path) as lines:
        lines.seek(position)
        text = lines.read(MAX_PROGRESS_BYTES)
        whole = text[: text.rfind(b"\n") + 1]
        if len(text) == MAX_PROGRESS_BYTES:
            whole = whole or text  # a line too long to be one of the engine's
        for line in whole.splitlines():
            with suppress(*NOT_AN_ENTRY):
                _take_entry(storable(json.loads(line)), progress)
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
