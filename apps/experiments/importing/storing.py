"""Putting a file of a source into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import blobs
from apps.core.media_types import media_type_of
from apps.experiments import parts
from apps.experiments.actions import ArtifactFile
from apps.experiments.actions.artifacts import check_path

if TYPE_CHECKING:
    from apps.experiments.importing.records import SourceFile


def store_file(file: SourceFile) -> ArtifactFile:
    """Store the content of a file, as far as it may be large.

    Raises:
        Invalid: no file can have its path.
        NoRoom: the store is full.
        TooLarge: it is larger than the portal takes.
        Unreadable: it cannot be read at its source.
    """
    check_path(file.path)
    watch = parts.limiting(blobs.local_folder())
    with file.open() as content:
        blob = blobs.store_stream(content, on_bytes=watch)
    return ArtifactFile(file.path, blob, media_type_of(file.path))
