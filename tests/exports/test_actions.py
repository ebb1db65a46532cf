from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from apps.exports import actions
from apps.exports.models import AuditExport
from apps.exports.tasks import remove_old
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from tests.factories import exports, people
from tests.trail import (
    FailedHalfWay,
    no_room_for_events,
    nothing_recorded,
    one_event,
)


@pytest.fixture
def other():
    return people.person("other@agency.example", "Otto", agency_roles=["auditor"])


def test_request_export_records_what_was_asked_for(auditor):
    size = exports.seal_everything()

    with one_event("audit.export_requested") as events:
        export = actions.request_export(
            wish=exports.wish("csv", person="petra", with_names=True), by=auditor
        )

    assert (export.status, export.tree_size) == (JobStatus.QUEUED, size)
    assert export.filter.given == {"person": "petra"}
    assert events[0].changes == {
        "format": "csv",
        "filter": {"person": "petra"},
        "with_names": True,
        "size": size,
    }
    assert "petra" not in events[0].body


def test_request_export_again_gives_the_first_until_it_is_finished(auditor, other):
    first = exports.requested(auditor, type="member.added")

    with nothing_recorded():
        again = exports.requested(auditor, type="member.added")
    others = exports.requested(other, type="member.added")
    exports.write_export(pk=str(first.pk))
    later = exports.requested(auditor, type="member.added")

    assert again == first
    assert len({first.pk, others.pk, later.pk}) == 3


def test_request_export_of_everything_has_no_filter(auditor):
    export = exports.requested(auditor, "bundle", type="member.added")

    assert export.wanted == {}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"period": "7d"}, {"since": "2026-03-03"}),
        ({"period": "7d", "since": "2026-01-01"}, {"since": "2026-03-03"}),
        ({"period": "7d", "since": "2026-03-09"}, {"since": "2026-03-09"}),
        ({"period": "today"}, {"since": "2026-03-10"}),
    ],
)
def test_request_export_says_on_which_day_a_period_began(
    auditor, monkeypatch, asked, kept
):
    now = datetime(2026, 3, 10, 23, 59, tzinfo=UTC)
    exports.seal_everything()
    monkeypatch.setattr("apps.audit.queries.timezone.now", lambda: now)

    assert exports.requested(auditor, **asked).wanted == kept


def test_proofs_never_have_names(auditor):
    assert not exports.requested(auditor, "proofs", with_names=True).with_names


@pytest.mark.parametrize(
    "wrong", [{"since": "soon"}, {"type": "coffee.made"}, {"period": "1y"}]
)
def test_request_export_refuses_a_filter_that_is_none(auditor, wrong):
    exports.seal_everything()

    with nothing_recorded(), pytest.raises(Invalid):
        exports.requested(auditor, **wrong)

    assert not AuditExport.objects.exists()


def test_request_export_refuses_others_and_an_empty_trail(world):
    with nothing_recorded(), pytest.raises(WrongState, match="Nothing is sealed yet"):
        actions.request_export(wish=exports.wish(), by=world.auditor)
    exports.seal_everything()

    with nothing_recorded(), pytest.raises(Refused):
        exports.requested(world.validator)
    with nothing_recorded(), pytest.raises(Refused):
        exports.requested(world.program_manager, "bundle")


def test_request_export_leaves_nothing_when_its_event_fails(auditor):
    exports.seal_everything()

    with no_room_for_events(), pytest.raises(FailedHalfWay):
        exports.requested(auditor)

    assert not AuditExport.objects.exists()


def test_a_finished_export_records_its_digests(auditor, worker):
    export = exports.written(auditor, "bundle")

    event = AuditEvent.objects.get(type="audit.exported")
    assert event.actor_id == worker.pk
    assert event.target_id == str(export.pk)
    assert event.changes == {
        "format": "bundle",
        "with_names": False,
        "size": export.tree_size,
        "asked_by": auditor.label,
        "events": export.tree_size,
        "sha256": export.sha256,
        "manifest_sha256": export.manifest_sha256,
    }
    assert auditor.label not in event.body
    assert export.keep_until - timezone.now() > timedelta(days=6)


def test_download_export_is_recorded(auditor):
    export = exports.written(auditor)

    with one_event("audit.export_downloaded") as events:
        file = actions.download_export(export=export, by=auditor)

    assert file.sha256 == export.sha256
    assert file.name == export.file_name
    assert events[0].changes == {"file": file.name, "sha256": file.sha256}


def test_download_export_refuses_others(auditor, other):
    export = exports.written(auditor)

    with nothing_recorded(), pytest.raises(Refused):
        actions.download_export(export=export, by=other)


def test_only_a_bundle_has_an_assessment(auditor):
    export = exports.written(auditor, "csv")

    with nothing_recorded(), pytest.raises(Invalid, match="Only a bundle"):
        actions.download_export(export=export, by=auditor, assessment=True)


def test_a_cancelled_export_is_not_written(auditor):
    export = exports.requested(auditor)

    cancel_job(job=export, by=auditor)
    exports.write_export(pk=str(export.pk))

    export.refresh_from_db()
    assert export.status == JobStatus.CANCELLED
    assert not export.has_file


def test_only_who_asked_cancels_an_export(auditor, other):
    export = exports.requested(auditor)

    with nothing_recorded(), pytest.raises(Refused, match="Only who asked for this"):
        cancel_job(job=export, by=other)


def test_remove_export_removes_the_file_and_the_filter(auditor, worker, settings):
    export = exports.written(auditor, "bundle")
    kept = exports.written(auditor, "csv", person="petra")
    AuditExport.objects.filter(pk=export.pk).update(keep_until=timezone.now())

    with one_event("audit.export_removed") as events:
        remove_old()

    export.refresh_from_db()
    kept.refresh_from_db()
    assert (events[0].actor_id, events[0].changes) == (
        worker.pk,
        {"sha256": export.sha256},
    )
    with pytest.raises(FileNotFoundError):
        actions.blobs.open_blob(export.sha256, shelf=export.shelf)
    with pytest.raises(WrongState, match="was removed after its time"):
        actions.download_export(export=export, by=auditor)
    assert exports.content_of(kept)
    assert kept.wanted == {"person": "petra"}


def test_remove_export_twice_does_nothing_more(auditor, worker):
    export = exports.written(auditor, person="petra")
    AuditExport.objects.filter(pk=export.pk).update(keep_until=timezone.now())
    removed = actions.remove_export(export=export, by=worker)

    with nothing_recorded():
        again = actions.remove_export(export=export, by=worker)

    assert (removed.wanted, again) == ({}, None)


def test_equal_files_of_two_people_are_kept_apart(auditor, other, worker):
    mine, others = exports.written(auditor, "bundle"), exports.written(other, "bundle")
    AuditExport.objects.filter(pk=mine.pk).update(keep_until=timezone.now())

    remove_old()

    assert mine.sha256 == others.sha256
    assert exports.content_of(others)
