"""Files that come in chunks: what counts, what is refused, what is left behind."""

import hashlib
import io
import os
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.core.errors import Invalid, NoRoom, Refused, TooLarge, WrongState
from apps.datasets import actions, parts, tasks
from apps.datasets.models import (
    UPLOAD_TRANSITIONS,
    Dataset,
    DatasetVersion,
    Upload,
    UploadState,
)
from apps.projects.actions import access
from tests.factories import datasets as factory
from tests.factories import uploads
from tests.factories.uploads import CONTENT, begun, received

SHA256 = hashlib.sha256(CONTENT).hexdigest()


def everything_stored() -> list[str]:
    """Files of the store and of the uploads, by name."""
    folders = [parts.folder(), blobs.local_folder()]
    return sorted(
        path.name for each in folders for path in each.rglob("*") if path.is_file()
    )


def events(kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=kind).order_by("pk"))


def append(upload, offset, content, by):
    return actions.append_chunk(upload=upload, offset=offset, content=content, by=by)


def test_start_upload_keeps_the_wish_and_records_it(project, data_scientist):
    upload = begun(project, data_scientist, title="New", description="Rows.")

    assert (upload.state, upload.received_bytes) == ("open", 0)
    assert upload.expires_at > timezone.now() + timedelta(hours=47)
    (event,) = events("upload.started")
    assert event.actor_id == data_scientist.pk
    assert event.target_label == f"upload of rows.csv to {project.slug}/new"
    assert everything_stored() == []


def test_append_chunk_goes_on_where_it_stopped(project, data_scientist):
    upload = begun(project, data_scientist)
    append(upload, 0, CONTENT[:10], data_scientist)

    upload = append(upload, 10, CONTENT[10:], data_scientist)

    assert upload.is_received
    assert parts.path_of(upload).read_bytes() == CONTENT
    assert parts.path_of(upload).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("offset", [0, 9, 11, len(CONTENT)])
def test_append_chunk_elsewhere_says_where(project, data_scientist, offset):
    upload = begun(project, data_scientist)
    append(upload, 0, CONTENT[:10], data_scientist)

    with pytest.raises(actions.WrongOffset, match="10 bytes have come") as caught:
        append(upload, offset, b"x", data_scientist)

    assert caught.value.fields == {"offset": "10"}
    assert parts.path_of(upload).read_bytes() == CONTENT[:10]


def test_append_chunk_overwrites_what_a_killed_process_wrote(project, data_scientist):
    upload = begun(project, data_scientist)
    append(upload, 0, CONTENT[:10], data_scientist)
    with parts.path_of(upload).open("ab") as part:
        part.write(b"written, not counted" * 100)

    upload = append(upload, 10, CONTENT[10:], data_scientist)

    assert parts.path_of(upload).read_bytes() == CONTENT


def test_append_chunk_says_when_its_bytes_are_lost(project, data_scientist):
    upload = begun(project, data_scientist)
    append(upload, 0, CONTENT[:10], data_scientist)
    parts.remove(upload)

    with pytest.raises(parts.PartLost, match="no longer on the portal's disk"):
        append(upload, 10, CONTENT[10:], data_scientist)

    upload.refresh_from_db()
    assert upload.received_bytes == 10


def test_append_chunk_takes_no_more_than_declared(project, data_scientist):
    upload = begun(project, data_scientist)

    with pytest.raises(TooLarge, match="Begin a new upload"):
        append(upload, 0, CONTENT + b"!", data_scientist)

    assert everything_stored() == []


def test_append_chunk_follows_no_link(project, data_scientist, tmp_path):
    upload = begun(project, data_scientist)
    target = tmp_path / "elsewhere"
    target.write_bytes(b"")
    parts.path_of(upload).symlink_to(target)

    with pytest.raises(OSError, match="symbolic link"):
        append(upload, 0, CONTENT, data_scientist)

    assert target.read_bytes() == b""


def test_complete_upload_makes_a_new_dataset(
    project, data_scientist, django_capture_on_commit_callbacks
):
    upload = received(project, data_scientist, title="New", sha256=SHA256.upper())

    with django_capture_on_commit_callbacks(execute=True):
        upload = actions.complete_upload(upload=upload, by=data_scientist)

    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.title) == ("new", "New")
    assert (upload.state, upload.version.original_sha256) == ("complete", SHA256)
    (event,) = events("dataset.version_uploaded")
    assert event.changes["sha256"] == SHA256
    assert everything_stored() == [SHA256]
    with blobs.open_blob(SHA256) as content:
        assert content.read() == CONTENT


def test_complete_upload_adds_the_next_version(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    factory.version(dataset, data_scientist)
    upload = received(project, data_scientist, dataset=dataset)

    upload = actions.complete_upload(upload=upload, by=data_scientist)

    assert upload.version.number == 2


def test_complete_upload_that_was_not_committed_can_be_repeated(
    project, data_scientist
):
    """As when the server dies between the file and the commit."""
    upload = received(project, data_scientist)
    with transaction.atomic():
        actions.complete_upload(upload=upload, by=data_scientist)
        transaction.set_rollback(True)

    upload.refresh_from_db()
    assert upload.state == UploadState.OPEN
    upload = actions.complete_upload(upload=upload, by=data_scientist)
    with blobs.open_blob(upload.version.original_sha256) as content:
        assert content.read() == CONTENT


def test_complete_upload_moves_the_file(project, data_scientist):
    upload = received(project, data_scientist)
    inode = parts.path_of(upload).stat().st_ino

    actions.complete_upload(upload=upload, by=data_scientist)

    path = blobs.local_folder(f"{SHA256[:2]}/{SHA256}")
    assert path.stat().st_ino == inode


def test_complete_upload_waits_for_every_byte(project, data_scientist):
    upload = begun(project, data_scientist)
    upload = append(upload, 0, CONTENT[:-1], data_scientist)

    with pytest.raises(WrongState, match="1 bytes of the file are still to be sent"):
        actions.complete_upload(upload=upload, by=data_scientist)

    assert not DatasetVersion.objects.exists()


def test_complete_upload_refuses_other_content(project, data_scientist):
    upload = received(project, data_scientist, sha256="0" * 64)

    with pytest.raises(Invalid, match=f"has the SHA-256 {SHA256}"):
        actions.complete_upload(upload=upload, by=data_scientist)

    assert not Dataset.objects.exists()
    assert everything_stored() == [f"{upload.pk}.part"]


def test_complete_upload_of_the_same_file_adds_nothing(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    factory.version(dataset, data_scientist, content=CONTENT)
    upload = received(project, data_scientist, dataset=dataset)

    with pytest.raises(Invalid, match="same file as version 1"):
        actions.complete_upload(upload=upload, by=data_scientist)

    assert dataset.versions.count() == 1
    upload.refresh_from_db()
    assert upload.state == UploadState.OPEN


def test_complete_upload_whose_content_is_known_keeps_it_once(
    project, data_scientist, django_capture_on_commit_callbacks
):
    factory.version(factory.dataset(project, data_scientist), data_scientist, CONTENT)
    upload = received(project, data_scientist)

    with django_capture_on_commit_callbacks(execute=True):
        actions.complete_upload(upload=upload, by=data_scientist)

    assert everything_stored() == [SHA256]


def test_complete_upload_says_when_its_bytes_are_lost(project, data_scientist):
    upload = received(project, data_scientist)
    os.truncate(parts.path_of(upload), 3)

    with pytest.raises(parts.PartLost):
        actions.complete_upload(upload=upload, by=data_scientist)
    parts.remove(upload)
    with pytest.raises(parts.PartLost):
        actions.complete_upload(upload=upload, by=data_scientist)


def test_complete_upload_to_a_dataset_that_was_hidden_meanwhile(world):
    dataset = factory.dataset(world.project, world.data_scientist)
    other = world.program_manager
    upload = received(world.project, world.data_scientist, dataset=dataset)
    access.restrict(thing=dataset, by=other)
    access.revoke_grant(thing=dataset, person=world.data_scientist, by=other)

    with pytest.raises(Refused):
        actions.complete_upload(upload=upload, by=world.data_scientist)

    assert dataset.versions.count() == 0


@pytest.mark.django_db(transaction=True)
def test_cancel_upload_leaves_nothing(project, data_scientist):
    upload = received(project, data_scientist)

    upload = actions.cancel_upload(upload=upload, by=data_scientist)

    assert upload.state == UploadState.CANCELLED
    assert everything_stored() == []
    (event,) = events("upload.cancelled")
    assert event.changes == {"received_bytes": len(CONTENT)}


@pytest.mark.parametrize("action", ["append_chunk", "complete_upload", "cancel_upload"])
def test_an_upload_that_ended_takes_nothing(project, data_scientist, action):
    upload = received(project, data_scientist)
    actions.cancel_upload(upload=upload, by=data_scientist)
    upload.refresh_from_db()
    more = {"offset": 0, "content": b""} if action == "append_chunk" else {}

    with pytest.raises(WrongState, match="This upload is cancelled"):
        getattr(actions, action)(upload=upload, by=data_scientist, **more)


@pytest.mark.parametrize("action", ["append_chunk", "complete_upload", "cancel_upload"])
def test_an_upload_is_its_owners(project, data_scientist, program_manager, action):
    upload = received(project, data_scientist)
    more = {"offset": 0, "content": b""} if action == "append_chunk" else {}

    with pytest.raises(Refused, match="Only who began this upload"):
        getattr(actions, action)(upload=upload, by=program_manager, **more)


@pytest.mark.parametrize(
    ("wish", "error", "sentence"),
    [
        ({"file_name": "rows.exe"}, Invalid, "can be read"),
        ({"file_name": "a\nb.csv"}, Invalid, "printable"),
        ({"content": b""}, Invalid, "empty"),
        ({"name": ""}, Invalid, "short name"),
        ({"name": "no spaces"}, Invalid, "needs correcting"),
        ({"title": "x" * 121}, Invalid, "needs correcting"),
        ({"sha256": "abc"}, Invalid, "64 hexadecimal"),
    ],
)
def test_start_upload_refuses_early(project, data_scientist, wish, error, sentence):
    with pytest.raises(error, match=sentence):
        begun(project, data_scientist, **wish)

    assert not Upload.objects.exists()


def test_start_upload_has_a_limit_of_its_own(settings, project, data_scientist):
    settings.UPLOAD_LIMIT_BYTES = 3
    begun(project, data_scientist)
    settings.UPLOAD_TOTAL_LIMIT_BYTES = len(CONTENT) - 1

    with pytest.raises(TooLarge, match="takes up to"):
        begun(project, data_scientist)


def test_start_upload_counts_what_is_unfinished(settings, world):
    settings.UPLOADS_OPEN_LIMIT = 1
    first = begun(world.project, world.data_scientist)

    with pytest.raises(WrongState, match="1 unfinished uploads"):
        begun(world.project, world.data_scientist)

    actions.cancel_upload(upload=first, by=world.data_scientist)
    begun(world.project, world.data_scientist)


def test_start_upload_counts_bytes(settings, project, data_scientist):
    settings.UPLOADS_OPEN_LIMIT_BYTES = 2 * len(CONTENT) - 1
    begun(project, data_scientist)

    with pytest.raises(TooLarge, match="Together with your unfinished uploads"):
        begun(project, data_scientist)


def test_expire_uploads_removes_what_nobody_goes_on_with(
    settings, committed, world, time_machine
):
    time_machine.move_to(timezone.now())
    begun(world.project, world.data_scientist)
    stale = received(world.project, world.data_scientist)
    time_machine.shift(timedelta(hours=settings.UPLOAD_KEEP_HOURS - 1))
    fresh = begun(world.project, world.data_scientist)
    append(fresh, 0, b"s", world.data_scientist)
    time_machine.shift(timedelta(hours=2))

    tasks.expire_uploads()
    tasks.expire_uploads()

    stale.refresh_from_db()
    assert stale.state == UploadState.EXPIRED
    assert everything_stored() == [f"{fresh.pk}.part"]
    expired = events("upload.expired")
    assert [event.actor_id for event in expired] == [world.worker.pk] * 2


def test_expire_uploads_leaves_what_somebody_goes_on_with(project, data_scientist):
    upload = begun(project, data_scientist)

    assert actions.expire_upload(upload=upload, by=data_scientist) is None


def test_expire_uploads_removes_what_killed_processes_left(db):
    stray = parts.folder() / "01890000-0000-7000-8000-000000000000.part"
    draft = blobs.local_folder(blobs.DRAFTS) / "draft"
    draft.parent.mkdir(parents=True)
    foreign = parts.folder() / "readme.part"
    for path in (stray, draft, foreign):
        path.write_bytes(b"left")
    tasks.expire_uploads()
    assert len(everything_stored()) == 3
    for path in (stray, draft, foreign):
        os.utime(path, (0, 0))

    tasks.expire_uploads()

    assert everything_stored() == ["readme.part"]


@pytest.mark.parametrize("before", UPLOAD_TRANSITIONS)
@pytest.mark.parametrize("after", UploadState)
def test_advance_follows_the_table(before, after):
    upload = Upload(state=before)

    if after in UPLOAD_TRANSITIONS[before]:
        upload.advance(after)
        assert upload.state == after
    else:
        with pytest.raises(WrongState):
            upload.advance(after)


def test_a_disk_with_too_little_room_is_said_in_words(
    settings, project, data_scientist
):
    upload = begun(project, data_scientist)
    settings.STORAGE_RESERVE_BYTES = 2**62

    with pytest.raises(NoRoom, match="has room for 0"):
        append(upload, 0, CONTENT, data_scientist)
    with pytest.raises(NoRoom):
        begun(project, data_scientist)

    upload.refresh_from_db()
    assert upload.received_bytes == 0
    assert default_storage.exists("drafts") is False
    assert everything_stored() == []


def test_upload_version_without_room_stores_nothing(settings, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    settings.STORAGE_RESERVE_BYTES = 2**62

    with pytest.raises(NoRoom):
        actions.upload_version(
            dataset=dataset,
            content=io.BytesIO(uploads.CONTENT),
            original_name="rows.csv",
            by=data_scientist,
        )

    assert everything_stored() == []
