"""Files that come in piece by piece, whatever happens between the pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core import blobs
from apps.core.disk import require_room_in
from apps.core.errors import Invalid, TooLarge, WrongState
from apps.datasets import parts, rules
from apps.datasets.actions.versions import (
    add_version,
    check_size,
    checked_seal,
    dataset_named,
    name_and_format,
)
from apps.datasets.models import Dataset, Upload, UploadState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.blobs import Blob
    from apps.projects.models import Project


class WrongOffset(WrongState):
    """The chunk does not begin where the bytes received so far end."""


@dataclass(frozen=True, kw_only=True)
class UploadWish:
    """What somebody is about to send.

    Args:
        file_name: on the sender's machine; its ending says the format.
        size_bytes: of the whole file.
        sha256: of the whole file, 64 hexadecimal digits, if the sender knows it.
        file_modified_ms: when the sender's machine says it was changed, Unix time.
        dataset: gets the file as its next version; None for what is named.
        name: of a new dataset, or of the one that gets the next version.
        title: of a new dataset.
        description: of a new dataset.
        seal: which rows to put aside, as `engine.spec.Seal`; None for none.
    """

    file_name: str
    size_bytes: int
    sha256: str = ""
    file_modified_ms: int | None = None
    dataset: Dataset | None = None
    name: str = ""
    title: str = ""
    description: str = ""
    seal: dict[str, Any] | None = None


@transaction.atomic
def start_upload(*, project: Project, wish: UploadWish, by: User) -> Upload:
    """Begin to take in a file that comes in chunks.

    Raises:
        Invalid: the file cannot be read by its name, or a text does not fit.
        NoRoom: the file would not fit on the disk.
        Refused: only who may upload.
        TooLarge: the file is larger than the portal takes.
        WrongState: the person has too many unfinished uploads.
    """
    ensure(rules.can_start_upload(by, project, wish.dataset))
    file_name, _ = name_and_format(wish.file_name)
    check_size(wish.size_bytes, settings.UPLOAD_TOTAL_LIMIT_BYTES)
    # The person's row serialises what they begin, so that the limits hold.
    get_user_model().objects.select_for_update(no_key=True).get(pk=by.pk)
    _check_share(wish, by)
    _check_room(wish.size_bytes)
    upload = Upload(
        owner=by,
        project=project,
        dataset=wish.dataset,
        name=wish.name,
        title=wish.title,
        description=wish.description,
        file_name=file_name,
        file_modified_ms=wish.file_modified_ms,
        size_bytes=wish.size_bytes,
        sha256=_digest_in(wish.sha256),
        seal=checked_seal(wish.seal),
    )
    upload.keep()
    _check_texts(upload)
    upload.save()
    facts = {"file": file_name, "size_bytes": upload.size_bytes}
    _record(EventType.UPLOAD_STARTED, upload, by, facts)
    return upload


@transaction.atomic
def append_chunk(*, upload: Upload, offset: int, content: bytes, by: User) -> Upload:
    """Take in the next piece of a file; it counts when it is on the disk.

    Args:
        upload: an open one.
        offset: how many bytes of the file stand before `content`.
        content: the piece, possibly empty.
        by: who began the upload.

    Raises:
        NoRoom: the disk is full; what came before stays.
        Refused: somebody else began it, or it is no longer theirs to upload.
        TooLarge: this would be more than was declared.
        WrongOffset: the piece belongs elsewhere; `received_bytes` says where to go on.
        WrongState: the upload has ended.
    """
    upload = _lock(upload)
    ensure(rules.can_append_chunk(by, upload))
    if offset != upload.received_bytes:
        sentence = (
            f"{upload.received_bytes:,} bytes have come; go on there, not at "
            f"{offset:,}."
        )
        raise WrongOffset(sentence, fields={"offset": str(upload.received_bytes)})
    if offset + len(content) > upload.size_bytes:
        raise TooLarge(
            f"The file was declared with {upload.size_bytes:,} bytes, and this would "
            f"make it {offset + len(content):,}. Begin a new upload."
        )
    require_room_in(parts.folder(), len(content))
    parts.append(upload, content)
    upload.received_bytes += len(content)
    upload.keep()
    upload.save(update_fields=["received_bytes", "expires_at"])
    return upload


def complete_upload(*, upload: Upload, by: User) -> Upload:
    """Make a file that has come whole the next version of its dataset.

    Raises:
        Invalid: the content is not what was declared, or as `upload_version`.
        NoRoom: the disk is full; the upload stays, and can be completed later.
        Refused: as `append_chunk`.
        WrongState: bytes are missing, or the upload has ended.
    """
    ensure(rules.can_complete_upload(by, upload))
    blob = parts.digest(upload)  # before the lock: large files take a while
    if upload.sha256 and upload.sha256 != blob.sha256:
        raise Invalid(
            f"The file has the SHA-256 {blob.sha256}, not {upload.sha256} as declared. "
            "Cancel this upload and send the file again.",
            fields={"sha256": "The content that came is another."},
        )
    if not blobs.shares_disk_with(parts.folder()):
        blobs.adopt(parts.path_of(upload), blob)  # a copy, which takes a while, too
    with transaction.atomic():
        return _keep(upload, blob, by)


def _keep(upload: Upload, blob: Blob, by: User) -> Upload:
    upload = _lock(upload)
    ensure(rules.can_complete_upload(by, upload))
    upload.version = add_version(
        dataset=upload.dataset or dataset_named(upload.project, _values(upload), by),
        file=name_and_format(upload.file_name),
        blob=blob,
        by=by,
        seal=upload.seal,
    )
    upload.advance(UploadState.COMPLETE)
    upload.save(update_fields=["version", "state"])
    # Late, so that nothing is stored for what was refused.
    blobs.adopt(parts.path_of(upload), blob)
    transaction.on_commit(partial(parts.remove, upload))
    return upload


@transaction.atomic
def cancel_upload(*, upload: Upload, by: User) -> Upload:
    """Give an upload up; what came of it is removed.

    Raises:
        Refused: somebody else began it.
        WrongState: it has ended.
    """
    upload = _lock(upload)
    ensure(rules.can_cancel_upload(by, upload))
    return _end(upload, UploadState.CANCELLED, EventType.UPLOAD_CANCELLED, by)


@transaction.atomic
def expire_upload(*, upload: Upload, by: User) -> Upload | None:
    """Remove what nobody went on with for too long.

    Returns:
        None when somebody did after all, or another worker was faster.

    Raises:
        Refused: only workers may.
    """
    waiting = Upload.objects.kept_too_long().filter(pk=upload.pk)
    found = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if found is None:
        return None
    ensure(rules.can_expire_upload(by, found))
    return _end(found, UploadState.EXPIRED, EventType.UPLOAD_EXPIRED, by)


def _end(upload: Upload, to: UploadState, event: EventType, by: User) -> Upload:
    upload.advance(to)
    upload.save(update_fields=["state"])
    _record(event, upload, by, {"received_bytes": upload.received_bytes})
    transaction.on_commit(partial(parts.remove, upload))
    return upload


def _record(
    event: EventType, upload: Upload, by: User, facts: dict[str, object]
) -> None:
    record(event, target=upload, project=upload.project, by=by, changes=facts)


def _lock(upload: Upload) -> Upload:
    rows = Upload.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("project", "dataset__project", "owner").get(pk=upload.pk)


def _check_share(wish: UploadWish, by: User) -> None:
    mine = Upload.objects.open().filter(owner=by)
    if mine.count() >= settings.UPLOADS_OPEN_LIMIT:
        raise WrongState(
            f"You have {settings.UPLOADS_OPEN_LIMIT} unfinished uploads, the most one "
            "person may have. Finish or cancel one of them first."
        )
    limit = settings.UPLOADS_OPEN_LIMIT_BYTES
    if mine.promised_bytes() + wish.size_bytes > limit:
        raise TooLarge(
            "Together with your unfinished uploads this is more than the "
            f"{filesizeformat(limit)} one person may have under way. Finish or cancel "
            "one of them first."
        )


def _check_room(size_bytes: int) -> None:
    require_room_in(parts.folder(), size_bytes)
    blobs.require_room(size_bytes)


def _digest_in(text: str) -> str:
    if text and not re.fullmatch("[0-9a-fA-F]{64}", text):
        sentence = "A SHA-256 has 64 hexadecimal digits."
        raise Invalid(sentence, fields={"sha256": sentence})
    return text.lower()


def _check_texts(upload: Upload) -> None:
    if not upload.dataset and not upload.name:
        sentence = "Give the short name of the dataset."
        raise Invalid(sentence, fields={"name": sentence})
    try:
        upload.clean_fields(exclude=["owner", "project", "dataset", "version"])
    except ValidationError as error:
        raise Invalid(
            "The upload needs correcting.",
            fields={
                name: " ".join(texts) for name, texts in error.message_dict.items()
            },
        ) from error


def _values(upload: Upload) -> dict[str, str]:
    return {name: getattr(upload, name) for name in ("name", "title", "description")}
