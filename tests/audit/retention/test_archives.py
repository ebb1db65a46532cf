"""Archiving, holds and requests: what the people and the worker can do, and when."""

import io
import zipfile
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import transaction

from apps.accounts.actions import service_account
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Checkpoint, Head
from apps.audit.record import Entry, personal, record_many
from apps.audit.retention import actions, holds, queries, rules
from apps.audit.retention.models import LegalHold, PruneStatus, Segment
from apps.audit.retention.period import kept_since
from apps.audit.stored_tree import reader
from apps.audit.transparency import bundle
from apps.audit.transparency.archive import verify_archive
from apps.audit.transparency.pruning import segment_leaves, segment_root
from apps.audit.transparency.tiles import hashes_in
from apps.core import blobs
from apps.core.errors import Archived, Invalid, Refused, WrongState
from tests.audit import sealing
from tests.audit.retention.trails import (
    UNIT,
    after_the_grace,
    agreed,
    archived,
    happen_at_once,
    pruned,
    years_ago,
)
from tests.audit.sealing import happen, sealer_in, tampering, undo_tampering
from tests.factories import people
from tests.trail import nothing_recorded, one_event


def archive(number: int) -> Segment:
    return actions.archive_segment(number=number, by=service_account(), leaves=UNIT)


def test_archive_segment_writes_what_the_tree_has(sealer):
    with one_event("audit.segment_archived") as events:
        segment = archive(1)

    span = segment_leaves(1, leaves=UNIT)
    root = segment_root(span, hashes_in(reader(Head.objects.get())))
    with blobs.open_blob(segment.archive_sha256) as file:
        note = verify_archive(file, span=span, root=root)
    assert note == Checkpoint.objects.latest("size").note
    assert (segment.first_leaf, segment.last_leaf) == (UNIT, 2 * UNIT - 1)
    assert bytes(segment.root) == root
    assert segment.first_event <= segment.last_event
    assert segment.first_at <= segment.last_at
    assert events[0].changes == {
        "bytes": segment.archive_bytes,
        "first_leaf": UNIT,
        "last_leaf": 2 * UNIT - 1,
        "place": "file store of the portal",
        "root": root.hex(),
        "sha256": segment.archive_sha256,
    }


def test_an_archive_has_no_names_in_it(sealer, two):
    segment = archive(0)

    with blobs.open_blob(segment.archive_sha256) as stored:
        file = zipfile.ZipFile(stored)
        everything = b"".join(file.read(name) for name in file.namelist())
    assert b"segments/000000.jsonl" not in everything
    assert b"@agency.example" not in everything
    assert two.administrator.full_name.encode() not in everything


def test_archive_segment_waits_for_completeness_and_age(sealer):
    happen_at_once(UNIT)
    sealer.seal()

    with nothing_recorded(), pytest.raises(WrongState, match="not complete"):
        archive(9)
    with nothing_recorded(), pytest.raises(WrongState, match="retention time"):
        archive(2)
    archive(0)
    with nothing_recorded(), pytest.raises(WrongState, match="archived already"):
        archive(0)


def test_archive_segment_is_for_background_work_only(sealer, two):
    with nothing_recorded(), pytest.raises(Refused):
        actions.archive_segment(number=0, by=two.administrator, leaves=UNIT)


def test_archive_segment_refuses_what_was_tampered_with(sealer):
    with tampering() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET body = replace(body, '7', '8') WHERE id ="
            " (SELECT event_pk FROM audit_leaf WHERE leaf_index = 77)"
        )

    with pytest.raises(WrongState, match="does not prove what it should"):
        archive(0)

    undo_tampering()
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("now", "months", "since"),
    [
        (datetime(2026, 11, 30, tzinfo=UTC), 36, datetime(2023, 11, 28, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), 18, datetime(2024, 7, 5, tzinfo=UTC)),
        (datetime(2026, 12, 5, tzinfo=UTC), 24, datetime(2024, 12, 5, tzinfo=UTC)),
    ],
)
def test_the_retention_time_counts_in_months(settings, now, months, since):
    settings.AUDIT_RETENTION_MONTHS = months

    with time_machine.travel(now, tick=False):
        assert kept_since() == since


def test_prune_segment_refuses_without_its_archive(sealer, two):
    segment = archived(sealer)
    prune = agreed(sealer, segment, two)
    sha256 = segment.archive_sha256
    name = f"{sha256[:2]}/{sha256}"
    with default_storage.open(name) as stored:
        whole = stored.read()
    default_storage.delete(name)

    with after_the_grace(), pytest.raises(WrongState, match="does not prove"):
        actions.prune_segment(prune=prune, by=service_account())

    default_storage.save(name, io.BytesIO(whole.replace(b"ARCHIVE", b"ARCHIWE")))
    with after_the_grace(), pytest.raises(WrongState, match="does not prove"):
        actions.prune_segment(prune=prune, by=service_account())
    assert AuditEvent.objects.filter(leaf__leaf_index__lt=UNIT).count() == UNIT


def test_request_prune_waits_for_the_seal_of_the_archive(sealer, two):
    segment = archive(0)

    with nothing_recorded(), pytest.raises(WrongState, match="not sealed yet"):
        actions.request_prune(segment=segment, reason="x", by=two.administrator)


def test_a_removal_takes_two_people_in_two_roles(sealer, two):
    segment = archived(sealer)
    with nothing_recorded(), pytest.raises(Refused, match="Only an administrator"):
        actions.request_prune(segment=segment, reason="x", by=two.auditor)
    with nothing_recorded(), pytest.raises(Invalid):
        actions.request_prune(segment=segment, reason=" ", by=two.administrator)

    prune = actions.request_prune(segment=segment, reason="x", by=two.administrator)

    with nothing_recorded(), pytest.raises(WrongState, match="asked for already"):
        actions.request_prune(segment=segment, reason="x", by=two.administrator)
    with nothing_recorded(), pytest.raises(Refused, match="You asked for this"):
        actions.approve_prune(prune=prune, by=two.administrator)
    another = people.administrator("ada@agency.example")
    assert not rules.can_approve_prune(another, prune)


def test_who_holds_both_roles_does_not_agree_with_themselves(sealer, two):
    both = people.person(
        "both@agency.example", "Bo Th", agency_roles=["administrator", "auditor"]
    )
    prune = actions.request_prune(segment=archived(sealer), reason="x", by=both)

    with nothing_recorded(), pytest.raises(Refused, match="You asked for this"):
        actions.approve_prune(prune=prune, by=both)
    assert rules.can_approve_prune(two.auditor, prune)


def test_withdraw_prune_shows_the_events_again(sealer, two):
    prune = agreed(sealer, archived(sealer), two)
    hidden = AuditEvent.objects.visible_to(two.auditor).count()

    with one_event("audit.prune_withdrawn"):
        actions.withdraw_prune(prune=prune, reason="Inquiry", by=two.auditor)

    assert AuditEvent.objects.visible_to(two.auditor).count() == hidden + UNIT + 1
    prune.refresh_from_db()
    assert prune.status == PruneStatus.WITHDRAWN
    with nothing_recorded(), pytest.raises(WrongState):
        actions.withdraw_prune(prune=prune, reason="x", by=two.auditor)
    with after_the_grace(), pytest.raises(WrongState, match="Nobody agreed"):
        actions.prune_segment(prune=prune, by=service_account())


def test_what_is_agreed_to_be_removed_is_not_served_any_more(
    sealer, two, client_of, api_of
):
    event = AuditEvent.objects.get(leaf__leaf_index=100)
    address = f"/audit/events/{event.event_id}/"
    browser = client_of(two.auditor)
    assert browser.get(address).status_code == 200

    agreed(sealer, archived(sealer), two)

    answer = browser.get(address)
    assert answer.status_code == 410
    assert "ask an auditor for archive 0" in answer.content.decode()
    exported = AuditEvent.objects.exportable_by(two.auditor)
    assert not exported.filter(pk=event.pk).exists()


def test_a_removed_event_is_still_answered_for(sealer, two, client_of):
    event = AuditEvent.objects.get(leaf__leaf_index=100)
    pruned(sealer, two)

    gone = client_of(two.auditor).get(f"/audit/events/{event.event_id}/")
    unknown = client_of(two.auditor).get(f"/audit/events/{uuid4()}/")

    assert gone.status_code == 410
    assert unknown.status_code == 404
    assert Archived.status == 410


def test_every_kind_of_hold_covers_what_it_names(sealer, two):
    segment = archived(sealer)
    worker = service_account()
    covered = [
        {"kind": "trail"},
        {"kind": "person", "subject_id": worker.pk},
        {"kind": "object", "object_id": str(worker.pk)},
        {"kind": "person", "subject_id": two.auditor.pk},  # created in it
    ]
    for one in covered:
        hold = actions.place_hold(reason="Case 7", by=two.auditor, **one)
        assert hold.covered in holds.hold_on_segment(segment)
        with nothing_recorded(), pytest.raises(WrongState, match="A legal hold on"):
            actions.request_prune(segment=segment, reason="x", by=two.administrator)
        actions.lift_hold(hold=hold, reason="Closed", by=two.auditor)
        sealer.seal()
        assert holds.hold_on_segment(segment) == ""


def test_a_hold_covers_a_person_who_is_only_mentioned(committed, two, tmp_path):
    with years_ago(4), transaction.atomic():
        record_many(
            EventType.ACCOUNT_EDITED,
            entries=[
                Entry(None, None, {"who": personal(two.auditor), "n": n})
                for n in range(2 * UNIT)
            ],
            by=service_account(),
        )
    sealer = sealer_in(tmp_path)
    while sealer.seal():
        pass
    segment = archived(sealer, number=1)

    actions.place_hold(
        kind="person", subject_id=two.auditor.pk, reason="x", by=two.auditor
    )

    assert "A legal hold on a person" in holds.hold_on_segment(segment)


def test_holds_on_others_do_not_keep_a_segment(sealer, two):
    segment = archived(sealer)
    for one in (
        {"kind": "project", "subject_id": uuid4()},
        {"kind": "person", "subject_id": uuid4()},
        {"kind": "object", "object_id": "something else"},
    ):
        actions.place_hold(reason="Case 7", by=two.auditor, **one)

    assert holds.obstacle_to_pruning(segment) == ""
    assert rules.can_request_prune(two.administrator, segment)


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "nothing"},
        {"kind": "project"},
        {"kind": "person", "object_id": "7"},
        {"kind": "object"},
        {"kind": "object", "object_id": "a\0b"},
        {"kind": "trail", "object_id": "7"},
        {"kind": "trail", "reason": ""},
    ],
)
def test_place_hold_says_what_it_covers(db, wanted):
    by = people.person("aud@agency.example", agency_roles=["auditor"])

    with nothing_recorded(), pytest.raises(Invalid):
        actions.place_hold(**{"reason": "x", **wanted}, by=by)


def test_holds_are_placed_and_lifted_by_auditors(world):
    with nothing_recorded(), pytest.raises(Refused, match="Only an auditor"):
        actions.place_hold(kind="trail", reason="x", by=world.administrator)
    with one_event("audit.hold_placed") as placed:
        hold = actions.place_hold(kind="trail", reason="Case 7", by=world.auditor)
    with nothing_recorded(), pytest.raises(WrongState, match="held already"):
        actions.place_hold(kind="trail", reason="Case 7", by=world.auditor)
    with nothing_recorded(), pytest.raises(Refused):
        actions.lift_hold(hold=hold, reason="x", by=world.administrator)
    with one_event("audit.hold_lifted") as lifted:
        actions.lift_hold(hold=hold, reason="Closed", by=world.auditor)

    with nothing_recorded(), pytest.raises(WrongState, match="lifted already"):
        actions.lift_hold(hold=hold, reason="x", by=world.auditor)
    assert placed[0].changes == {"kind": "trail", "covered": ""}
    assert lifted[0].reason == "Closed"
    assert LegalHold.objects.active().count() == 0


def test_commands_archive_and_carry_out(sealer, two, capsys):
    call_command("archive_audit_segments")
    assert not Segment.objects.exists()  # none is complete
    prune = agreed(sealer, archived(sealer), two)

    with pytest.raises(CommandError, match="was not removed"):
        call_command("prune_audit_segments")
    assert "can be stopped until" in capsys.readouterr().err

    with after_the_grace():
        call_command("prune_audit_segments")
    assert "Removed segment 0" in capsys.readouterr().out
    prune.refresh_from_db()
    assert prune.status == PruneStatus.DONE
    with after_the_grace():
        call_command("prune_audit_segments")


def test_an_export_says_what_is_pruned(sealer, two, monkeypatch):
    monkeypatch.setattr(bundle, "SEGMENT_LEAVES", UNIT)
    segment = pruned(sealer, two)

    with zipfile.ZipFile(io.BytesIO(sealing.bundle())) as file:
        told = file.read("pruned.json").decode()
        names = file.namelist()

    assert f'"archive_sha256":"{segment.archive_sha256}"' in told
    assert f'"minimum_index":{UNIT}' in told
    assert "tile/0/000" not in names
    assert "tile/0/001" in names


def test_lines_describe_segments_with_and_without_archive(sealer, two):
    archived(sealer, number=0)

    waiting = queries.lines_without_archive(leaves=UNIT)
    known = queries.lines(Segment.objects.prefetch_related("prune_requests"))

    assert [(one.number, one.state) for one in waiting] == [(1, "Not archived")]
    assert waiting[0].first_at
    assert [(one.number, one.state, one.kind) for one in known] == [
        (0, "Archived", "success")
    ]


def test_download_archive_is_recorded(sealer, two, client_of, api_of):
    segment = archived(sealer)

    for answer in (
        client_of(two.auditor).get(f"/audit/segments/{segment.pk}/archive/"),
        api_of(two.auditor).get(f"/api/v1/audit/segments/{segment.pk}/archive"),
    ):
        content = b"".join(answer.streaming_content)
        assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    told = AuditEvent.objects.filter(type="audit.archive_downloaded")
    assert [event.channel for event in told.order_by("pk")] == ["web", "api"]


def test_happen_is_still_sealed_after_all(sealer, two):
    pruned(sealer, two)

    happen(3)

    assert sealer.seal() == 3


def test_pages_lead_from_asking_to_agreeing(sealer, two, client_of):
    segment = archived(sealer)
    administrator, auditor = client_of(two.administrator), client_of(two.auditor)
    address = segment.get_absolute_url()

    listed = auditor.get("/audit/segments/").content.decode()
    unasked = auditor.get(address).content.decode()
    empty = administrator.post(f"{address}request-prune/", {"reason": ""})
    asked = administrator.post(f"{address}request-prune/", {"reason": "Schedule <3>"})
    prune = segment.prune_requests.get()
    own = administrator.get(address).content.decode()
    agreed_to = auditor.post(f"/audit/prune-requests/{prune.pk}/approve/")
    after = auditor.get(address).content.decode()

    assert address in listed
    assert "Only an administrator can do this." in unasked
    assert empty.status_code == 422
    assert asked.status_code == agreed_to.status_code == 302
    assert "You asked for this, so somebody else must agree." in own
    assert "Schedule &lt;3&gt;" in own
    assert "prune_audit_segments" in after
    assert "Audrey Auditor" in after


def test_pages_stop_a_removal_with_a_reason(sealer, two, client_of):
    prune = agreed(sealer, archived(sealer), two)
    browser, address = client_of(two.auditor), f"/audit/prune-requests/{prune.pk}"

    empty = browser.post(f"{address}/withdraw/", {"reason": ""})
    stopped = browser.post(f"{address}/withdraw/", {"reason": "Inquiry"})

    assert empty.status_code == 422
    assert stopped.status_code == 302
    page = browser.get("/audit/segments/0/").content.decode()
    assert "Stopped" in page


def test_the_page_shows_what_was_removed(sealer, two, client_of):
    pruned(sealer, two)
    browser = client_of(two.auditor)

    listed = browser.get("/audit/segments/").content.decode()
    page = browser.get("/audit/segments/0/").content.decode()

    assert f"nothing is left before event {UNIT}" in listed
    assert "no longer in the portal" in page


def test_pages_place_and_lift_holds(world, client_of):
    browser = client_of(world.auditor)

    wrong = browser.post("/audit/holds/place/", {"kind": "person", "reason": "x"})
    nothing = browser.post("/audit/holds/place/", {"kind": "object", "reason": "x"})
    placed = browser.post(
        "/audit/holds/place/",
        {"kind": "project", "covered": str(world.project.pk), "reason": "Case <7>"},
    )
    hold = LegalHold.objects.get()
    page = browser.get("/audit/holds/").content.decode()
    empty = browser.post(f"/audit/holds/{hold.pk}/lift/", {"reason": ""})
    lifted = browser.post(f"/audit/holds/{hold.pk}/lift/", {"reason": "Closed"})

    assert wrong.status_code == nothing.status_code == empty.status_code == 422
    assert placed.status_code == lifted.status_code == 302
    assert "Case &lt;7&gt;" in page
    assert str(world.project.pk) in page
    assert "lifted by" in browser.get("/audit/holds/").content.decode()


def test_the_api_does_what_the_pages_do(sealer, two, api_of):
    segment = archived(sealer)
    administrator, auditor = api_of(two.administrator), api_of(two.auditor)
    address = "/api/v1/audit/segments"

    def post(program, path, data=None):
        return program.post(path, data or {}, content_type="application/json")

    listed = auditor.get(address).json()["results"]
    asked = post(administrator, f"{address}/0/request-prune", {"reason": "Schedule"})
    agreed_to = post(
        auditor, f"/api/v1/audit/prune-requests/{asked.json()['id']}/approve"
    )
    one = auditor.get(f"{address}/0").json()
    stopped = post(
        auditor,
        f"/api/v1/audit/prune-requests/{asked.json()['id']}/withdraw",
        {"reason": "Inquiry"},
    )
    hold = post(auditor, "/api/v1/audit/holds", {"kind": "trail", "reason": "Case"})
    held = auditor.get(f"{address}/0").json()
    lifted = post(
        auditor, f"/api/v1/audit/holds/{hold.json()['id']}/lift", {"reason": "Over"}
    )

    assert listed[0]["archive_sha256"] == segment.archive_sha256
    assert (asked.status_code, agreed_to.status_code) == (201, 200)
    assert one["state"] == "To be pruned"
    assert stopped.json()["status"] == "withdrawn"
    assert "legal hold" in held["obstacle"]
    assert lifted.json()["lifted_by_id"] == str(two.auditor.pk)
    assert auditor.get("/api/v1/audit/holds").json()["results"]
