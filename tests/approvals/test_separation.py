"""Whoever took part cannot sign: through no door, and they read why."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from apps.approvals import actions, rules
from apps.approvals.exception_queries import part_in_use
from apps.approvals.models import SignOff
from apps.approvals.waiting import waiting_for
from apps.core.errors import Refused
from apps.experiments import actions as experiments
from apps.projects import actions as projects
from apps.registry import actions as registry
from apps.training.models import CodeJob
from apps.validation import actions as validation_actions
from apps.validation.findings import to_close
from apps.validation.rules import can_close_finding
from tests.factories import approvals, code, people, training, validation
from tests.factories import experiments as experiments_factory
from tests.factories.people import PASSWORD
from tests.registry.test_mlmodel import METADATA, described

REASONS = {
    "uploader": "You uploaded its data on",
    "launcher": "You launched its training on",
    "author": "You registered it on",
    "administrator": "An administrator manages accounts and can never sign.",
}
SIGNATURE = {"comment": "Fine.", "password": PASSWORD, "intent": "on"}


@pytest.fixture
def involved(world) -> dict:
    """One person for each part in the making of a version, and an administrator."""
    found = {"administrator": world.administrator}
    for part in ("uploader", "launcher", "author"):
        person = people.person(f"{part}@agency.example", part.title())
        projects.add_member(
            project=world.project,
            person=person,
            role="data_scientist",
            by=world.program_manager,
        )
        found[part] = person
    return found


@pytest.fixture
def approval(world, involved):
    """A request for what they made; then each of them becomes a validator."""
    training.data(world.project, involved["uploader"])
    job = training.finished_job(world.project, involved["launcher"])
    version = registry.register_version(
        project=world.project,
        run=job.run,
        model_name="damage",
        description="",
        by=involved["author"],
    )
    validation.finished_report(version, world.validator)
    version.refresh_from_db()
    asked = approvals.request(world, version)
    for person in involved.values():
        membership = world.project.memberships.filter(user=person).first()
        if membership is None:
            projects.add_member(
                project=world.project,
                person=person,
                role="validator",
                by=world.program_manager,
            )
        else:
            projects.change_role(
                membership=membership, role="validator", by=world.program_manager
            )
    return asked


def by_page(approval, person, client_of, api_of, decision) -> tuple[int, str]:
    address = reverse(f"approvals:{decision}", args=[approval.pk])
    answer = client_of(person).post(address, SIGNATURE)
    return answer.status_code, answer.content.decode()


def by_api(approval, person, client_of, api_of, decision) -> tuple[int, str]:
    address = reverse(f"v1:{decision}", args=[approval.pk])
    answer = api_of(person).post(
        address, json.dumps(SIGNATURE), content_type="application/json"
    )
    return answer.status_code, answer.json()["message"]


def by_shell(approval, person, client_of, api_of, decision) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        getattr(actions, decision)(
            approval=approval, comment="Fine.", password=PASSWORD, by=person
        )
    return caught.value.status, caught.value.message


@pytest.mark.parametrize("decision", ["sign_off", "reject"])
@pytest.mark.parametrize("part", REASONS)
def test_who_took_part_is_refused_at_every_door(
    approval, involved, client_of, api_of, part, decision
):
    for door in (by_page, by_api, by_shell):
        status, text = door(approval, involved[part], client_of, api_of, decision)

        assert status == 403
        assert escape(REASONS[part]) in text or REASONS[part] in text

    approval.refresh_from_db()
    assert approval.is_open
    assert not SignOff.objects.exists()


@pytest.mark.parametrize("part", REASONS)
def test_the_page_says_why_before_anybody_tries(approval, involved, client_of, part):
    page = client_of(involved[part]).get(approval.get_absolute_url()).content.decode()

    assert REASONS[part] in page


def test_who_had_own_code_run_is_barred_from_signing(world):
    """The run is recorded by a worker, so only the job says whose code it was."""
    owner = people.person("coder@agency.example", "Coder")
    projects.add_member(
        project=world.project,
        person=owner,
        role="data_scientist",
        by=world.program_manager,
    )
    training.data(world.project, world.data_scientist)
    job = code.launched_code(world.project, owner)
    asked = approvals.request(world)
    CodeJob.objects.filter(pk=job.pk).update(
        run=asked.version.run, status="succeeded", finished_at=timezone.now()
    )
    membership = world.project.memberships.get(user=owner)
    projects.change_role(
        membership=membership, role="validator", by=world.program_manager
    )

    with pytest.raises(Refused, match=r"You had its code run on [^,]*, so"):
        actions.sign_off(approval=asked, comment="", password=PASSWORD, by=owner)
    assert asked not in waiting_for(owner)


def logged_version(world, logger, late):
    """A validated version of another's run: `logger` logged before it, `late` after."""
    run = experiments.start_run(
        experiment=experiments_factory.experiment(world.project, world.data_scientist),
        start=experiments.RunStart("run"),
        by=world.data_scientist,
    )
    text = described(**METADATA).encode()
    for path, content, by in (
        ("net/MLmodel", text, world.data_scientist),
        ("net/model.onnx", b"a model", logger),
        ("test.parquet", b"rows", world.data_scientist),
    ):
        file = experiments_factory.artifact(path, content)
        experiments.log_artifact(run=run, file=file, by=by)
    version = registry.register_version(
        project=world.project,
        run=run,
        part="net",
        model_name="damage",
        description="",
        by=world.data_scientist,
    )
    later = experiments_factory.artifact("notes.txt", b"Seen.")
    experiments.log_artifact(run=run, file=later, by=late)
    validation.finished_report(version, world.validator)
    version.refresh_from_db()
    return version


def test_who_logged_files_to_the_run_of_somebody_else_does_not_sign(world):
    members = {}
    for name in ("logger", "launcher"):
        person = people.person(f"{name}@agency.example", name.title())
        members[name] = projects.add_member(
            project=world.project,
            person=person,
            role="data_scientist",
            by=world.program_manager,
        )
    logger, late = (one.user for one in members.values())
    version = logged_version(world, logger, late)
    approval = approvals.request(world, version)
    found = validation.finding(version, world.validator, world.data_scientist)
    validation_actions.answer_finding(
        finding=found, answer="Seen to.", by=world.data_scientist
    )
    for membership in members.values():
        projects.change_role(
            membership=membership, role="validator", by=world.program_manager
        )

    reason = rules.can_sign_off(logger, approval).reason

    assert "You logged files of it on" in reason
    assert not waiting_for(logger).exists()
    assert not to_close(logger).exists()
    assert "You logged files of it," in can_close_finding(logger, found).reason
    assert part_in_use(world.project, logger) == "logged files of a model"
    # What came after the registration is no part of the version.
    assert rules.can_sign_off(late, approval)
    assert waiting_for(late).get() == approval
    assert to_close(late).get() == found
    assert not part_in_use(world.project, late)
