"""Which sandbox this host offers, which one is in force, and what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path

from django.conf import settings

from apps.core.sandbox import confine, launch
from apps.core.sandbox.launch import Launch
from apps.core.sandbox.limits import Limits

TRY_SECONDS = 20
SIGNAL_VERSION = 6  # of Landlock


class Mode(StrEnum):
    """How the engine is kept apart, best first."""

    BUBBLEWRAP = "bubblewrap"
    NAMESPACES = "namespaces"
    PLAIN = "plain"


class NoSandbox(Exception):
    """This host offers none of the modes that the settings allow."""


_BUILDERS: dict[Mode, Callable[[Launch, list[str]], list[str]]] = {
    Mode.BUBBLEWRAP: launch.bubblewrap,
    Mode.NAMESPACES: launch.namespaces,
    Mode.PLAIN: launch.plain,
}


def words(mode: Mode, start: Launch, program: list[str]) -> list[str]:
    """Return what starts the program in a mode."""
    return _BUILDERS[mode](start, program)


def allowed_modes() -> list[Mode]:
    """List the modes that the settings allow, in the order they are tried."""
    if settings.JOB_SANDBOX == ["auto"]:
        return list(Mode)
    return [Mode(name) for name in settings.JOB_SANDBOX]


def mode_in_force() -> Mode:
    """Return the first allowed mode that works on this host.

    Raises:
        NoSandbox: none does. The message says why, for each.
    """
    tried = {}
    for mode in allowed_modes():
        tried[mode] = why_not(mode)
        if not tried[mode]:
            return mode
    reasons = " ".join(f"{mode}: {reason}." for mode, reason in tried.items())
    raise NoSandbox(f"JOB_SANDBOX allows nothing that works on this host. {reasons}")


@cache
def why_not(mode: Mode) -> str:
    """Say why a mode does not work on this host; "" when it does. Tried once."""
    try:
        with tempfile.TemporaryDirectory() as name:
            return _try(mode, Path(name))
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)


def _try(mode: Mode, folder: Path) -> str:
    (folder / "tmp").mkdir()
    start = Launch(folder, Limits.of_portal())
    program = [sys.executable, "-I", "-S", "-c", ""]
    done = subprocess.run(
        words(mode, start, program),
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TRY_SECONDS,
        check=False,
        text=True,
    )
    last_line = done.stderr.strip().rpartition("\n")[2]
    return "" if done.returncode == 0 else last_line or "it failed without a word"


def shortcomings() -> list[str]:
    """Say in sentences what the mode in force does not do."""
    try:
        mode = mode_in_force()
    except NoSandbox as refusal:
        return [f"Jobs fail instead of running unprotected: {refusal}"]
    found = _of_plain_mode() if mode is Mode.PLAIN else []
    if settings.DASK_ADDRESS:
        found.append(
            "Training jobs keep the network of the worker, because DASK_ADDRESS sends "
            "their work to other machines."
        )
    return found


def _of_plain_mode() -> list[str]:
    found = ["Jobs run as ordinary processes of the worker's own user."]
    found.append("A job could change its own copy of its inputs.")
    found.append("Jobs see which processes run, and share the files of /dev/shm.")
    version = confine.landlock_version()
    if not version:
        found.append(
            "The kernel offers no Landlock: a job could read and write all that the "
            "worker's user may, such as settings, stored files and other jobs."
        )
    if version < SIGNAL_VERSION:
        found.append("A job could send signals to processes of the worker's user.")
    if not confine.can_refuse_sockets():
        found.append("A job could use the network.")
    return found
