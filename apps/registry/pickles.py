"""A static look at Python pickles: what they would import, without reading them in.

Nothing here ever builds an object from a file.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from apps.core import blobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Formats that run code when they are read.
SUFFIXES = frozenset(
    {".ckpt", ".cloudpickle", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
)
# Protocols 2 to 5 of Python's pickle begin so, whatever the file is called.
STARTS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
ZIP_START = b"PK\x03\x04"
MOST_BYTES = 16 * 1024**2
MOST_OPCODES = 200_000
MOST_IMPORTS = 50
MOST_PARTS = 20
MOST_NAME = 200
_GETS = {"BINGET", "GET", "LONG_BINGET"}
_PUTS = {"BINPUT", "LONG_BINPUT", "MEMOIZE", "PUT"}
_NAMED = {"GLOBAL", "INST"}


def find_pickles(manifest: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Find the files that are pickles, by their name or their first bytes.

    Returns:
        For each its `path`; `imports`, what it would import as `module.name`; and
        `looked_at_all`, which is false where only its beginning could be followed.
    """
    found = []
    for entry in manifest:
        with blobs.open_blob(entry["sha256"]) as content:
            start = content.read(len(ZIP_START))
            if not (has_pickle_name(entry["path"]) or start.startswith(STARTS)):
                continue
            content.seek(0)
            imports, whole = imports_of(content, is_zip=start == ZIP_START)
        found.append(
            {"path": entry["path"], "imports": imports, "looked_at_all": whole}
        )
    return found


def has_pickle_name(path: str) -> bool:
    """Say whether a file of this name is a pickle, packed or not."""
    suffixes = PurePosixPath(path.lower()).suffixes
    return not SUFFIXES.isdisjoint(suffixes)


def imports_of(content: IO[bytes], *, is_zip: bool) -> tuple[list[str], bool]:
    """Say what a pickle would import, and whether all of it could be followed."""
    names: set[str] = set()
    whole = True
    for part, is_all in _parts(content) if is_zip else [_read(content)]:
        followed = _follow(part, names)
        whole = whole and followed and is_all
    return sorted(names)[:MOST_IMPORTS], whole and len(names) <= MOST_IMPORTS


def _parts(content: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Read the pickles inside a zip, as some libraries write them."""
    try:
        with zipfile.ZipFile(content) as archive:
            inside = [one for one in archive.namelist() if has_pickle_name(one)]
            for name in inside[:MOST_PARTS]:
                with archive.open(name) as part:
                    yield _read(part)
            if len(inside) > MOST_PARTS:
                yield b"", False
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError):
        # Damaged, encrypted or packed in an unknown way.
        yield b"", False
    except (NotImplementedError, LookupError):
        yield b"", False


def _read(content: IO[bytes]) -> tuple[bytes, bool]:
    found = content.read(MOST_BYTES + 1)
    return found[:MOST_BYTES], len(found) <= MOST_BYTES


def _follow(part: bytes, names: set[str]) -> bool:
    """Add what a pickle would import to `names`; say whether its end was reached."""
    stack = _Texts()
    try:
        operations = pickletools.genops(io.BytesIO(part))
        for count, (opcode, argument, _) in enumerate(operations):
            if count == MOST_OPCODES:
                return False
            if opcode.name in _NAMED:
                names.add(_shown(str(argument).replace(" ", ".", 1)))
            elif opcode.name == "STACK_GLOBAL":
                names.add(_shown(".".join(stack.newest)))
            stack.take(opcode.name, argument)
    except Exception:  # noqa: BLE001  # whatever a hostile file makes the parser raise
        return False
    return bool(part)


class _Texts:
    """Follows the texts on the stack, of which two name what is imported."""

    def __init__(self) -> None:
        self.newest = ["", ""]
        self.memo: dict[Any, Any] = {}
        self.last: Any = None

    def take(self, operation: str, argument: Any) -> None:
        if operation in _PUTS:
            self.memo[len(self.memo) if argument is None else argument] = self.last
            return
        self.last = self.memo.get(argument) if operation in _GETS else argument
        if isinstance(self.last, str):
            self.newest = [self.newest[-1], self.last]


def _shown(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name[:MOST_NAME])
