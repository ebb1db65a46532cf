"""Emergency approvals: serve at once, are confirmed by two others, and soon over."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.actions import WrongPassword
from apps.approvals import actions, exception_queries, rules
from apps.approvals.models import (
    EMERGENCY_TRANSITIONS,
    EmergencyApproval,
    EmergencySignature,
    EmergencyStatus,
    forget_exceptional_signer,
)
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import review_approvals
from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, PortalError, Refused, WrongState
from apps.notices.models import Notice
from apps.projects.actions import add_member
from apps.registry.models import Alias, ModelCard, ModelVersion, VersionState
from tests.factories import (
    approvals,
    exceptions,
    people,
    policies,
    registry,
    validation,
)
from tests.factories.people import PASSWORD


def after(**passed) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**passed))


def end(emergency, by, reason: str = "The storm is over."):
    return actions.end_emergency(
        emergency=emergency, reason=reason, password=PASSWORD, by=by
    )


def kinds(person) -> list[str]:
    told = Notice.objects.filter(recipient=person, kind__startswith="emergency")
    return list(told.order_by("pk").values_list("kind", flat=True))


def test_declare_emergency_serves_at_once_and_moves_nothing(world):
    version = approvals.validated_version(world)

    emergency = exceptions.emergency(world, version)

    assert serving_decision(version)
    version.refresh_from_db()
    assert version.state == VersionState.VALIDATED
    assert not Alias.objects.exists()
    (given,) = emergency.signatures.all()
    said = json.loads(given.record)
    assert said["evidence_digest"] == canonical_digest(said["evidence"])
    assert said["emergency"]["reason"] == "The old model fails in the storm."
    event = AuditEvent.objects.latest("pk")
    assert event.type == "emergency.declared"
    assert event.changes["record_sha256"] == given.record_sha256
    for one in (world.validator, world.operations_manager, world.ai_official):
        assert kinds(one) == ["emergency.to_confirm"]
    for one in (world.data_scientist, world.developer, world.auditor):
        assert kinds(one) == ["emergency.declared"]
    assert not kinds(world.program_manager)


def test_two_others_let_it_stand_until_its_own_limit(world):
    emergency = exceptions.emergency(world)
    exceptions.confirm(emergency, world.validator)
    assert emergency.status == EmergencyStatus.DECLARED
    with pytest.raises(Refused, match="You confirmed it, so somebody else"):
        exceptions.confirm(emergency, world.validator)

    exceptions.confirm(emergency, world.ai_official)

    assert emergency.status == EmergencyStatus.CONFIRMED
    assert AuditEvent.objects.latest("pk").type == "emergency.confirmed"
    assert kinds(world.developer)[-1] == "emergency.confirmed"
    with after(hours=25):
        review_approvals()
        assert serving_decision(emergency.version)
    with after(days=30):
        assert "It was given until this" in serving_decision(emergency.version).reason
        review_approvals()
        emergency.refresh_from_db()
        assert emergency.status == EmergencyStatus.EXPIRED
        assert not serving_decision(emergency.version)
    with pytest.raises(WrongState, match="is expired"):
        exceptions.confirm(emergency, world.operations_manager)


def test_unconfirmed_it_lapses_at_its_hour_even_before_the_clock(world):
    emergency = exceptions.emergency(world, hours=3)
    exceptions.confirm(emergency, world.validator)
    with after(hours=2, minutes=30):
        review_approvals()
        review_approvals()
        assert kinds(world.ai_official).count("emergency.lapses_soon") == 1
        assert kinds(world.validator).count("emergency.lapses_soon") == 0
        assert serving_decision(emergency.version)
    with after(hours=3):
        reason = serving_decision(emergency.version).reason
        assert "Not confirmed in time: 1 of 2 confirmations." in reason
        with pytest.raises(WrongState, match="is over"):
            exceptions.confirm(emergency, world.ai_official)
        review_approvals()

    emergency.refresh_from_db()
    assert emergency.status == EmergencyStatus.LAPSED
    assert AuditEvent.objects.latest("pk").type == "emergency.lapsed"
    assert kinds(world.data_scientist)[-1] == "emergency.over"


def test_no_second_emergency_keeps_a_version_going(world):
    emergency = exceptions.emergency(world)
    version = emergency.version
    with pytest.raises(WrongState, match="is in force"):
        exceptions.emergency(world, version)
    end(emergency, world.validator)
    with pytest.raises(WrongState, match="within 90 days"):
        exceptions.emergency(world, version)

    with after(days=91):
        assert exceptions.emergency(world, version).is_in_force


@pytest.mark.parametrize("name", ["damage", "other"])
def test_the_same_files_under_another_number_or_name_have_no_second_one(world, name):
    emergency = exceptions.emergency(world)
    end(emergency, world.validator)
    copy = approvals.validated_version(world, name)

    with pytest.raises(WrongState, match="within 90 days"):
        exceptions.emergency(world, copy)


def test_a_copy_goes_past_no_decision_against_its_files(world):
    approvals.rejected(world)
    copy = approvals.validated_version(world)

    with pytest.raises(WrongState, match="with these files was rejected"):
        exceptions.emergency(world, copy)


@pytest.mark.parametrize(
    "who", ["data_scientist", "validator", "operations_manager", "ai_official"]
)
def test_only_a_program_manager_declares(world, who):
    version = approvals.validated_version(world)
    with pytest.raises(Refused):
        exceptions.emergency(world, version, by=getattr(world, who))
    assert not EmergencyApproval.objects.exists()


def manager(world, name: str = "maker"):
    person = people.person(f"{name}@agency.example", name.title())
    add_member(
        project=world.project,
        person=person,
        role="program_manager",
        by=world.program_manager,
    )
    return person


def test_makers_and_administrators_neither_declare_nor_confirm(world):
    version = approvals.validated_version(world)
    maker, other = manager(world), manager(world, "other")
    ModelVersion.objects.filter(pk=version.pk).update(registered_by=maker)
    exceptions.state(version, other)
    admin = people.person("ad@agency.example", agency_roles=["administrator"])
    add_member(
        project=world.project,
        person=admin,
        role="program_manager",
        by=world.program_manager,
    )
    barred = ((maker, "registered it"), (other, "stated its"), (admin, "never sign"))
    for person, sentence in barred:
        with pytest.raises(Refused, match=sentence):
            exceptions.emergency(world, version, by=person)

    emergency = exceptions.emergency(world, version)

    for person, sentence in barred:
        with pytest.raises(Refused, match=sentence):
            exceptions.confirm(emergency, person)
    with pytest.raises(Refused, match="You gave it, so somebody else"):
        exceptions.confirm(emergency, world.program_manager)
    able = {one for one, may in rules.emergency_rules.confirmers(emergency) if may}
    assert able == {world.validator, world.operations_manager, world.ai_official}


def test_an_emergency_takes_the_place_of_signatures_not_of_evidence(world):
    version = approvals.validated_version(world)
    emergency = exceptions.emergency(world, version)
    found = validation.finding(
        version, world.validator, world.data_scientist, severity="blocking"
    )

    reason = serving_decision(version).reason
    assert f"does not count now. Finding {found.number} blocks" in reason
    with pytest.raises(WrongState, match="blocks the approval"):
        exceptions.confirm(emergency, world.ai_official)


def test_no_emergency_without_evidence(world):
    failed = approvals.validated_version(world, "failed")
    validation.finished_report(failed, world.validator, "fail")
    with pytest.raises(WrongState, match="did not pass"):
        exceptions.emergency(world, failed)
    other = approvals.validated_version(world, "other")
    validation.finding(
        other, world.validator, world.data_scientist, severity="blocking"
    )
    with pytest.raises(WrongState, match="blocks the approval"):
        exceptions.emergency(world, other)


def test_a_report_that_fails_later_stops_serving(world):
    emergency = exceptions.emergency(world)

    validation.finished_report(emergency.version, world.validator, "fail")

    assert "did not pass" in serving_decision(emergency.version).reason


def test_nobody_goes_past_a_decision_against_the_version(world):
    with pytest.raises(WrongState, match="was rejected"):
        exceptions.emergency(world, approvals.rejected(world).version)
    approved = approvals.approved(world, "second")
    with pytest.raises(WrongState, match="approved already"):
        exceptions.emergency(world, approved.version)
    actions.revoke_approval(
        approval=approved, reason="Drift.", password=PASSWORD, by=world.validator
    )
    approved.version.refresh_from_db()
    with pytest.raises(WrongState, match="ended by a person"):
        exceptions.emergency(world, approved.version)


def test_one_altered_byte_ends_it(world):
    emergency = exceptions.emergency(world)
    ModelCard.objects.filter(version=emergency.version).update(limitations="None.")

    assert "model card changed" in serving_decision(emergency.version).reason
    review_approvals()

    emergency.refresh_from_db()
    assert emergency.status == EmergencyStatus.STALE
    assert [part["part"] for part in emergency.moved] == ["card"]
    assert AuditEvent.objects.latest("pk").type == "emergency.stale"


def test_the_ordinary_decision_ends_it(world):
    version = approvals.validated_version(world)
    emergency = exceptions.emergency(world, version)
    approval = approvals.request(world, version)
    assert serving_decision(version)

    approvals.sign(
        approval, world.validator, world.operations_manager, world.program_manager
    )

    emergency.refresh_from_db()
    assert emergency.status == EmergencyStatus.ENDED
    assert "approved in the ordinary way" in emergency.status_reason
    assert serving_decision(version)
    actions.revoke_approval(
        approval=approval, reason="Drift.", password=PASSWORD, by=world.validator
    )
    assert not serving_decision(version)


def test_a_rejection_ends_it(world):
    version = approvals.validated_version(world)
    exceptions.emergency(world, version)
    approval = approvals.request(world, version)

    actions.reject(
        approval=approval, comment="No.", password=PASSWORD, by=world.validator
    )

    assert EmergencyApproval.objects.get().status == EmergencyStatus.ENDED
    assert "is rejected" in serving_decision(version).reason


def test_it_says_which_practices_it_goes_past(world):
    version = exceptions.high_version(world, but=("human_training",))

    emergency = exceptions.emergency(world, version)

    assert emergency.unmet_practices == ["human_training"]
    said = json.loads(emergency.signatures.get().record)
    assert said["emergency"]["unmet_practices"] == ["human_training"]
    exceptions.state(version, world.data_scientist)
    assert serving_decision(version), "catching up ends no emergency"


@pytest.mark.parametrize("hours", [0, 73])
def test_its_hours_are_few(world, hours):
    with pytest.raises(Invalid, match="1 to 72 hours"):
        exceptions.emergency(world, hours=hours)


def test_signatures_need_words_and_the_password_and_stay(world):
    emergency = exceptions.emergency(world)
    wanted = {"emergency": emergency, "by": world.validator}
    with pytest.raises(WrongPassword):
        actions.confirm_emergency(**wanted, comment="Yes.", password="another")
    with pytest.raises(Invalid, match="on what you confirm"):
        actions.confirm_emergency(**wanted, comment=" ", password=PASSWORD)
    with pytest.raises(Invalid, match="why it must end"):
        end(emergency, world.validator, reason="")
    with pytest.raises(Refused):
        end(emergency, world.developer)
    with pytest.raises(DatabaseError, match="stay as they were"), transaction.atomic():
        EmergencySignature.objects.update(comment="Another.")
    end(emergency, world.program_manager)
    with pytest.raises(WrongState, match="is ended"):
        end(emergency, world.program_manager)


def test_only_a_worker_moves_it_by_the_clock(world):
    emergency = exceptions.emergency(world)
    with pytest.raises(Refused):
        actions.review_emergency(emergency=emergency, by=world.program_manager)


def test_every_state_is_in_the_table():
    assert set(EMERGENCY_TRANSITIONS) == set(EmergencyStatus)
    assert "approved" not in EmergencyStatus.values


def test_eight_at_once_give_no_more_confirmations_than_are_needed(committed, world):
    emergency = exceptions.emergency(world)
    crowd = [manager(world, f"m{place}") for place in range(8)]
    start = Barrier(8)

    def run(person) -> str:
        try:
            start.wait(timeout=60)
            exceptions.confirm(emergency, person)
        except PortalError as error:
            return error.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(run, crowd))

    assert outcomes.count("done") == 2
    assert EmergencySignature.objects.filter(meaning="confirms").count() == 2


def test_the_pages_declare_confirm_and_end(world, client_of):
    version = approvals.validated_version(world)
    client = client_of(world.program_manager)
    address = (
        f"/projects/{world.project.slug}/models/{version.model.name}/versions/"
        f"{version.number}/declare-emergency/"
    )
    assert address in client.get(version.get_absolute_url()).text
    assert "two other people" in client.get(address).text.lower()
    wish = {"comment": "A storm.", "hours": "5", "intent": "on", "password": "another"}
    assert client.post(address, wish).status_code == 422
    assert client.post(address, {**wish, "password": PASSWORD}).status_code == 302
    page = EmergencyApproval.objects.get().get_absolute_url()
    assert "Who can confirm it" in client.get(page).text
    assert page in client.get(version.get_absolute_url()).text
    assert client.get(address).status_code == 409

    signer = client_of(world.validator)
    yes = {"comment": "I saw it.", "intent": "on", "password": PASSWORD}
    faulty = signer.post(f"{page}confirm/", {**yes, "password": "another"})
    assert faulty.status_code == 422
    assert signer.post(f"{page}confirm/", yes).status_code == 302
    faulty = signer.post(f"{page}end/", {"comment": "", "password": PASSWORD})
    assert faulty.status_code == 422
    sent = {"comment": "Calm again.", "password": PASSWORD}
    assert signer.post(f"{page}end/", sent).status_code == 302
    assert "Calm again." in signer.get(page).text
    listed = signer.get(f"/projects/{world.project.slug}/emergencies/").text
    assert "A storm." in listed


def test_the_page_says_why_it_does_not_serve(world, client_of):
    version = exceptions.high_version(world, but=("human_training",))
    emergency = exceptions.emergency(world, version)
    validation.finding(
        version, world.validator, world.data_scientist, severity="blocking"
    )

    page = client_of(world.auditor).get(emergency.get_absolute_url()).text

    assert "It does not serve now" in page
    assert "blocks the approval" in page
    assert "Ensure Adequate Human Training and Assessment" in page


def test_a_signer_can_be_forgotten_only_after_the_end(world):
    emergency = exceptions.emergency(world)
    sentence = exception_queries.exceptions_in_force(world.program_manager)
    assert sentence == [f"The {emergency} that they signed is in force."]

    end(emergency, world.validator)

    assert not exception_queries.exceptions_in_force(world.program_manager)
    forget_exceptional_signer(world.program_manager)
    assert emergency.signatures.get(meaning="declares").record == ""


def test_the_terms_are_a_policy_that_an_agency_can_change(world):
    before = exceptions.emergency(world)
    policies.enacted(
        world,
        policies.text(
            ("most_hours: 72", "most_hours: 12"),
            ("confirmations: 2", "confirmations: 3"),
            name="emergency",
        ),
        name="emergency",
    )
    other = registry.with_file(approvals.validated_version(world, "other"), "o.txt")
    with pytest.raises(Invalid, match="Give 1 to 12 hours"):
        exceptions.emergency(world, other, hours=24)

    later = exceptions.emergency(world, other, hours=12)

    assert (before.policy["confirmations"], later.policy["confirmations"]) == (2, 3)
    exceptions.confirm(later, world.validator, world.ai_official)
    assert later.status == EmergencyStatus.DECLARED
    exceptions.confirm(later, world.operations_manager)
    assert later.status == EmergencyStatus.CONFIRMED
    exceptions.confirm(before, world.validator, world.ai_official)
    assert before.status == EmergencyStatus.CONFIRMED


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("confirmations: 2", "confirmations: 1", "Line 9: confirmations must be 2 to"),
        ("most_hours: 72", "most_hours: 999", "Line 7: most_hours must be 1 to 168"),
        ("quiet_days: 90", "stages: []", "stages is not a known field"),
    ],
)
def test_terms_that_cannot_be_are_refused(world, before, after, sentence):
    text = policies.text((before, after), name="emergency")

    with pytest.raises(Invalid, match=sentence):
        policies.written(world, text, name="emergency")


def test_terms_of_emergencies_have_a_page_and_no_rehearsal(world, client_of, api_of):
    version = policies.written(world, name="emergency")
    place = [version.name, version.number]
    browser = client_of(world.ai_official)

    page = browser.get(version.get_absolute_url()).text
    refused = api_of(world.ai_official).get(reverse("v1:rehearse_policy", args=place))

    assert "confirmed by 2 others" in page
    assert "Rehearse on past requests" not in page
    assert refused.status_code == 422
    assert "no stages to rehearse" in refused.json()["message"]
    assert browser.get(reverse("approvals:policies")).status_code == 200
