"""Limits that the process puts on itself before it reads any data."""

import ctypes
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from types import FrameType

from engine.folder import EngineError
from engine.spec import Limits

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
_GRACE_SECONDS = 5
_NEARLY = 0.95  # the limit is counted in ticks of the clock
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def fix_threads(threads: int) -> None:
    """Fix the threads of numerical libraries; call before they are imported.

    Their buffers are sized by this at import, which counts towards the memory limit.
    Idle threads sleep instead of spinning: on a busy machine with fewer free cores than
    threads, spinning made boosted trees four times slower.
    """
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def apply(limits: Limits) -> None:
    """Put `limits` on this process and its future children.

    The soft processor limit raises `EngineError` in Python code; the hard one, a few
    seconds later, kills what did not listen.
    """
    if limits.memory_bytes is not None:
        # Data, not address space: libraries reserve a gibibyte that they never use.
        _lower(resource.RLIMIT_DATA, limits.memory_bytes)
    if limits.file_bytes is not None:
        _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    if limits.cpu_seconds is not None:
        signal.signal(signal.SIGXCPU, partial(_stop, limits.cpu_seconds))
        _lower(resource.RLIMIT_CPU, limits.cpu_seconds, grace=_GRACE_SECONDS)


def _lower(kind: int, soft: int, grace: int = 0) -> None:
    """Lower one limit, keeping a stricter one that is already there.

    Systems other than Linux do not know every limit; what is refused stays unlimited.
    """
    hard = resource.getrlimit(kind)[1]
    ceiling = soft + grace
    if hard != resource.RLIM_INFINITY:
        ceiling = min(hard, ceiling)
    with suppress(OSError, ValueError):
        resource.setrlimit(kind, (min(soft, ceiling), ceiling))


def out_of_time(seconds: int) -> EngineError:
    """Say that the processor time of the job is used up."""
    return EngineError(
        f"The job used up its {seconds} seconds of processor time; use fewer rows or "
        "trials, or ask for a higher limit.",
        code="timeout",
    )


def is_spent(seconds: int) -> bool:
    """Say whether this process has used up so much processor time."""
    return time.process_time() >= _NEARLY * seconds


def _stop(seconds: int, _signal: int, _frame: FrameType | None) -> None:
    raise out_of_time(seconds)
