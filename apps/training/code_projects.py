"""Reading the zip of somebody's own project, as hostile as it may be.

A project is a zip with `project.yaml` at its top:

    entry: train:main            # module:function
    requirements: requirements.txt   # optional; lines such as numpy==2.4.6

Nothing is unpacked here. Names, kinds, number and sizes of the files are checked, by
reading no more than is allowed, whatever the zip says of itself.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from apps.core.blobs import CHUNK_BYTES
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid
from apps.core.plain_yaml import YamlFault, load_yaml
from apps.core.zips import CheckedZip, ZipDamaged, ZipFault, ZipLimits

PROJECT_FILE = "project.yaml"
MAX_ZIP_BYTES = 20 * 1024**2
MAX_BYTES = 50 * 1024**2
MAX_FILES = 500
MAX_TEXT_BYTES = 64 * 1024
MAX_NAME_CHARACTERS = 200
ARCHIVES = {".zip", ".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z", ".rar", ".whl"}
NAME = re.compile(r"[\w.+ -]+(/[\w.+ -]+)*", re.ASCII)
LOCKED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
KNOWN_KEYS = {"entry", "requirements"}


@dataclass(frozen=True)
class CodeProject:
    """What the zip of a project says.

    Args:
        entry: the function that is called, as module:function.
        requirements: package and version, locked.
        tree_digest: over names and content of all files, however they were packed.
    """

    entry: str
    requirements: dict[str, str]
    tree_digest: str


def read_project(content: IO[bytes]) -> CodeProject:
    """Check the zip of a project and read what it says.

    Raises:
        Invalid: it is no zip, too large, or holds what a project may not hold; the
            sentence names the file.
    """
    content.seek(0, 2)
    if content.tell() > MAX_ZIP_BYTES:
        raise _fault(f"The zip is larger than {MAX_ZIP_BYTES // 1024**2} MiB.")
    try:
        files = _read_files(content)
    except ZipDamaged:
        raise _fault("The file is not a zip or git bundle, or is damaged.") from None
    except ZipFault as fault:
        raise _fault(str(fault)) from None
    described = _described(files)
    lock = described.get("requirements")
    return CodeProject(
        entry=str(described["entry"]),
        requirements=_locked(files, str(lock)) if lock else {},
        tree_digest=canonical_digest(
            {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        ),
    )


def _read_files(content: IO[bytes]) -> dict[str, bytes]:
    """Read all files by name, at most as much as is allowed."""
    limits = ZipLimits(files=MAX_FILES, total_bytes=MAX_BYTES, file_bytes=MAX_BYTES)
    archive = CheckedZip(content, limits)
    lower: set[str] = set()
    for path in archive.sizes:
        _check_name(path)
        if path.lower() in lower:
            raise _fault(f"The zip holds {path} twice.")
        lower.add(path.lower())
    files = {}
    for path in archive.sizes:
        with archive.open(path) as file:
            files[path] = b"".join(iter(partial(file.read, CHUNK_BYTES), b""))
    return files


def _check_name(path: str) -> None:
    if not NAME.fullmatch(path) or len(path) > MAX_NAME_CHARACTERS:
        raise _fault(f"The name {path[:80]!r} does not belong into a project.")
    if path.lower().endswith(tuple(ARCHIVES)):
        raise _fault(f"{path} is an archive within the zip; unpack it first.")


def _described(files: dict[str, bytes]) -> dict[str, Any]:
    text = _text(files, PROJECT_FILE)
    try:
        described = load_yaml(text)
    except (YamlFault, RecursionError) as fault:
        raise _fault(f"{PROJECT_FILE} is not plain YAML. {fault}") from None
    if not isinstance(described, dict) or "entry" not in described:
        raise _fault(f"{PROJECT_FILE} must say entry: module:function.")
    if unknown := set(map(str, described)) - KNOWN_KEYS:
        raise _fault(f"{PROJECT_FILE} says {min(unknown)}, which nobody reads.")
    for name, value in described.items():
        if not isinstance(value, str | None):
            raise _fault(f"{PROJECT_FILE}: {name} must be text.")
    return described


def _locked(files: dict[str, bytes], name: str) -> dict[str, str]:
    """Read the lock: package==version lines, comments and hashes aside."""
    found = {}
    for number, line in enumerate(_text(files, name).splitlines(), start=1):
        words = line.partition("#")[0].partition("--hash")[0].strip(" \\")
        if not words:
            continue
        locked = LOCKED.fullmatch(words)
        if locked is None:
            raise _fault(
                f"{name}, line {number}: {words[:80]!r} is not locked; write "
                "package==version."
            )
        found[locked[1]] = locked[2]
    return found


def _text(files: dict[str, bytes], name: str) -> str:
    if name not in files:
        raise _fault(f"The zip has no {name[:80]} at its top.")
    if len(files[name]) > MAX_TEXT_BYTES:
        raise _fault(f"{name} is too long.")
    try:
        return files[name].decode()
    except UnicodeDecodeError:
        raise _fault(f"{name} is not text.") from None


def _fault(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"code": sentence})
