"""The words that start a program in each mode of the sandbox."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from apps.core.sandbox import confine, view
from apps.core.sandbox.limits import Limits
from apps.core.sandbox.processes import tasks_of_user

OPEN_FILES = 4096
NOBODY = "65534"
# One user for each worker process, so that two jobs never share one; beyond what
# systems give to people and services, see docs/guide/sandbox.md.
FIRST_USER = 400_000
USERS = 100_000
# What numerical libraries ask to know how much machine there is. What a process keeps
# to itself, Landlock keeps from the engine: environment, memory, open files.
ABOUT_THE_MACHINE = ("/proc", "/sys/devices/system/cpu", "/sys/fs/cgroup")


@dataclass(frozen=True)
class Launch:
    """A program to be started on a job folder.

    Args:
        folder: the job folder as the worker sees it.
        limits: of the job.
        has_network: the program keeps the network of the worker.
    """

    folder: Path
    limits: Limits
    has_network: bool = False


def bubblewrap(launch: Launch, program: list[str]) -> list[str]:
    """Start with bubblewrap, in namespaces and a view of the disk that it makes."""
    seen = view.system(has_network=launch.has_network)
    places = [*seen, *view.job(launch.folder)]
    words = [_find("bwrap"), "--die-with-parent", "--new-session", "--unshare-pid"]
    words += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += [] if launch.has_network else ["--unshare-net"]
    words += [] if is_root() else ["--unshare-user", "--uid", NOBODY, "--gid", NOBODY]
    words += [*view.as_bubblewrap(places), "--chdir", str(view.INSIDE), "--"]
    words += _as_user_of_jobs() if is_root() else []
    return [*words, *_limited(launch.limits), *program]


def namespaces(launch: Launch, program: list[str]) -> list[str]:
    """Start with `unshare` of util-linux; a shell script lays out the view."""
    seen = view.system(has_network=launch.has_network)
    places = [*seen, *view.job(launch.folder)]
    words = [_find("setpriv"), "--pdeathsig", "KILL", _find("unshare")]
    words += ["--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork"]
    words += [] if launch.has_network else ["--net"]
    words += [] if is_root() else ["--user", "--map-root-user"]
    script = ["set -e", view.as_shell_script(places)]
    if not is_root():  # of this namespace only: no further ones inside
        script.append("echo 0 > /proc/sys/user/max_user_namespaces")
    rights = _as_user_of_jobs() if is_root() else _without_rights()
    inner = shlex.join([*rights, *_limited(launch.limits), *program])
    # The shell stays: as the first process it takes all others along when it ends.
    script += ["set +e", inner, "exit $?"]
    return [*words, "--kill-child", "sh", "-c", "\n".join(script)]


def plain(launch: Launch, program: list[str]) -> list[str]:
    """Start as an ordinary process that gives up what the kernel lets it give up."""
    seen = view.system(has_network=launch.has_network)
    wanted = {
        "read": [
            *(str(place.path) for place in seen if place.kind != "empty"),
            *(f"/dev/{name}" for name in view.DEVICES),
            *ABOUT_THE_MACHINE,
        ],
        # Python looks for the engine by listing the folder it is in.
        "list": [str(view.engine_folder().parent)],
        "write": [str(launch.folder), "/dev/null", view.SHARED_MEMORY],
        "sockets": launch.has_network,
    }
    confined = [sys.executable, "-I", "-S", confine.__file__, json.dumps(wanted)]
    rights = _without_rights() if is_root() and shutil.which("setpriv") else []
    return [*rights, *confined, *_limited(launch.limits), *program]


def user_of_jobs() -> int:
    """Return the user that jobs of this worker run as where root starts them."""
    return FIRST_USER + os.getpid() % USERS


def is_root() -> bool:
    """Say whether the worker runs as root, as it should not."""
    return os.geteuid() == 0


def _as_user_of_jobs() -> list[str]:
    user = str(user_of_jobs())
    return [*_without_rights(), "--reuid", user, "--regid", user, "--clear-groups"]


def _without_rights() -> list[str]:
    """Give up every right that root has beyond those of an owner of files."""
    return [
        *(_find("setpriv"), "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all"),
    ]


def _limited(limits: Limits) -> list[str]:
    program = shutil.which("prlimit")
    if program is None:  # only Linux has it
        return []
    # The kernel counts per user, whatever else that user runs.
    tasks = limits.processes + (0 if is_root() else tasks_of_user(os.geteuid()))
    most = {
        "nproc": tasks,
        "nofile": OPEN_FILES,
        "fsize": limits.disk_bytes,
        "core": 0,
    }
    return [program, *(f"--{kind}={value}:{value}" for kind, value in most.items())]


def _find(name: str) -> str:
    """Find a program.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found
