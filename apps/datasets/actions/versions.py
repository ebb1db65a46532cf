"""Files that come in as versions of a dataset, and go out again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core import blobs
from apps.core.errors import Invalid, TooLarge
from apps.core.queue import enqueue
from apps.datasets import queries, rules
from apps.datasets.actions.describe import create_dataset, lock_dataset
from apps.datasets.models import (
    Dataset,
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    ErrorListFormat,
    seal_in_words,
)
from apps.datasets.queries import ErrorList, error_list
from engine.spec import Seal, SpecError, decode, format_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.core.blobs import Blob
    from apps.projects.models import Project

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class DatasetFile:
    """A file to send to somebody.

    Args:
        sha256: of the blob that holds it.
        size_bytes: its length.
        name: what to save it as.
        media_type: what it is.
    """

    sha256: str
    size_bytes: int
    name: str
    media_type: str


@transaction.atomic
def upload_dataset(
    *,
    project: Project,
    values: Mapping[str, str],
    content: IO[bytes],
    original_name: str,
    by: User,
    seal: dict[str, Any] | None = None,
) -> DatasetVersion:
    """Take in a file under a name: a new dataset, or the next version of one.

    Args:
        project: where it belongs.
        values: `name`, and for a new dataset `title` and `description`.
        content: a seekable binary file.
        original_name: its name on the sender's machine; its ending says the format.
        by: somebody who may upload.
        seal: which rows to put aside, as `engine.spec.Seal`; None for none.

    Returns:
        The version, waiting to be read.

    Raises:
        Invalid: the name belongs to a dataset that `by` cannot see, or as
            `create_dataset` and `upload_version`.
        TooLarge: the file is larger than the portal takes.
        Refused: only who may upload.
    """
    ensure(rules.can_upload_dataset(by, project))
    dataset = dataset_named(project, values, by)
    return upload_version(
        dataset=dataset,
        content=content,
        original_name=original_name,
        by=by,
        seal=seal,
    )


def dataset_named(project: Project, values: Mapping[str, str], by: User) -> Dataset:
    """Find the dataset of a name that `by` can see, or create it."""
    name = values["name"]
    visible = Dataset.objects.visible_to(by).filter(project=project, name=name)
    return visible.first() or create_dataset(
        project=project,
        name=name,
        title=values.get("title") or name,
        description=values.get("description", ""),
        by=by,
    )


@transaction.atomic
def upload_version(
    *,
    dataset: Dataset,
    content: IO[bytes],
    original_name: str,
    by: User,
    seal: dict[str, Any] | None = None,
) -> DatasetVersion:
    """Take in a file as the next version; a worker reads it afterwards.

    Args:
        dataset: which.
        content: a seekable binary file.
        original_name: its name on the sender's machine; its ending says the format.
        by: somebody who may upload.
        seal: which rows to put aside, as `engine.spec.Seal`; None for none.

    Raises:
        Invalid: empty, of no format that is read, the same as the newest version, or
            it holds rows that are sealed elsewhere in the project.
        NoRoom: it does not fit on the disk.
        TooLarge: the file is larger than the portal takes.
        Refused: only who may upload.
    """
    ensure(rules.can_upload_version(by, dataset))
    seal = checked_seal(seal)
    file = name_and_format(original_name)
    size = content.seek(0, 2)
    check_size(size, settings.UPLOAD_LIMIT_BYTES)
    blobs.require_room(size)
    blob = blobs.store(content)  # before the lock: large files take a while
    return add_version(dataset=dataset, file=file, blob=blob, by=by, seal=seal)


def add_version(
    *,
    dataset: Dataset,
    file: tuple[str, DatasetFormat],
    blob: Blob,
    by: User,
    seal: dict[str, Any] | None,
) -> DatasetVersion:
    """Make a file the next version of `dataset`, to be read by a worker.

    Args:
        dataset: which.
        file: its name and format.
        blob: its content.
        by: who sent it.
        seal: which rows to put aside, as `checked_seal` gave it.

    Raises:
        Invalid: it is the same as the newest version, or holds rows that are sealed
            elsewhere in the project.
    """
    name, kind = file
    dataset = lock_dataset(dataset)
    newest = dataset.versions.order_by("-number").first()
    check_is_new(blob, newest, seal)
    check_stays_sealed(dataset.project, blob, seal)
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=newest.number + 1 if newest else 1,
        original_name=name,
        format=kind,
        original_sha256=blob.sha256,
        original_bytes=blob.size_bytes,
        seal=seal,
        uploaded_by=by,
    )
    record(
        EventType.DATASET_VERSION_UPLOADED,
        target=version,
        project=dataset.project,
        by=by,
        changes={
            "file": name,
            "size_bytes": blob.size_bytes,
            "sha256": blob.sha256,
            **({"seal": seal_in_words(seal)} if seal else {}),
        },
    )
    enqueue(version.kind.task, pk=str(version.pk))
    return version


@transaction.atomic
def download_version(
    *, version: DatasetVersion, content: DatasetContent, by: User
) -> DatasetFile:
    """Hand out one of the files of a version, and keep who took it.

    Raises:
        Refused: only who may download data.
        WrongState: there is no Parquet file yet.
    """
    ensure(rules.can_download_version(by, version, content))
    record(
        EventType.DATASET_DOWNLOADED,
        target=version,
        project=version.project,
        by=by,
        changes={"content": content.value},
    )
    if content == DatasetContent.ORIGINAL:
        return DatasetFile(
            version.original_sha256,
            version.original_bytes,
            version.original_name,
            _MEDIA_TYPES.get(version.original_name.rpartition(".")[2].lower(), _BYTES),
        )
    name = f"{version.dataset.name}-{version.number}.parquet"
    size = version.parquet_bytes or 0
    return DatasetFile(version.parquet_sha256, size, name, _PARQUET)


@transaction.atomic
def download_errors(
    *, version: DatasetVersion, form: ErrorListFormat, by: User
) -> ErrorList:
    """Hand out the list of what is wrong with a file, and keep who took it.

    Raises:
        Refused: only members who see the dataset.
        WrongState: the file was read, or not yet.
    """
    ensure(rules.can_download_errors(by, version))
    record(
        EventType.DATASET_DOWNLOADED,
        target=version,
        project=version.project,
        by=by,
        changes={"content": "errors", "format": form.value},
    )
    return error_list(version, form)


_PARQUET = "application/vnd.apache.parquet"
_BYTES = "application/octet-stream"
_MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "jsonl": "application/x-ndjson",
    "ndjson": "application/x-ndjson",
    "parquet": _PARQUET,
    "zip": "application/zip",
    "gz": "application/gzip",
}
_LONGEST_NAME = 255


def name_and_format(original_name: str) -> tuple[str, DatasetFormat]:
    """Take the name of a file from what the sender calls it, and its format.

    Raises:
        Invalid: the name is unfit, or says that the portal cannot read the file.
    """
    name = PurePath(original_name.replace("\\", "/")).name
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise _unfit("Rename the file: at most 255 printable characters.")
    known = format_of(name)
    if known is None:
        raise _unfit(
            "The end of the name must say what the file is: .csv, .tsv or .jsonl (also "
            "with .gz, .zst, .bz2 or .xz after it), .parquet, .arrow, or .zip for "
            "images. Save the table in one of these formats."
        )
    return name, DatasetFormat(known[0])


def check_size(size: int, limit: int) -> None:
    """Go on only with a file that has bytes, and not too many.

    Raises:
        Invalid: there are none.
        TooLarge: there are more than `limit`.
    """
    if size > limit:
        sentence = (
            f"The file has {size / MEBIBYTE:,.1f} MB; the portal takes up to "
            f"{limit / MEBIBYTE:,.1f} MB. Send a smaller one."
        )
        raise TooLarge(sentence, fields={"file": sentence})
    if size <= 0:
        raise _unfit("The file is empty; choose one with data.")


def check_is_new(
    blob: Blob, newest: DatasetVersion | None, seal: dict[str, Any] | None
) -> None:
    """Go on only with another file, or another seal, than the newest version has.

    Raises:
        Invalid: they are the same.
    """
    if newest and (newest.original_sha256, newest.seal) == (blob.sha256, seal):
        raise _unfit(
            f"This is the same file as version {newest.number}, byte for byte; there "
            "is nothing new to add."
        )


def check_stays_sealed(
    project: Project, blob: Blob, seal: dict[str, Any] | None
) -> None:
    """Let nobody open sealed rows by sending their file once more, or seal open ones.

    Raises:
        Invalid: a version of this file would do so.
    """
    if seal and queries.is_open_file(project, blob.sha256):
        raise _unfit(
            "The rows of this file can be read in this project already; only rows that "
            "nobody has seen can be sealed."
        )
    if queries.opens_sealed_rows(project, blob.sha256, seal):
        raise _unfit(
            "Rows of this file are sealed in this project; another version of it would "
            "open them. Send other data, or the same with the same seal."
        )


def checked_seal(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Check how rows are to be put aside, before a file is taken in for that.

    Raises:
        Invalid: the engine would not take it; `fields` says what.
    """
    if not values:
        return None
    try:
        seal: Seal = decode(Seal, values)
    except SpecError as error:
        raise Invalid(
            f"The rows cannot be put aside like this: {error}",
            fields={f"seal_{error.field}": error.problem},
        ) from error
    return asdict(seal)


def _unfit(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"file": sentence})
