"""How a run of the engine ended, told by what it left or by how it died."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.core.sandbox.folder import is_plain, open_plain, storable, tail

MAX_RESULT_BYTES = 32 * 1024 * 1024
SHELL_SIGNAL_BASE = 128  # what shells and bubblewrap add to a signal's number


@dataclass(frozen=True)
class Outcome:
    """How a run of the engine ended.

    Args:
        status: succeeded, failed, cancelled, lost (another worker has the job now) or
            interrupted (the worker stops and hands the job back).
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


def failure(folder: Path, code: str, message: str, *details: str) -> Outcome:
    """Say that a run failed, and why."""
    return Outcome(
        "failed",
        folder,
        code=code,
        message=message,
        details=list(filter(None, details)),
    )


def read_outcome(folder: Path, returncode: int) -> Outcome:
    """Read how an engine ended that was not stopped from outside."""
    result = _read_result(folder / "result.json")
    if result is None or not is_plain(folder / "outputs"):
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
    with suppress(OSError, ValueError, RecursionError), open_plain(path) as file:
        text = file.read(MAX_RESULT_BYTES + 1)
        result = storable(json.loads(text)) if len(text) <= MAX_RESULT_BYTES else None
        return result if isinstance(result, dict) else None
    return None


def _crash(folder: Path, returncode: int) -> Outcome:
    last_words = storable(tail(folder / "console.log"))
    if name := _signal_name(returncode):
        return failure(
            folder,
            "out_of_resources",
            f"Stopped by {name}: most likely it needed more memory or processor time "
            "than allowed. Use less data, a smaller search or a higher limit.",
            last_words,
        )
    return failure(
        folder,
        "internal",
        "The engine stopped unexpectedly. An operator finds the cause in the details "
        "of this job.",
        last_words,
    )


def _signal_name(returncode: int) -> str:
    """Name the signal that ended the engine, directly or behind a wrapper."""
    number = returncode - SHELL_SIGNAL_BASE if returncode > 0 else -returncode
    with suppress(ValueError):
        return signal.Signals(number).name
    return ""
