"""Every page that the journey does not pass, as the people who use it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from apps.approvals.actions import write_comment
from apps.audit.models import AuditEvent
from apps.validation.actions import request_report
from apps.validation.models import Rows
from tests.factories import (
    approvals,
    datasets,
    datasheets,
    exports,
    notices,
    projects,
    registry,
    retention,
    sealed,
    training,
    validation,
)

pytestmark = pytest.mark.browser


def in_project(name: str, project, *rest) -> str:
    return reverse(name, args=[project.slug, *rest])


def of_version(name: str, version) -> str:
    return in_project(name, version.project, version.model.name, version.number)


def data_pages(world) -> list[str]:
    project, by = world.project, world.data_scientist
    ready = training.data(project, by)
    dataset = ready.dataset
    running = datasets.running_version(dataset, by, content=b"a,b,c\n1,2,3\n1,2,3,4")
    failed = datasets.fail(
        running, "Row 2 has 4 values; the header names 3.", ["Row 2: 1,2,3,4"]
    )
    lists = ["datasets:list", "datasets:upload_dataset"]
    forms = ["datasets:dataset", "datasets:edit_dataset", "datasets:upload_version"]
    return [
        *(in_project(name, project) for name in lists),
        *(reverse(name, args=[dataset.pk]) for name in forms),
        ready.get_absolute_url(),
        failed.get_absolute_url(),
        datasets.version(dataset, by).get_absolute_url(),
    ]


def known_data_pages(world) -> list[str]:
    """What is stated of data, what is sealed in it and what came of it."""
    project, by = world.project, world.data_scientist
    version = sealed.model_version(project, by)
    validation.plan(version.model, world.validator)
    report = request_report(
        version=version, evaluated_on=Rows.SEALED, by=world.validator
    )
    data = version.run.dataset_version
    hint = datasheets.hint(datasets.dataset(project, by, "people"), by)
    described = hint.version.dataset
    datasheets.datasheet(described, by)
    on_data = ["datasets:datasheet", "datasets:write_datasheet"]
    return [
        *(reverse(name, args=[described.pk]) for name in on_data),
        reverse("datasets:decide_hint", args=[hint.pk]),
        hint.version.get_absolute_url(),
        reverse("datasets:upload_sealed_part", args=[hint.version.pk]),
        reverse("home:sealed_data", args=[data.dataset_id]),
        reverse("home:sealed_data", args=[described.pk]),
        data.get_absolute_url(),
        version.get_absolute_url(),
        report.get_absolute_url(),
        reverse("home:dataset_lineage", args=[data.dataset_id]),
        of_version("home:model_version_lineage", version),
    ]


def training_pages(world) -> list[str]:
    project, by = world.project, world.data_scientist
    jobs = [make(project, by) for make in (training.finished_job, training.failed_job)]
    jobs.append(training.launched_job(project, by))
    run = jobs[0].run
    other = training.finished_job(project, by).run
    compare = in_project("experiments:compare_runs", project)
    launch = in_project("training:launch_training", project)
    data = training.data(project, by)
    return [
        *(in_project(f"{app}:list", project) for app in ("experiments", "training")),
        in_project("experiments:create_experiment", project),
        in_project("experiments:list_runs", project),
        in_project("training:launch_training_from_text", project),
        run.experiment.get_absolute_url(),
        f"{compare}?run={run.pk}&run={other.pk}",
        run.get_absolute_url(),
        reverse("registry:register_version", args=[run.pk]),
        f"{launch}?dataset_version={data.pk}",
        f"{launch}?dataset_version={data.pk}&target=damaged",
        f"{launch}?from={jobs[1].pk}&template=rare",
        *(job.get_absolute_url() for job in jobs),
    ]


def model_pages(world) -> list[str]:
    project, by = world.project, world.data_scientist
    draft = registry.model_version(project, by, "draft")
    failed = validation.failed_report(draft, by)
    validated = approvals.validated_version(world, "validated")
    plan = validated.model.validation_plans.get()
    report = validated.validation_reports.get()
    return [
        reverse("registry:list"),
        in_project("registry:project_models", project),
        draft.model.get_absolute_url(),
        draft.get_absolute_url(),
        of_version("registry:edit_card", draft),
        of_version("home:card", validated),
        of_version("approvals:request_approval", validated),
        in_project("validation:plans", project, "validated"),
        in_project("validation:write_plan", project, "validated"),
        plan.get_absolute_url(),
        report.get_absolute_url(),
        reverse("validation:full_report", args=[report.pk]),
        failed.get_absolute_url(),
        of_version("v1:card", validated) + "?format=html",
    ]


def approval_pages(world) -> list[str]:
    done = approvals.approved(world, "approved")
    waiting = approvals.request(world, approvals.validated_version(world, "waiting"))
    said = write_comment(
        approval=waiting,
        text="@data_scientist, why?",
        part="report",
        by=world.validator,
    )
    hook = notices.webhook(world.project, world.program_manager)
    notices.tell(world.project, world.program_manager)
    return [
        said.get_absolute_url(),
        in_project("notices:webhooks", world.project),
        hook.get_absolute_url(),
        reverse("notices:mail"),
        in_project("approvals:requests", world.project),
        waiting.get_absolute_url(),
        waiting.version.get_absolute_url(),
        of_version("registry:edit_card", waiting.version),
        done.get_absolute_url(),
        done.version.get_absolute_url(),
    ]


def project_pages(world) -> list[str]:
    forms = ["home:project", "projects:edit_project", "projects:state_objective"]
    member = world.project.memberships.get(user=world.developer)
    empty = projects.project("empty", by=world.program_manager)
    lists = ["datasets:list", "experiments:list", "training:list", "home:project"]
    lists += ["registry:project_models", "approvals:requests", "notices:webhooks"]
    return [
        *(reverse(f"home:{name}") for name in ("home", "inbox", "roles")),
        *(in_project(name, world.project) for name in forms),
        in_project("projects:members", world.project),
        in_project("projects:add_member", world.project),
        reverse("projects:change_role", args=[member.pk]),
        *(reverse(f"projects:{name}") for name in ("list", "create_project")),
        *(in_project(name, empty) for name in lists),
    ]


def account_pages(world) -> list[str]:
    names = ["person", "edit_person", "set_agency_roles"]
    return [
        *(reverse(f"accounts:{name}") for name in ("people", "create_person")),
        reverse("accounts:people") + "?search=nobody",
        reverse("accounts:erasures"),
        *(reverse(f"accounts:{name}", args=[world.validator.pk]) for name in names),
        *(reverse(f"accounts:{name}") for name in ("account", "change_password")),
        reverse("accounts:issue_token"),
        reverse("core:components"),
    ]


def audit_pages(world) -> list[str]:
    event = AuditEvent.objects.order_by("-pk").first()
    makers = (exports.requested, exports.written)
    return [
        reverse("audit:list"),
        reverse("audit:list") + "?person=nobody",
        reverse("audit:list") + "?since=yesterday",
        reverse("audit:list") + "?type=project.*&outcome=success",
        reverse("audit:timeline", args=["projects.project", world.project.pk]),
        reverse("audit:timeline", args=["accounts.user", world.developer.pk]),
        reverse("audit:standing") + "?permission=project.read",
        reverse("audit:standing") + "?person=vera",
        reverse("audit:standing") + "?person=",
        reverse("audit:verify"),
        reverse("audit:count") + "?type=project.*",
        event.get_absolute_url(),
        *(make(world.auditor).get_absolute_url() for make in makers),
        reverse("audit:segments"),
        retention.segment().get_absolute_url(),
        reverse("audit:holds"),
        reverse("exports:list"),
        reverse("exports:request_export"),
        reverse("exports:request_export") + "?form=bundle&text=feather",
        reverse("audit:verification_key"),
        in_project("home:project", world.project),
        in_project("projects:add_member", world.project),
        "/nowhere/",
        reverse("api_docs"),
    ]


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("data_scientist", data_pages),
        ("data_scientist", known_data_pages),
        ("data_scientist", training_pages),
        ("data_scientist", model_pages),
        ("data_scientist", approval_pages),
        ("validator", approval_pages),
        ("program_manager", project_pages),
        ("administrator", account_pages),
        ("auditor", audit_pages),
    ],
)
def test_pages_have_no_barriers_and_fit_a_phone(world, signed_in, role, pages):
    paths = pages(world)
    person = signed_in(role)

    for path in paths:
        person.go(path)
        person.fits()
        assert urlsplit(person.page.url).path == urlsplit(path).path


def test_a_form_with_faults_says_so_first(signed_in):
    manager = signed_in("program_manager")
    manager.go(reverse("projects:create_project"))

    manager.press("Open project")

    summary = manager.page.locator("[data-focus]")
    assert summary.evaluate("place => place === document.activeElement")
    manager.fits()


def test_the_demonstration_says_where_its_passwords_are(committed, settings, person_at):
    settings.PORTAL_MODE = "demo"
    visitor = person_at("nobody@agency.example")

    visitor.go(reverse("accounts:sign_in"))

    visitor.sees("var/demo/access.json")
