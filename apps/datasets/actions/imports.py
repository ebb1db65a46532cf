"""Files that come in from the sources of the portal, copied by a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core import blobs
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.datasets import rules, sources
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.actions.versions import (
    check_is_new,
    check_size,
    check_stays_sealed,
    checked_seal,
    dataset_named,
    name_and_format,
)
from apps.datasets.models import Dataset, DatasetVersion
from apps.jobs.models import FINAL_STATUSES, JobStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.core.blobs import Blob
    from apps.datasets.sources import Entry
    from apps.projects.models import Project


@dataclass(frozen=True)
class SourcePlace:
    """Where a file lies.

    Args:
        source: name of the source.
        path: below it.
        seal: which rows to put aside, as `engine.spec.Seal`; None for none.
    """

    source: str
    path: str
    seal: dict[str, Any] | None = None


@transaction.atomic
def import_dataset(
    *, project: Project, values: Mapping[str, str], place: SourcePlace, by: User
) -> DatasetVersion:
    """Have a worker import a file: as a new dataset, or the next version of one.

    Args:
        project: where it belongs.
        values: `name`, and for a new dataset `title` and `description`.
        place: where the file lies.
        by: somebody who may import.

    Returns:
        The version, waiting for its file.

    Raises:
        Invalid: as `import_version`, or the name belongs to a dataset that `by`
            cannot see.
        Refused: only who may import.
    """
    ensure(rules.can_import_dataset(by, project))
    entry = _checked(project, place)
    return _request(dataset_named(project, values, by), place, entry, by)


@transaction.atomic
def import_version(*, dataset: Dataset, place: SourcePlace, by: User) -> DatasetVersion:
    """Have a worker import a file as the next version.

    Raises:
        Invalid: the file is not there, cannot be read as data, is empty, or is being
            imported already.
        NoRoom: it does not fit on the disk.
        Refused: only who may import.
        TooLarge: it is larger than the portal takes.
    """
    ensure(rules.can_import_version(by, dataset))
    entry = _checked(dataset.project, place)
    return _request(dataset, place, entry, by)


@transaction.atomic
def keep_original(
    *, version: DatasetVersion, blob: Blob, by: User
) -> DatasetVersion | None:
    """Keep which file a worker has brought in for a version that it holds.

    Returns:
        None when the version was given to another worker meanwhile.

    Raises:
        Invalid: it is the same file as the version before.
        Refused: only workers may.
    """
    running = DatasetVersion.rows().filter(pk=version.pk, status=JobStatus.RUNNING)
    held = running.filter(claim_id=version.claim_id).select_for_update().first()
    if held is None:
        return None
    ensure(rules.can_keep_original(by, held))
    earlier = held.dataset.versions.filter(number__lt=held.number)
    check_is_new(blob, earlier.order_by("-number").first(), held.seal)
    check_stays_sealed(held.project, blob, held.seal)
    held.original_sha256, held.original_bytes = blob.sha256, blob.size_bytes
    held.save(update_fields=["original_sha256", "original_bytes"])
    _record(EventType.DATASET_VERSION_IMPORTED, held, by, sha256=blob.sha256)
    version.original_sha256 = blob.sha256
    version.original_bytes = blob.size_bytes
    return held


def check_importable(entry: Entry) -> None:
    """Go on only with a file of a size that the portal takes.

    Raises:
        Invalid: it is empty or cannot be read as data.
        TooLarge: it has too many bytes.
    """
    name_and_format(entry.name)
    check_size(entry.size_bytes or 0, settings.UPLOAD_TOTAL_LIMIT_BYTES)


def _checked(project: Project, place: SourcePlace) -> Entry:
    entry = sources.source_of(project, place.source).entry(place.path)
    check_importable(entry)
    blobs.require_room(entry.size_bytes or 0)
    return entry


def _request(
    dataset: Dataset, place: SourcePlace, entry: Entry, by: User
) -> DatasetVersion:
    seal = checked_seal(place.seal)
    dataset = lock_dataset(dataset)
    newest = dataset.versions.order_by("-number").first()
    _check_is_another(place, newest)
    name, kind = name_and_format(entry.name)
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=newest.number + 1 if newest else 1,
        original_name=name,
        format=kind,
        source_name=place.source,
        source_path=place.path,
        original_bytes=entry.size_bytes or 0,
        seal=seal,
        uploaded_by=by,
    )
    _record(EventType.DATASET_VERSION_IMPORT_REQUESTED, version, by)
    enqueue(version.kind.task, pk=str(version.pk))
    return version


def _check_is_another(place: SourcePlace, newest: DatasetVersion | None) -> None:
    if newest is None or newest.status in FINAL_STATUSES:
        return
    if (newest.source_name, newest.source_path) == (place.source, place.path):
        sentence = f"This file is being imported already, as version {newest.number}."
        raise Invalid(sentence, fields={"path": sentence})


def _record(event: EventType, version: DatasetVersion, by: User, **facts: str) -> None:
    told = {
        "source": version.source_name,
        "path": version.source_path,
        "size_bytes": version.original_bytes,
    }
    record(event, target=version, project=version.project, by=by, changes=told | facts)
