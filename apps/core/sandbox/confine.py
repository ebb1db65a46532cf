"""Runs a program without rights, and ends all that it leaves behind.

This is what a process can do for itself on a host that offers no namespaces:

    python -I -S confine.py WISHES WORDS...

WISHES are JSON: paths to `list`, to `read` and to `write`, and whether `sockets` stay.
Landlock (Linux 5.13 and later) hides every file but the named ones, and keeps the
process from tracing and, since 6.12, from signalling others. A filter of system calls
(seccomp) refuses all sockets. Each is used as far as the kernel has it. Standard
library only: this file is a program of its own, which knows nothing of the portal.

Source: landlock(7), seccomp(2) and the kernel's uapi headers linux/landlock.h,
linux/seccomp.h, linux/filter.h and linux/audit.h.

Coverage cannot look into this program; tests/core/test_escapes.py does.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP, _PR_SET_SECCOMP = 38, 21, 22
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_SECCOMP_MODE_FILTER = 2
_SHELL_SIGNAL_BASE = 128
_KILLED = _SHELL_SIGNAL_BASE + signal.SIGKILL

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_READING = _EXECUTE | _READ_FILE | _READ_DIR
# How many rights over files, over TCP and over other processes each version knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_FILE_RIGHTS = 16
_TCP_VERSION, _SCOPE_VERSION = 4, 6

# Machine: the kernel's name for it, and the numbers of the refused calls: socket,
# io_uring_setup, ptrace, process_vm_readv and process_vm_writev.
_CALLS: Final = {
    "x86_64": (0xC000003E, (41, 425, 101, 310, 311)),
    "aarch64": (0xC00000B7, (198, 425, 117, 270, 271)),
}
_X32_CALLS = 0x40000000  # a second set of numbers for the same calls
_EACCES = 13


def landlock_version() -> int:
    """Return the kernel's version of Landlock; 0 when it has none."""
    if sys.platform != "linux":
        return 0
    return max(int(_libc().syscall(_CREATE_RULESET, None, 0, 1)), 0)


def can_refuse_sockets() -> bool:
    """Say whether the kernel filters system calls, and this file knows its machine."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    return bool(_libc().prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)


def main(words: list[str]) -> int:  # pragma: no cover
    """Run the words, confined, to their end; return their exit code as a shell does."""
    keep_descendants()
    child = os.fork()
    if child == 0:
        _become(words[1:], json.loads(words[0]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_KILLED))
    try:
        while True:
            pid, status = os.wait()
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else _SHELL_SIGNAL_BASE - code
    finally:
        end_descendants()


def keep_descendants() -> None:  # pragma: no cover
    """Become the parent of whatever a descendant leaves behind; end with our own."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def end_descendants() -> None:  # pragma: no cover
    """End all descendants; first stop them, so that none makes more meanwhile."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stopped: set[int] = set()
    while new := _descendants() - stopped:
        _signal(new, signal.SIGSTOP)
        stopped |= new
    _signal(stopped, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _descendants() -> set[int]:  # pragma: no cover
    parents = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        if name.isdigit():
            with suppress(OSError):
                text = Path(f"/proc/{name}/stat").read_text(errors="replace")
                parents[int(name)] = int(text[text.rindex(")") :].split()[2])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _signal(processes: set[int], number: int) -> None:  # pragma: no cover
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _become(words: list[str], wanted: dict[str, Any]) -> None:  # pragma: no cover
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if version := landlock_version():
        _hide_files(version, wanted)
    if not wanted["sockets"] and can_refuse_sockets():
        _refuse_calls(*_CALLS[platform.machine()])
    os.execv(words[0], words)  # noqa: S606 - the words come from the portal


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _hide_files(version: int, wanted: dict[str, Any]) -> None:  # pragma: no cover
    everything = (1 << _FILE_RIGHTS.get(version, _LATEST_FILE_RIGHTS)) - 1
    handled = [everything]
    if version >= _TCP_VERSION:
        handled.append(0 if wanted["sockets"] else 0b11)
    if version >= _SCOPE_VERSION:
        handled.append(0b11)
    attributes = struct.pack(f"{len(handled)}Q", *handled)
    rules = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    for kind, rights in ("list", _READ_DIR), ("read", _READING), ("write", everything):
        for path in wanted[kind]:
            _allow(rules, path, rights)
    _call(_RESTRICT_SELF, rules, 0)


def _allow(rules: int, path: str, rights: int) -> None:  # pragma: no cover
    with suppress(FileNotFoundError):  # not every host has every file
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not Path(path).is_dir():
            rights &= _ON_FILES
        _call(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, opened), 0)
        os.close(opened)


def _call(number: int, *arguments: int | bytes) -> int:  # pragma: no cover
    answer = int(_libc().syscall(number, *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused")
    return answer


def _refuse_calls(machine: int, calls: tuple[int, ...]) -> None:  # pragma: no cover
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    refuse, allow = 0x00050000 | _EACCES, 0x7FFF0000
    checks = [(equal, call) for call in calls]
    if platform.machine() == "x86_64":
        checks.insert(0, (at_least, _X32_CALLS))
    steps = [(load, 0, 0, 4), (equal, 0, len(checks) + 2, machine), (load, 0, 0, 0)]
    for place, (kind, value) in enumerate(checks):
        steps.append((kind, len(checks) - place, 0, value))
    steps += [(answer, 0, 0, allow), (answer, 0, 0, refuse)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    if _libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp refused")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
