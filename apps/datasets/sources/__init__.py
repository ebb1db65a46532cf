"""Places on an allow-list from which files may be brought in, without a browser.

`DATA_SOURCES` names them: folders that the portal's machine sees, and buckets of
S3-compatible object storage. `{project}` in an address stands for the short name of the
project, so that each project has a place of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from apps.datasets.sources.bucket import BucketSource
from apps.datasets.sources.folder import FolderSource
from apps.datasets.sources.places import Entry, Listing, Source, SourceError

if TYPE_CHECKING:
    from apps.projects.models import Project

__all__ = [
    "Entry",
    "Listing",
    "Source",
    "SourceError",
    "source_names",
    "source_of",
]


def source_names(project: Project) -> list[str]:
    """List the sources that a project can import from, by name."""
    return sorted(
        name
        for name, address in settings.DATA_SOURCES.items()
        if not (folder := _folder_in(address, project)) or folder.is_dir()
    )


def source_of(project: Project, name: str) -> Source:
    """Find a source by its name.

    Raises:
        SourceError: the project has none of this name.
    """
    if name not in source_names(project):
        sentence = "There is no such source here; choose one from the list."
        raise SourceError(sentence, fields={"source": sentence})
    address = settings.DATA_SOURCES[name]
    if folder := _folder_in(address, project):
        return FolderSource(name, folder)
    url = urlsplit(_of_project(address, project))
    options = {key: values[-1] for key, values in parse_qs(url.query).items()}
    return BucketSource(name, url.netloc, url.path.strip("/"), options)


def _folder_in(address: str, project: Project) -> Path | None:
    return Path(_of_project(address, project)) if address.startswith("/") else None


def _of_project(address: str, project: Project) -> str:
    return address.replace("{project}", project.slug)
