"""Waivers: signed by an AI official, for a time, reported, and what rests on them."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.accounts.actions import WrongPassword
from apps.approvals import actions, exception_queries
from apps.approvals.actions.waivers import NewWaiver
from apps.approvals.models import (
    ApprovalStatus,
    Reported,
    Waiver,
    WaiverRevocation,
    forget_exceptional_signer,
)
from apps.approvals.records import digest_of
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import review_approvals
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from apps.notices.models import Notice
from apps.projects.actions import add_member, edit_project
from tests.factories import approvals, exceptions
from tests.factories.people import PASSWORD, person
from tests.guards import past_the_guards

TODAY = timezone.localdate()


def aged(waiver: Waiver, *, signed: int = 0, left: int | None = None) -> Waiver:
    """Let a waiver be signed so many days ago, or have so many days left."""
    with past_the_guards():
        mine = Waiver.objects.filter(pk=waiver.pk)
        if signed:
            mine.update(signed_at=timezone.now() - timedelta(days=signed))
        if left is not None:
            mine.update(expires_on=TODAY + timedelta(days=left))
    return Waiver.objects.with_story().get(pk=waiver.pk)


def revoke(waiver, by, reason: str = "The ground fell away.") -> Waiver:
    return actions.revoke_waiver(waiver=waiver, reason=reason, password=PASSWORD, by=by)


def report(waiver, by, what=Reported.GRANTING, **wish):
    said = {"reported_on": TODAY, "reference": "OMB-7", **wish}
    return actions.report_waiver(waiver=waiver, what=what, **said, by=by)


def kinds(person) -> list[str]:
    told = Notice.objects.filter(recipient=person).order_by("pk")
    return [kind for kind in told.values_list("kind", flat=True) if "waiver" in kind]


def test_grant_waiver_is_a_signature_that_nobody_edits(world):
    waiver = exceptions.waiver(world, "human_training", "public_feedback")

    said = json.loads(waiver.record)
    assert said["practices"] == ["human_training", "public_feedback"]
    assert said["meaning"] == "Waived practice"
    assert said["signer"]["name"] == "Ai Official"
    assert digest_of(waiver.record) == waiver.record_sha256
    event = AuditEvent.objects.latest("pk")
    assert event.type == "waiver.granted"
    assert event.changes["record_sha256"] == waiver.record_sha256
    assert waiver.report_due_on == TODAY + timedelta(days=30)
    assert kinds(world.validator) == ["waiver.granted"]
    for change in (lambda: Waiver.objects.update(finding="Another."), waiver.delete):
        with pytest.raises(DatabaseError, match="stay as they"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "who", ["program_manager", "validator", "auditor", "administrator", "outsider"]
)
def test_only_an_ai_official_waives(world, who):
    exceptions.high(world)
    with pytest.raises(Refused):
        exceptions.waiver(world, by=getattr(world, who))
    assert not Waiver.objects.exists()


def test_neither_an_administrator_nor_a_maker_waives(world):
    both = person(
        "both@agency.example", "Bo Th", agency_roles=["ai_official", "administrator"]
    )
    with pytest.raises(Refused, match="can never sign"):
        exceptions.waiver(world, by=both)
    version = approvals.validated_version(world)
    world.data_scientist.agency_roles = ["ai_official"]
    world.data_scientist.save()
    with pytest.raises(Refused, match=r"in this project, so another AI official"):
        exceptions.waiver(world, by=world.data_scientist)
    assert version.registered_by == world.data_scientist


def test_a_waiver_needs_a_high_impact_use_and_the_password(world):
    wish = NewWaiver(["human_training"], "raises_risk", "F.", "S.", TODAY)
    wanted = {"project": world.project, "waiver": wish, "by": world.ai_official}
    with pytest.raises(WrongState, match="not determined to be high-impact"):
        actions.grant_waiver(**wanted, password=PASSWORD)
    exceptions.high(world)
    with pytest.raises(WrongPassword):
        actions.grant_waiver(**wanted, password="another")


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"practices": []}, "practices"),
        ({"practices": ["other"]}, "practices"),
        ({"ground": "costs"}, "ground"),
        ({"finding": " "}, "finding"),
        ({"public_summary": ""}, "public_summary"),
        ({"expires_on": TODAY - timedelta(days=1)}, "expires_on"),
        ({"expires_on": TODAY + timedelta(days=366)}, "expires_on"),
    ],
)
def test_grant_waiver_refuses_what_is_no_waiver(world, wish, field):
    exceptions.high(world)
    said = {
        "practices": ["human_training"],
        "ground": "raises_risk",
        "finding": "F.",
        "public_summary": "S.",
        "expires_on": TODAY,
        **wish,
    }
    with pytest.raises(Invalid) as error:
        actions.grant_waiver(
            project=world.project,
            waiver=NewWaiver(**said),
            password=PASSWORD,
            by=world.ai_official,
        )
    assert list(error.value.fields) == [field]


def test_a_practice_is_not_waived_twice_for_the_same_days(world):
    exceptions.waiver(world, days=100)
    with pytest.raises(Invalid, match="Waived for as long already: remedies"):
        exceptions.waiver(world, days=100)

    exceptions.waiver(world, days=200)

    assert Waiver.objects.active().count() == 2


def test_revoking_is_a_record_of_its_own_and_ends_serving_at_once(world):
    approval = exceptions.approved(world)
    assert serving_decision(approval.version)
    waiver = Waiver.objects.get()

    ended = revoke(waiver, world.ai_official)

    assert ended.standing == "revoked"
    said = json.loads(WaiverRevocation.objects.get().record)
    assert said["waiver_sha256"] == waiver.record_sha256
    assert AuditEvent.objects.latest("pk").type == "waiver.revoked"
    reason = serving_decision(approval.version).reason
    assert "rests on a waiver that does not count any more: remedies or" in reason
    review_approvals()
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.STALE
    assert "remedies or appeals" in approval.status_reason
    with pytest.raises(WrongState, match="revoked already"):
        revoke(waiver, world.ai_official)
    assert "waiver.revoked" in kinds(world.program_manager)


def test_what_rests_on_a_waiver_ends_with_its_day(world):
    approval = exceptions.approved(world)
    waiver = Waiver.objects.with_story().get()
    with time_machine.travel(timezone.now() + timedelta(days=100)):
        assert serving_decision(approval.version)

    with time_machine.travel(timezone.now() + timedelta(days=101)):
        reason = serving_decision(approval.version).reason
        assert "does not count any more" in reason
        review_approvals()
        with pytest.raises(WrongState, match="over already"):
            revoke(waiver, world.ai_official)

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.STALE
    assert "waiver.ended" in kinds(world.program_manager)


def test_a_waiver_that_was_altered_makes_the_approval_stale(world):
    approval = exceptions.approved(world)

    aged(Waiver.objects.get(), left=300)

    assert "(remedies or appeals) changed" in serving_decision(approval.version).reason


def test_a_new_waiver_leaves_what_was_signed_alone(world):
    approval = exceptions.approved(world)

    exceptions.waiver(world, days=300)

    assert serving_decision(approval.version)


def test_granting_and_revoking_are_reported_each(world, client_of):
    waiver = exceptions.waiver(world)
    with pytest.raises(WrongState, match="not revoked, so there is nothing"):
        report(waiver, world.ai_official, Reported.REVOKING)
    with pytest.raises(Refused):
        report(waiver, world.auditor)
    with pytest.raises(Invalid, match="Give a day from"):
        report(waiver, world.ai_official, reported_on=TODAY - timedelta(days=1))
    with pytest.raises(Invalid, match="number or address"):
        report(waiver, world.ai_official, reference=" ")

    report(waiver, world.ai_official)

    event = AuditEvent.objects.latest("pk")
    assert (event.type, event.changes["reference"]) == ("waiver.reported", "OMB-7")
    with pytest.raises(WrongState, match="reported already"):
        report(waiver, world.ai_official)
    revoke(waiver, world.ai_official)
    counts = exception_queries.waiver_counts(Waiver.objects.all())
    assert (counts["to_report"], counts["overdue"]) == (1, 0)
    report(waiver, world.ai_official, Reported.REVOKING, reference="OMB-8")
    page = client_of(world.auditor).get(waiver.get_absolute_url()).text
    assert "OMB-7" in page
    assert "OMB-8" in page
    assert not Waiver.objects.to_report().exists()


def test_the_clock_reminds_of_reports_and_ends_once(world, client_of):
    waiver = exceptions.waiver(world, days=100)
    review_approvals()
    assert kinds(world.ai_official) == ["waiver.report_due"]

    aged(waiver, signed=31, left=10)
    review_approvals()
    review_approvals()

    assert kinds(world.ai_official) == [
        *("waiver.report_due", "waiver.report_overdue", "waiver.ends_soon")
    ]
    assert "waiver.ends_soon" in kinds(world.data_scientist)
    page = client_of(world.ai_official).get("/waivers/").text
    assert "overdue since" in page
    counts = exception_queries.waiver_counts(Waiver.objects.all())
    assert counts == {"active": 1, "ending_soon": 1, "to_report": 1, "overdue": 1}
    with pytest.raises(Refused):
        actions.remind_of_waiver(waiver=waiver, by=world.ai_official)


def test_the_public_summary_is_safe_for_spreadsheets(world, client_of, api_of):
    edit_project(
        project=world.project,
        values={"name": "=HYPERLINK(1)"},
        by=world.program_manager,
    )
    world.project.refresh_from_db()
    exceptions.waiver(world, "human_training", "public_feedback")
    over = exceptions.waiver(world, "remedies_or_appeals")
    aged(over, left=-1)

    answer = client_of(world.auditor).get("/waivers/public-summary.csv")

    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[1][0] == "'=HYPERLINK(1)"
    assert rows[1][1] == "Ensure Adequate Human Training and Assessment"
    assert rows[1][2].startswith("Agency CAIO has waived")
    listed = api_of(world.auditor).get("/api/v1/waivers/public-summary.json").json()
    assert [one["use_case"] for one in listed["waivers"]] == ["=HYPERLINK(1)"] * 2
    assert date.fromisoformat(listed["waivers"][0]["expires_on"]) > TODAY
    missing = client_of(world.auditor).get("/waivers/public-summary.exe")
    assert missing.status_code == 404


def test_only_what_one_may_see_is_listed(world, client_of, api_of):
    exceptions.waiver(world)

    assert "Inspection" in client_of(world.developer).get("/waivers/").text
    assert "No waivers" in client_of(world.outsider).get("/waivers/").text
    assert api_of(world.outsider).get("/api/v1/waivers").json()["results"] == []
    counts = api_of(world.outsider).get("/api/v1/waivers/counts").json()
    assert counts["active"] == 0


def test_the_pages_grant_and_revoke(world, client_of):
    exceptions.high(world)
    client = client_of(world.ai_official)
    address = f"/projects/{world.project.slug}/waivers/"
    wish = {
        "practices": ["human_training"],
        "ground": "raises_risk",
        "finding": "Training would delay warnings.",
        "public_summary": "Training would delay warnings.",
        "expires_on": (TODAY + timedelta(days=30)).isoformat(),
        "intent": "on",
        "password": "another",
    }
    wrong = client.post(address, wish)
    assert wrong.status_code == 422
    assert "The password is not right" in wrong.text
    assert client.post(address, {**wish, "password": PASSWORD}).status_code == 302
    page = Waiver.objects.get().get_absolute_url()
    assert "Training would delay warnings." in client.get(page).text
    faulty = client.post(f"{page}revoke/", {"comment": "", "password": PASSWORD})
    assert faulty.status_code == 422
    sent = {"comment": "Trained now.", "password": PASSWORD}
    assert client.post(f"{page}revoke/", sent).status_code == 302
    assert "Trained now." in client.get(page).text
    assert "revoked already" in client.get(page).text
    late = client.post(f"{page}report/", {"what": "granting", "reported_on": "never"})
    assert late.status_code == 422


def test_a_signer_can_be_forgotten_only_after_the_end(world):
    waiver = exceptions.waiver(world)
    (duty,) = exception_queries.exceptions_in_force(world.ai_official)
    assert "is in force" in duty
    revoke(waiver, world.ai_official)
    assert not exception_queries.exceptions_in_force(world.ai_official)
    world.ai_official.full_name = "Somebody"

    forget_exceptional_signer(world.ai_official)

    waiver.refresh_from_db()
    assert (waiver.signer_name, waiver.record) == ("Somebody", "")
    assert waiver.record_sha256
    assert WaiverRevocation.objects.get().record == ""


def test_a_member_who_is_no_maker_may_be_an_ai_official(world):
    official = person("second@ai.example", "Sec Ai", agency_roles=["ai_official"])
    add_member(
        project=world.project,
        person=official,
        role="developer",
        by=world.program_manager,
    )
    assert exceptions.waiver(world, by=official).signer == official
