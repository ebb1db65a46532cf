"""What a page shows of a source: a folder to walk through, or the file chosen there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.http import QueryDict

from apps.core.errors import Invalid
from apps.datasets import sources
from apps.datasets.actions.versions import name_and_format
from apps.datasets.sources import Entry, Listing, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.projects.models import Project


@dataclass(frozen=True)
class Row:
    """A name in a folder.

    Args:
        entry: what it is.
        query: leads to it; empty when it is no file that can be read as data.
    """

    entry: Entry
    query: str


@dataclass(frozen=True)
class Browser:
    """One look into the sources of a project.

    Args:
        names: of the sources.
        source: the one looked into; empty when none was chosen.
        crumbs: label and query of the folders above, from the source down.
        folder: the path of the one shown.
        begins: what the names shown begin with.
        rows: what is in it.
        next_query: leads to the next page; empty on the last one.
        picked: the file chosen, if one is.
        fault: why a folder or a file cannot be shown.
    """

    names: list[str]
    source: str = ""
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    folder: str = ""
    begins: str = ""
    rows: list[Row] = field(default_factory=list)
    next_query: str = ""
    picked: Entry | None = None
    fault: str = ""


def browse(project: Project, asked: Mapping[str, str]) -> Browser:
    """Look into a source.

    Args:
        project: whose sources.
        asked: `source`, then `path` of a file, or `folder` with `begins` and `after`.
    """
    names = sources.source_names(project)
    name = asked.get("source") or (names[0] if len(names) == 1 else "")
    if not name:
        return Browser(names)
    path, folder = asked.get("path", ""), asked.get("folder", "")
    begins = asked.get("begins", "")
    try:
        source = sources.source_of(project, name)
        if path:
            picked = source.entry(path)
            return Browser(names, name, _crumbs(name, path), picked=picked)
        after = asked.get("after", "")
        listing = source.listing(folder, begins=begins, after=after)
    except SourceError as error:
        return Browser(names, name, fault=error.message)
    return Browser(
        names,
        name,
        _crumbs(name, folder),
        folder,
        begins,
        _rows(name, listing),
        _next(name, folder, begins, listing),
    )


def _rows(source: str, listing: Listing) -> list[Row]:
    return [Row(entry, _query_of(source, entry)) for entry in listing.entries]


def _query_of(source: str, entry: Entry) -> str:
    if entry.is_folder:
        return _query(source=source, folder=entry.path)
    return _query(source=source, path=entry.path) if _is_data(entry) else ""


def _is_data(entry: Entry) -> bool:
    try:
        name_and_format(entry.name)
    except Invalid:
        return False
    return bool(entry.size_bytes)


def _crumbs(source: str, path: str) -> list[tuple[str, str]]:
    parts = path.split("/") if path else []
    above = [
        (part, _query(source=source, folder="/".join(parts[: depth + 1])))
        for depth, part in enumerate(parts)
    ]
    return [(source, _query(source=source)), *above]


def _next(source: str, folder: str, begins: str, listing: Listing) -> str:
    if not listing.after:
        return ""
    return _query(source=source, folder=folder, begins=begins, after=listing.after)


def _query(**values: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in values.items() if value})
    return f"?{query.urlencode()}"
