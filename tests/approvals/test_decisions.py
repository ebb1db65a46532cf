"""What else a signature can say, how it is taken back, and who signs for whom."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from apps.approvals import actions, queries, rules
from apps.approvals.models import (
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    NewCondition,
    SignOff,
    Stage,
)
from apps.approvals.serving import serving_decision
from apps.approvals.tasks import review_approvals
from apps.approvals.waiting import waiting_for
from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, PortalError, Refused, WrongState
from apps.datasets.models import DatasetVersion
from apps.projects.actions import access, add_member
from apps.registry.models import ModelCard, ModelVersion, VersionState
from apps.validation.models import ValidationPlan, ValidationReport
from tests.factories import approvals, people, validation
from tests.factories.people import PASSWORD
from tests.guards import past_the_guards


def newest_facts() -> dict:
    return AuditEvent.objects.latest("pk").changes


def member(world, name: str, role: str):
    person = people.person(f"{name}@agency.example", name.title())
    add_member(
        project=world.project, person=person, role=role, by=world.program_manager
    )
    return person


def condition(owner, days: int = 30, text: str = "Retrain on winter data."):
    return NewCondition(text, owner, timezone.localdate() + timedelta(days=days))


def sign(approval, by, **given):
    given = {"comment": "Fine.", "password": PASSWORD, **given}
    return actions.sign_off(approval=approval, by=by, **given)


def test_changes_asked_for_open_the_version_again(world):
    approval = approvals.request(world)

    given = actions.request_changes(
        approval=approval,
        comment="Say who checks the answers.",
        password=PASSWORD,
        by=world.validator,
    )

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.CHANGES_REQUESTED
    assert approval.version.state == VersionState.VALIDATED
    assert given.meaning == "Reviewed"
    assert AuditEvent.objects.latest("pk").type == "approval.sent_back"
    again = approvals.request(world, approval.version)
    assert again.follows == approval


def test_changes_need_words(world):
    with pytest.raises(Invalid, match="Say what must change"):
        actions.request_changes(
            approval=approvals.request(world),
            comment=" ",
            password=PASSWORD,
            by=world.validator,
        )
    assert not SignOff.objects.exists()


def test_conditions_are_kept_and_sealed_with_the_signature(world):
    approval = approvals.request(world)

    given = sign(
        approval, world.validator, conditions=[condition(world.data_scientist)]
    )

    assert given.decision == "approve_with_conditions"
    assert Condition.objects.of(approval).get().owner == world.data_scientist
    facts = json.loads(given.record)
    assert facts["conditions"][0]["text"] == "Retrain on winter data."
    assert approval.stages.earliest("position").completed_at


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"days": -1}, "must fall due between today and"),
        ({"days": 400}, "must fall due between today and"),
        ({"text": " "}, "Say what must be done"),
    ],
)
def test_conditions_nobody_can_keep_are_refused(world, change, said):
    approval = approvals.request(world)
    with pytest.raises(Invalid, match=said):
        sign(
            approval,
            world.validator,
            conditions=[condition(world.data_scientist, **change)],
        )
    assert not SignOff.objects.exists()


def test_a_condition_is_laid_only_on_who_sees_the_model(world):
    approval = approvals.request(world)
    access.restrict(thing=approval.version.model, by=world.program_manager)
    access.grant(
        thing=approval.version.model, person=world.validator, by=world.program_manager
    )
    with pytest.raises(Invalid, match="cannot see"):
        sign(
            approval,
            world.validator,
            conditions=[condition(world.operations_manager)],
        )
    with pytest.raises(Invalid, match="no active member"):
        sign(approval, world.validator, conditions=[condition(world.outsider)])


def test_the_trail_holds_the_digest_of_the_signed_record(world):
    approval = approvals.request(world)

    given = sign(approval, world.validator)

    digest = hashlib.sha256(given.record.encode()).hexdigest()
    assert given.record_sha256 == digest
    assert newest_facts()["record_sha256"] == digest
    facts = json.loads(given.record)
    assert facts["evidence_digest"] == approval.evidence_digest
    assert facts["signer"]["name"] == world.validator.full_name
    assert facts["signer"]["roles"] == ["validator"]
    assert facts["meaning"] == "Independently validated"
    assert facts["signed_at"] == given.signed_at.isoformat()


def test_a_signature_taken_back_stays_and_opens_its_stage(world):
    approval = approvals.request(world)
    given = sign(approval, world.validator)

    taken = actions.withdraw_sign_off(
        sign_off=given, reason="Wrong data.", password=PASSWORD, by=world.validator
    )

    assert SignOff.objects.get() == given
    assert queries.open_stages(approval)[0].position == 1
    assert newest_facts()["record_sha256"] == taken.record_sha256
    with pytest.raises(Refused, match="signed the stage"):
        sign(approval, world.validator)
    other = member(world, "vera", "validator")
    approvals.sign(approval, other, world.operations_manager, world.program_manager)
    assert approval.status == ApprovalStatus.APPROVED


def test_only_the_signer_takes_a_signature_back_and_only_in_review(world):
    approval = approvals.request(world)
    given = sign(approval, world.validator)
    with pytest.raises(Refused, match="can take this signature back"):
        actions.withdraw_sign_off(
            sign_off=given, reason="No.", password=PASSWORD, by=world.program_manager
        )
    approvals.sign(approval, world.operations_manager, world.program_manager)
    with pytest.raises(WrongState, match="approved and closed"):
        actions.withdraw_sign_off(
            sign_off=given, reason="No.", password=PASSWORD, by=world.validator
        )


def test_an_ended_approval_does_not_serve_and_can_be_asked_for_anew(world):
    approval = approvals.approved(world)
    version = approval.version
    assert serving_decision(version)

    actions.revoke_approval(
        approval=approval,
        reason="Incident 7.",
        password=PASSWORD,
        by=world.program_manager,
    )

    version.refresh_from_db()
    assert version.state == VersionState.SUSPENDED
    assert "Incident 7." in serving_decision(version).reason
    with pytest.raises(WrongState, match="is suspended"):
        approvals.request(world, version)
    validation.finished_report(version, world.validator)
    version.refresh_from_db()
    assert approvals.request(world, version).follows == approval


@pytest.mark.parametrize("who", ["data_scientist", "developer", "auditor"])
def test_who_cannot_sign_cannot_end_an_approval(world, who):
    approval = approvals.approved(world)
    with pytest.raises(Refused):
        actions.revoke_approval(
            approval=approval, reason="No.", password=PASSWORD, by=getattr(world, who)
        )


def test_an_approval_serves_until_its_day_and_while_its_evidence_stands(world):
    approval = approvals.approved(world)
    approval.expires_at = timezone.now() - timedelta(seconds=1)
    approval.save()
    assert "ended on" in serving_decision(approval.version).reason

    approval.expires_at = None
    approval.save()
    ModelCard.objects.filter(version=approval.version).update(limitations="None.")
    assert "model card changed" in serving_decision(approval.version).reason


def test_who_had_the_report_made_signs_the_validation_and_nothing_else(world):
    approval = approvals.request(world)
    Stage.objects.filter(request=approval, position=1).update(meaning="Reviewed")

    assert (
        "had its validation report made"
        in rules.can_sign_off(world.validator, approval).reason
    )
    assert approval not in waiting_for(world.validator)


def overdue(world, approval) -> Condition:
    """An approval that stands, with a condition whose day is over."""
    sign(approval, world.validator, conditions=[condition(world.data_scientist)])
    approvals.sign(approval, world.operations_manager, world.program_manager)
    Condition.objects.update(due_on=timezone.localdate() - timedelta(days=1))
    return Condition.objects.get()


def review(world, approval):
    moved = actions.review_approval(approval=approval, by=world.worker)
    approval.refresh_from_db()
    approval.version.refresh_from_db()
    return moved


def test_an_overdue_condition_suspends_until_it_is_met(world):
    approval = approvals.request(world)
    late = overdue(world, approval)

    assert review(world, approval)
    assert approval.version.state == VersionState.SUSPENDED
    assert "Retrain on winter data." in serving_decision(approval.version).reason
    assert review(world, approval) is None

    with pytest.raises(Refused, match="can say that it is met"):
        actions.meet_condition(condition=late, evidence="x", by=world.validator)
    with pytest.raises(Invalid, match="Say what shows"):
        actions.meet_condition(condition=late, evidence=" ", by=world.data_scientist)
    actions.meet_condition(
        condition=late, evidence="Run 7 has it.", by=world.data_scientist
    )

    approval.refresh_from_db()
    approval.version.refresh_from_db()
    assert approval.status == ApprovalStatus.APPROVED
    assert serving_decision(approval.version)
    with pytest.raises(WrongState, match="met already"):
        actions.meet_condition(condition=late, evidence="x", by=world.data_scientist)


def test_a_condition_of_what_ended_cannot_be_met(world):
    approval = approvals.request(world)
    late = overdue(world, approval)
    _card(approval.version)
    assert review(world, approval).status == ApprovalStatus.STALE

    with pytest.raises(WrongState, match="Nothing depends on this"):
        actions.meet_condition(condition=late, evidence="x", by=world.data_scientist)


def _card(version):
    ModelCard.objects.filter(version=version).update(limitations="None.")


def _files(version):
    ModelVersion.objects.filter(pk=version.pk).update(
        manifest=[{**version.manifest[0], "size_bytes": 1}, *version.manifest[1:]]
    )


def _dataset(version):
    DatasetVersion.objects.filter(pk=version.run.dataset_version_id).update(
        parquet_sha256="0" * 64
    )


def _report(version):
    report = version.validation_reports.get()
    changed = {**report.result, "rows": 1}
    with past_the_guards():
        ValidationReport.objects.filter(pk=report.pk).update(result=changed)


def _plan(version):
    with past_the_guards():
        ValidationPlan.objects.update(subgroup_columns=["phase"])


def _policy(version):
    approval = version.approval_requests.get()
    approval.policy["title"] = "Another"
    approval.save()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_files, "model files"),
        (_dataset, "dataset version"),
        (_report, "validation report"),
        (_card, "model card"),
        (_plan, "validation plan"),
        (_policy, "policy"),
    ],
)
def test_one_altered_byte_makes_an_approval_stale(world, change, name):
    approval = approvals.approved(world)
    assert serving_decision(approval.version)

    change(approval.version)

    assert f"{name} changed" in serving_decision(approval.version).reason
    assert review(world, approval)
    assert approval.status == ApprovalStatus.STALE
    assert approval.version.state == VersionState.STALE
    (moved,) = approval.moved
    assert moved["name"] == name
    assert moved["before"] != moved["after"]
    assert AuditEvent.objects.latest("pk").type == "approval.stale"
    assert not serving_decision(approval.version)


@pytest.mark.parametrize(
    ("is_approved", "field", "status"),
    [(True, "expires_at", "expired"), (False, "due_at", "lapsed")],
)
def test_requests_end_by_the_clock(world, is_approved, field, status):
    approval = (approvals.approved if is_approved else approvals.request)(world)
    assert review(world, approval) is None
    ApprovalRequest.objects.update(**{field: timezone.now()})

    review_approvals()

    approval.refresh_from_db()
    assert approval.status == status
    assert AuditEvent.objects.latest("pk").type == f"approval.{status}"


def test_the_terms_of_the_policy_hold_for_the_request(world, client_of):
    approval = approvals.request(world)
    stage = approval.stages.earliest("position")
    assert (approval.due_at - approval.requested_at).days in (89, 90)
    assert (stage.due_at - approval.requested_at).days in (9, 10)

    approval = approvals.sign(
        approval, world.validator, world.operations_manager, world.program_manager
    )

    assert (approval.expires_at - approval.closed_at).days in (364, 365)
    page = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "Approved until" in page


def test_a_policy_can_forbid_conditions_and_ask_for_words(world):
    approval = approvals.request(world)
    approval.policy["conditions"]["allowed"] = False
    approval.evidence["policy"] = approval.policy
    approval.evidence_digest = canonical_digest(approval.evidence)
    approval.save()
    Stage.objects.filter(request=approval).update(must_comment=True)

    with pytest.raises(Invalid, match="is signed with a comment"):
        sign(approval, world.validator, comment=" ")
    with pytest.raises(Invalid, match="allows no conditions"):
        sign(approval, world.validator, conditions=[condition(world.data_scientist)])
    assert not SignOff.objects.exists()


def test_only_a_worker_moves_a_request_by_the_clock(world):
    approval = approvals.approved(world)
    with pytest.raises(Refused):
        actions.review_approval(approval=approval, by=world.program_manager)


def test_a_version_that_went_on_does_not_follow_its_old_request(world):
    approval = approvals.request(world)
    late = overdue(world, approval)
    review(world, approval)
    version = approval.version
    validation.finished_report(version, world.validator)
    version.refresh_from_db()
    assert version.state == VersionState.VALIDATED

    actions.meet_condition(condition=late, evidence="Run 7.", by=world.data_scientist)
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.SUSPENDED
    ApprovalRequest.objects.update(expires_at=timezone.now())
    assert review(world, approval)

    assert approval.status == ApprovalStatus.EXPIRED
    assert approval.version.state == VersionState.VALIDATED


def test_a_card_counts_no_signature_that_was_taken_back(world):
    approval = approvals.request(world)
    given = sign(approval, world.validator)
    assert queries.card_section(approval.version)["signatures"]

    actions.withdraw_sign_off(
        sign_off=given, reason="No.", password=PASSWORD, by=world.validator
    )

    assert not queries.card_section(approval.version)["signatures"]
    assert not queries.signatures_in_force(world.validator)


def test_a_page_shows_conditions_changes_and_the_request_before(world, client_of):
    first = approvals.request(world)
    actions.request_changes(
        approval=first, comment="More.", password=PASSWORD, by=world.validator
    )
    approval = approvals.request(world, first.version)
    given = sign(
        approval, world.validator, conditions=[condition(world.data_scientist)]
    )

    page = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "Retrain on winter data." in page
    assert first.get_absolute_url() in page
    assert "Take my signature back" in page
    mine = client_of(world.data_scientist).get(approval.get_absolute_url()).text
    assert "What shows that it is met" in mine

    actions.withdraw_sign_off(
        sign_off=given, reason="Wrong rows.", password=PASSWORD, by=world.validator
    )
    page = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "Wrong rows." in page
    assert "Waits for 1 × validator" in page
    assert "Retrain on winter data." not in page


def test_what_was_sent_back_may_change_without_an_alarm(world, client_of):
    approval = approvals.request(world)
    actions.request_changes(
        approval=approval, comment="More.", password=PASSWORD, by=world.validator
    )
    ModelCard.objects.filter(version=approval.version).update(limitations="None.")

    page = client_of(world.validator).get(approval.get_absolute_url()).text

    assert "The evidence changed" not in page


def test_fifty_at_once_give_as_many_signatures_as_are_needed(committed, world):
    approval = approvals.request(world)
    Stage.objects.filter(request=approval, position=1).update(required=3)
    signers = [member(world, f"v{place}", "validator") for place in range(50)]
    start = Barrier(50)

    def run(person) -> str:
        try:
            start.wait(timeout=60)
            sign(approval, person)
        except PortalError as error:
            return error.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(run, signers))

    assert outcomes.count("done") == 3
    assert outcomes.count("refused") == 47
    assert SignOff.objects.filter(stage__position=1).count() == 3
    assert not SignOff.objects.exclude(stage__position=1).exists()
