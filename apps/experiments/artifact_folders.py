"""Artifacts of a run as folders, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, F, Sum, Value
from django.db.models.functions import Left, StrIndex, Substr
from django.db.models.lookups import GreaterThan

from apps.experiments.models import Artifact

if TYPE_CHECKING:
    from apps.experiments.models import Run

ENTRIES_ON_A_PAGE: Final = 100


@dataclass(frozen=True)
class Entry:
    """What lies directly in a folder.

    Args:
        name: the last part of its path.
        path: from the run on.
        files: how many lie in it, at any depth; None when it is a file itself.
        size_bytes: of the file, or of all files in the folder.
        artifact: the file; None for a folder.
    """

    name: str
    path: str
    files: int | None
    size_bytes: int
    artifact: Artifact | None = None


@dataclass(frozen=True)
class Folder:
    """A page of a folder, folders first.

    Args:
        path: from the run on; empty for the run itself.
        entries: of this page.
        next_after: the cursor of the next page; empty on the last.
    """

    path: str
    entries: list[Entry]
    next_after: str = ""

    @property
    def above(self) -> list[tuple[str, str]]:
        """Name the folders on the way here, each with its path."""
        parts = self.path.split("/") if self.path else []
        return [
            (part, "/".join(parts[: place + 1])) for place, part in enumerate(parts)
        ]


def list_folder(run: Run, path: str, *, after: str = "") -> Folder:
    """List what lies in a folder of a run, in two queries.

    Args:
        run: whose files.
        path: of the folder, without a slash at the end; a folder that is not there is
            empty.
        after: cursor of the page before: `d` for a folder or `f` for a file, and its
            name.
    """
    above = f"{path}/" if path else ""
    inside = run.artifacts.filter(path__startswith=above).annotate(
        rest=Substr("path", len(above) + 1)
    )
    slash = StrIndex(F("rest"), Value("/"))
    parted = inside.annotate(slash=slash, is_folder=GreaterThan(slash, 0))
    folders = (
        parted.filter(is_folder=True)
        .annotate(name=Left("rest", F("slash") - 1))
        .values("name")
        .annotate(files=Count("*"), size=Sum("size_bytes"))
        .order_by("name")
    )
    files = parted.filter(is_folder=False).order_by("rest")
    kind, name = after[:1], after[1:]
    if kind == "d":
        folders = folders.filter(name__gt=name)
    elif kind == "f":
        folders, files = folders.none(), files.filter(rest__gt=name)
    return _page(path, above, folders, files)


def _page(path: str, above: str, folders: Any, files: Any) -> Folder:
    wanted = ENTRIES_ON_A_PAGE + 1
    entries = [
        Entry(row["name"], above + row["name"], row["files"], row["size"])
        for row in folders[:wanted]
    ]
    entries += [
        Entry(one.file_name, one.path, None, one.size_bytes, one)
        for one in files[: wanted - len(entries)]
    ]
    if len(entries) < wanted:
        return Folder(path, entries)
    last = entries[ENTRIES_ON_A_PAGE - 1]
    kind = "d" if last.artifact is None else "f"
    return Folder(path, entries[:ENTRIES_ON_A_PAGE], f"{kind}{last.name}")
