"""What the engine sees of the disk when it has a view of its own."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.conf import settings

# Where the job folder is in such a view: the same in every attempt.
INSIDE = Path("/job")
TEMPORARY = Path("/tmp")  # noqa: S108 - leads into the job folder
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where the system keeps semaphores
SHARED_MEMORY_BYTES = 64 * 1024**2
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
# How other machines are called, and how Dask trusts them.
NETWORK_FILES = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/dask")
DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Place:
    """One path inside, and what is there.

    Args:
        path: inside.
        kind: a link, an empty folder, or something of the host to read or to write.
        source: where the link leads, or where it is on the host.
    """

    path: Path
    kind: Literal["link", "empty", "read", "write"]
    source: Path = Path()


def system(*, has_network: bool = False) -> list[Place]:
    """List what the engine reads: the system, Python, its libraries and itself."""
    paths = SYSTEM_FOLDERS + SYSTEM_FILES + (NETWORK_FILES if has_network else ())
    places = [_of_system(Path(path)) for path in paths]
    found = [place for place in places if place]
    house = settings.BASE_DIR
    hides_house = any(house.is_relative_to(place.path) for place in found)
    if hides_house:  # nothing of the portal but what follows
        found.append(Place(house, "empty"))
    for prefix in map(Path, (sys.base_prefix, sys.prefix)):
        is_shown = any(prefix.is_relative_to(place.path) for place in found)
        if not is_shown or (hides_house and prefix.is_relative_to(house)):
            found.append(Place(prefix, "read", prefix))
    return [*found, Place(engine_folder(), "read", engine_folder())]


def job(folder: Path) -> list[Place]:
    """List what the engine sees of its job folder."""
    places = [Place(INSIDE, "write", folder)]
    if not any(place.path.is_relative_to(TEMPORARY) for place in system()):
        places.append(Place(TEMPORARY, "link", INSIDE / "tmp"))
    return places + [
        Place(INSIDE / name, "read", folder / name)
        for name in ("inputs", "spec.json")
        if (folder / name).exists()
    ]


def engine_folder() -> Path:
    """Return where the engine is; it stays at this path in every view."""
    return Path(settings.BASE_DIR) / "engine"


def _of_system(path: Path) -> Place | None:
    if path.is_symlink():
        return Place(path, "link", path.readlink())
    return Place(path, "read", path) if path.exists() else None


def as_bubblewrap(places: list[Place]) -> list[str]:
    """Put places into the options of bubblewrap."""
    words = []
    for place in places:
        # Left to itself, bubblewrap makes folders that only root may enter.
        for parent in reversed(place.path.parents[:-1]):
            words += ["--dir", str(parent)]
        path, source = str(place.path), str(place.source)
        match place.kind:
            case "link":
                words += ["--symlink", source, path]
            case "empty":
                words += ["--perms", "0755", "--tmpfs", path]
            case "read":
                words += ["--ro-bind", source, path]
            case "write":
                words += ["--bind", source, path]
    words += ["--proc", "/proc", "--dev", "/dev"]
    words += ["--perms", "1777", "--size", str(SHARED_MEMORY_BYTES)]
    words += ["--tmpfs", SHARED_MEMORY, "--remount-ro", "/dev"]
    return [*words, "--remount-ro", "/"]


def as_shell_script(places: list[Place]) -> str:
    """Put places into lines of a shell that lay them out and move there.

    The new root is mounted over /sys, because that exists everywhere and nothing that
    is needed is in it.
    """
    tmpfs = "mount -t tmpfs -o nosuid,nodev"
    lines = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    lines += [f"{tmpfs},size=4m,mode=755 job /sys", "cd /sys"]
    for place in places:
        lines += _lay_out(place)
    lines += ["mkdir proc dev", "mount -t proc -o nosuid,nodev,noexec job proc"]
    lines += ["mount -t tmpfs -o nosuid,size=1m,mode=755 job dev", "mkdir dev/shm"]
    lines += ["ln -s /proc/self/fd dev/fd"]
    for name in DEVICES:
        lines += [f": > dev/{name}", f"mount --bind /dev/{name} dev/{name}"]
    lines += [f"{tmpfs},size={SHARED_MEMORY_BYTES},mode=1777 job dev/shm"]
    lines += ["mount -o remount,bind,ro,nosuid dev", "pivot_root . .", "umount -l ."]
    return "\n".join(
        [*lines, f"cd {INSIDE}", "mount -o remount,bind,ro,nosuid,nodev /"]
    )


def _lay_out(place: Place) -> list[str]:
    target, source = shlex.quote(f".{place.path}"), shlex.quote(str(place.source))
    lines = [f"mkdir -p {shlex.quote(f'.{place.path.parent}')}"]
    if place.kind == "link":
        return [*lines, f"ln -s {source} {target}"]
    if place.kind == "empty":
        return [*lines, f"mount -t tmpfs -o nosuid,nodev,mode=755 job {target}"]
    is_folder = place.source.is_dir()
    lines.append(
        f"mkdir -p {target}" if is_folder else f"[ -e {target} ] || : > {target}"
    )
    lines.append(f"mount --rbind {source} {target}")
    # Rights that the host took away must be named again, or the kernel refuses.
    options = "ro,nosuid,nodev" if place.kind == "read" else "nosuid,nodev"
    return [*lines, f"mount -o remount,bind,{options} {target}"]
