import pytest
from django.db import IntegrityError, transaction

from apps.accounts.actions import WrongPassword, deactivate_person
from apps.approvals import actions
from apps.approvals.evidence import changed_parts, lines
from apps.approvals.models import ApprovalStatus, SignOff, Stage
from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, Refused, WrongState
from apps.datasets.models import DatasetVersion
from apps.projects import actions as projects
from apps.registry import actions as registry
from apps.registry.models import ModelCard, ModelVersion, VersionState
from apps.registry.queries import champion_of
from apps.validation.models import ValidationPlan, ValidationReport
from tests.factories import approvals, experiments, people, training, validation
from tests.factories import registry as registry_factory
from tests.factories.people import PASSWORD
from tests.guards import past_the_guards


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("type", flat=True))


def reassign(world, person, role: str) -> None:
    """Give a member another role, as a second program manager would."""
    membership = world.project.memberships.get(user=person)
    projects.change_role(membership=membership, role=role, by=world.program_manager)


def sign(approval, by, password: str = PASSWORD, comment: str = ""):
    return actions.sign_off(
        approval=approval, comment=comment, password=password, by=by
    )


def test_request_approval_freezes_evidence_and_policy(world):
    version = approvals.validated_version(world)
    before = len(events())

    approval = approvals.request(world, version)

    version.refresh_from_db()
    assert version.state == VersionState.IN_REVIEW
    assert approval.evidence_digest == canonical_digest(approval.evidence)
    assert approval.evidence["files"]["digest"] == version.manifest_digest
    assert approval.evidence["report"]["digest"] == approval.report.result_digest
    assert approval.policy["name"] == "standard"
    assert list(
        approval.stages.order_by("position").values_list("role", flat=True)
    ) == [
        "validator",
        "operations_manager",
        "program_manager",
    ]
    assert sorted(events()[before:]) == ["approval.requested", "model.version_moved"]


def test_request_approval_twice_is_refused_and_leaves_one_request(world):
    approval = approvals.request(world)
    before = events()

    with pytest.raises(WrongState, match="open"):
        approvals.request(world, approval.version)

    assert events() == before
    assert approval.version.approval_requests.count() == 1


def test_request_approval_of_a_draft_is_refused(world):
    version = registry_factory.model_version(world.project, world.data_scientist)

    with pytest.raises(WrongState, match="not validated yet"):
        approvals.request(world, version)

    version.refresh_from_db()
    assert version.state == VersionState.DRAFT


def test_request_approval_by_another_role_is_refused(world):
    version = approvals.validated_version(world)

    with pytest.raises(Refused, match="data scientist"):
        actions.request_approval(version=version, message="", by=world.validator)


@pytest.mark.parametrize("message", ["x" * 2001, "a\x00b"])
def test_request_approval_with_an_unfit_message_is_invalid(world, message):
    version = approvals.validated_version(world)

    with pytest.raises(Invalid) as raised:
        approvals.request(world, version, message=message)

    assert "message" in raised.value.fields


def test_sign_off_records_who_signed_what_and_moves_to_the_next_stage(world):
    approval = approvals.request(world)
    before = len(events())

    given = sign(approval, world.validator, comment="Checked twice.")

    assert given.signer_name == "Vera Validator"
    assert given.meaning == "Independently validated"
    assert given.evidence_digest == approval.evidence_digest
    assert Stage.objects.get(pk=given.stage_id).completed_at is not None
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.IN_REVIEW
    assert events()[before:] == ["approval.signed_off"]
    event = AuditEvent.objects.latest("pk")
    assert event.reason == "Checked twice."
    assert event.changes["stage"] == "Technical review"


def test_sign_off_by_the_last_signer_moves_the_champion_in_the_same_transaction(world):
    approval = approvals.sign(
        approvals.request(world), world.validator, world.operations_manager
    )
    before = len(events())

    sign(approval, world.program_manager)

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.APPROVED
    assert approval.closed_at is not None
    assert champion_of(approval.version.model) == approval.version
    assert champion_of(approval.version.model).state == VersionState.APPROVED
    assert sorted(events()[before:]) == [
        "approval.approved",
        "model.alias_moved",
        "model.version_moved",
    ]


def test_sign_off_that_fails_half_way_leaves_nothing(world):
    approval = approvals.sign(
        approvals.request(world), world.validator, world.operations_manager
    )
    before = events()
    # The state that would make the last step impossible.
    ModelVersion.objects.filter(pk=approval.version_id).update(
        state=VersionState.REJECTED
    )

    with pytest.raises(WrongState):
        sign(approval, world.program_manager)

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.IN_REVIEW
    assert SignOff.objects.filter(signer=world.program_manager).count() == 0
    assert champion_of(approval.version.model) is None
    assert events() == before


def test_sign_off_with_a_wrong_password_changes_nothing(world):
    approval = approvals.request(world)
    before = events()

    with pytest.raises(WrongPassword):
        sign(approval, world.validator, password="not the password at all")

    assert SignOff.objects.count() == 0
    assert events() == before


def test_sign_off_out_of_turn_is_refused(world):
    approval = approvals.request(world)

    with pytest.raises(Refused, match="role of validator; you are program manager"):
        sign(approval, world.program_manager)


def test_sign_off_twice_by_one_person_is_refused(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    reassign(world, world.validator, "operations_manager")

    with pytest.raises(Refused, match="and signed the stage Technical review on"):
        sign(approval, world.validator)


def test_sign_off_by_the_data_scientist_names_everything_they_did(world):
    approval = approvals.request(world)
    reassign(world, world.data_scientist, "validator")

    with pytest.raises(Refused) as raised:
        sign(approval, world.data_scientist)

    for deed in (
        "uploaded its data",
        "launched its training",
        "registered it",
        "asked for its approval",
        "so somebody else must sign",
    ):
        assert deed in raised.value.message


def test_sign_off_by_who_wrote_the_card_is_refused(world):
    author = people.person("author@agency.example", "Aura Author")
    projects.add_member(
        project=world.project,
        person=author,
        role="data_scientist",
        by=world.program_manager,
    )
    version = approvals.validated_version(world)
    registry.edit_card(version=version, sections={"limitations": "None."}, by=author)
    approval = approvals.request(world, version)
    reassign(world, author, "validator")

    with pytest.raises(Refused, match="You wrote its model card on"):
        sign(approval, author)


def test_sign_off_by_an_administrator_is_refused_even_as_a_member(world):
    approval = approvals.request(world)
    projects.add_member(
        project=world.project,
        person=world.administrator,
        role="validator",
        by=world.program_manager,
    )

    with pytest.raises(Refused, match="can never sign"):
        sign(approval, world.administrator)


def test_sign_off_by_an_outsider_or_a_closed_account_is_refused(world):
    approval = approvals.request(world)
    deactivate_person(person=world.validator, by=world.administrator)

    for person in (world.outsider, world.validator):
        with pytest.raises(Refused):
            sign(approval, person)


def test_sign_off_by_who_recorded_the_run_is_refused(world):
    version = recorded_version(world)
    validation.finished_report(version, world.validator)
    approval = approvals.request(world, version)
    reassign(world, world.data_scientist, "validator")

    with pytest.raises(Refused, match="You recorded its run on"):
        sign(approval, world.data_scientist)

    assert approval.evidence["dataset"] is None
    assert "Dataset version" not in [part["name"] for part in lines(approval.evidence)]


def recorded_version(world):
    """A version whose run came over the API, without a dataset kept here."""
    run = experiments.trained_run(
        experiments.experiment(world.project, world.data_scientist),
        world.data_scientist,
        artifacts=[experiments.artifact(name) for name in training.FILES],
        summary={"signature": training.SIGNATURE},
    )
    return registry.register_version(
        project=world.project,
        run=run,
        model_name="recorded",
        description="",
        by=world.data_scientist,
    )


def change_card(approval):
    ModelCard.objects.filter(version=approval.version).update(limitations="Other.")


def change_files(approval):
    version = ModelVersion.objects.get(pk=approval.version_id)
    version.manifest[0]["sha256"] = "0" * 64
    version.save()


def change_signature(approval):
    version = ModelVersion.objects.get(pk=approval.version_id)
    version.signature["threshold"] = 0.9
    version.save()


def change_report(approval):
    report = ValidationReport.objects.get(pk=approval.report_id)
    report.result["rows"] += 1
    with past_the_guards():
        report.save()


def change_plan(approval):
    with past_the_guards():
        ValidationPlan.objects.filter(pk=approval.report.plan_id).update(criteria=[])


def change_data(approval):
    DatasetVersion.objects.filter(runs__model_versions=approval.version_id).update(
        parquet_sha256="1" * 64
    )


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (change_card, "model card"),
        (change_files, "model files"),
        (change_signature, "model signature"),
        (change_report, "validation report"),
        (change_plan, "validation plan"),
        (change_data, "dataset version"),
    ],
)
def test_sign_off_on_changed_evidence_is_refused(world, change, part):
    approval = approvals.request(world)
    change(approval)

    with pytest.raises(WrongState, match=f"evidence changed.*{part}"):
        sign(approval, world.validator)

    assert changed_parts(approval) == [part]
    assert SignOff.objects.count() == 0


def test_sign_off_on_an_altered_list_of_evidence_is_refused(world):
    approval = approvals.request(world)
    approval.evidence_digest = "0" * 64
    approval.save()

    with pytest.raises(WrongState, match="list of evidence"):
        sign(approval, world.validator)


def test_sign_off_waits_for_as_many_as_the_stage_requires(world):
    second = people.person("second@agency.example", "Sam Second")
    projects.add_member(
        project=world.project, person=second, role="validator", by=world.program_manager
    )
    approval = approvals.request(world)
    Stage.objects.filter(request=approval, position=1).update(required=2)

    sign(approval, world.validator)
    assert approval.stages.get(position=1).completed_at is None
    with pytest.raises(Refused, match="You signed the stage"):
        sign(approval, world.validator)
    sign(approval, second)

    assert approval.stages.get(position=1).completed_at is not None


def test_reject_closes_request_and_version(world):
    approval = approvals.request(world)
    before = len(events())

    given = actions.reject(
        approval=approval,
        comment="Misses hawks.",
        password=PASSWORD,
        by=world.validator,
    )

    approval.refresh_from_db()
    assert given.meaning == "Rejected"
    assert approval.status == ApprovalStatus.REJECTED
    assert approval.version.state == VersionState.REJECTED
    assert sorted(events()[before:]) == ["approval.rejected", "model.version_moved"]
    with pytest.raises(WrongState, match="rejected and closed"):
        sign(approval, world.operations_manager)


def test_reject_is_possible_when_the_evidence_changed(world):
    approval = approvals.request(world)
    change_card(approval)

    actions.reject(
        approval=approval, comment="Changed.", password=PASSWORD, by=world.validator
    )

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.REJECTED


def test_reject_without_a_reason_is_invalid(world):
    approval = approvals.request(world)

    with pytest.raises(Invalid) as raised:
        actions.reject(
            approval=approval, comment="  ", password=PASSWORD, by=world.validator
        )

    assert "comment" in raised.value.fields
    assert SignOff.objects.count() == 0


def test_withdraw_request_makes_the_version_validated_again(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    before = len(events())

    actions.withdraw_request(approval=approval, by=world.data_scientist)

    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.WITHDRAWN
    assert approval.version.state == VersionState.VALIDATED
    assert sorted(events()[before:]) == ["approval.withdrawn", "model.version_moved"]
    assert approvals.request(world, approval.version).status == "in_review"


def test_withdraw_request_by_a_signer_or_when_closed_is_refused(world):
    approval = approvals.request(world)

    with pytest.raises(Refused, match="data scientist"):
        actions.withdraw_request(approval=approval, by=world.validator)
    actions.withdraw_request(approval=approval, by=world.data_scientist)
    with pytest.raises(WrongState, match="withdrawn and closed"):
        actions.withdraw_request(approval=approval, by=world.data_scientist)


def test_a_second_open_request_is_impossible_in_the_database(world):
    approval = approvals.request(world)
    approval.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        approval.save(force_insert=True)
