from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from apps.access.permissions import Permission
from apps.access.roles import ROLES
from apps.approvals import queries as approval_queries
from apps.approvals import rules as approval_rules
from apps.approvals.emergency_queries import emergency_in_force
from apps.core.http import HtmxRequest
from apps.core.rest import keyset_page
from apps.datasets import queries as dataset_queries
from apps.datasets import rules as dataset_rules
from apps.datasets.models import Dataset
from apps.experiments.experiment_list import listed_experiments
from apps.experiments.models import Run
from apps.experiments.search.experiments import ExperimentSearch
from apps.home import cards, queries
from apps.home import inbox as inbox_of
from apps.home.next_step import next_step
from apps.home.pages import find_model_version, trail_to_model
from apps.projects import rules as project_rules
from apps.projects.models import Project
from apps.projects.queries import members_of
from apps.registry import queries as registry_queries
from apps.registry import rules as registry_rules
from apps.registry.models import ModelVersion, RegisteredModel
from apps.training import queries as training_queries
from apps.training import reading as regenerating
from apps.training import rules as training_rules
from apps.training.models import TrainingJob
from apps.validation import queries as validation_queries
from apps.validation import reading, report_figures
from apps.validation import rules as validation_rules
from apps.validation.findings import unsettled_findings
from apps.validation.models import Rows, ValidationReport

PROJECTS_SHOWN = 12
ROWS_SHOWN = 6
EXPERIMENTS_SHOWN = 4


@login_required
@require_GET
def home(request: HtmxRequest) -> HttpResponse:
    projects = Project.objects.visible_to(request.user)
    page = keyset_page(projects, after=request.GET.get("after"), limit=PROJECTS_SHOWN)
    context = {
        "inbox": inbox_of.inbox(request.user),
        "page": page,
        "projects": queries.health_of(page.rows, request.user),
        "events": queries.recent_events(request.user, ROWS_SHOWN + 2),
        "may_create_project": project_rules.can_create_project(request.user),
    }
    return render(request, "home/home.html", context)


@login_required
@require_GET
def inbox(request: HtmxRequest) -> HttpResponse:
    context = {
        "inbox": inbox_of.inbox(request.user),
        "news": inbox_of.news(request.user, request.GET),
    }
    return render(request, "home/inbox.html", context)


@login_required
@require_GET
def roles(request: HtmxRequest) -> HttpResponse:
    context = {"roles": list(ROLES.values()), "permissions": list(Permission)}
    return render(request, "home/roles.html", context)


@login_required
@require_GET
def project(request: HtmxRequest, slug: str) -> HttpResponse:
    user = request.user
    project = get_object_or_404(Project.objects.visible_to(user), slug=slug)
    objective = validation_queries.objective_of(project)
    context = {
        "project": project,
        "objective": objective,
        "objective_figures": queries.objective_figures(objective) if objective else [],
        "next_step": next_step(project, user),
        "members": members_of(project)[: queries.LIST_LENGTH],
        "events": queries.recent_events(user, ROWS_SHOWN, project_id=project.pk),
        "may_edit_project": project_rules.can_edit_project(user, project),
        "may_state_objective": project_rules.can_state_objective(user, project),
        "may_determine_impact": project_rules.can_determine_impact(user, project),
        "may_upload_dataset": dataset_rules.can_upload_dataset(user, project),
        "may_launch_training": training_rules.can_launch_training(user, project),
        **_content(request, project),
    }
    return render(request, "home/project.html", context)


def _content(request: HtmxRequest, project: Project) -> dict[str, Any]:
    """Newest models, datasets, experiments and jobs of the project."""
    user = request.user
    models = RegisteredModel.objects.visible_to(user).filter(project=project)
    shown = models.select_related("project").prefetch_related(
        registry_queries.champion_aliases()
    )
    found = list(shown.order_by("-pk")[:ROWS_SHOWN])
    newest = registry_queries.newest_versions(found)
    datasets = list(
        Dataset.objects.visible_to(user)
        .filter(project=project)
        .select_related("project")
        .order_by("-pk")[:ROWS_SHOWN]
    )
    latest = dataset_queries.latest_versions(datasets)
    standings = dataset_queries.datasheet_standings(datasets)
    jobs = TrainingJob.objects.visible_to(user).filter(experiment__project=project)
    experiments, _ = listed_experiments(
        user, ExperimentSearch(project=project.pk), size=EXPERIMENTS_SHOWN
    )
    return {
        "models": [
            (model, version, queries.version_steps(version) if version else [])
            for model in found
            for version in [newest.get(model.pk)]
        ],
        "datasets": [
            (dataset, latest.get(dataset.pk), standings[dataset.pk])
            for dataset in datasets
        ],
        "experiments": experiments,
        "jobs": training_queries.with_origins(jobs).order_by("-pk")[:ROWS_SHOWN],
    }


@login_required
@require_GET
def model_version(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    user = request.user
    version = find_model_version(request, slug, name, number)
    report = validation_queries.latest_report(version)
    data = version.data
    sees_data = registry_queries.sees_data(version, user)
    sealed = validation_queries.sealed_standing(version)
    context = {
        "version": version,
        "title": f"{version.model.name}, version {version.number}",
        "trail": trail_to_model(request, version),
        "steps": queries.version_steps(version),
        "champion": registry_queries.champion_of(version.model),
        "report": report,
        **(_findings(report) if report else {}),
        "reports": validation_queries.reports_of(version)[:ROWS_SHOWN],
        "plan": validation_queries.latest_plan(version.model),
        "findings": unsettled_findings(version),
        "files": registry_rules.file_decisions(user, version),
        "sees_data": sees_data,
        "standing": dataset_queries.datasheet_standing(data.dataset)
        if data and sees_data
        else None,
        "sections": registry_queries.card_record(version)["sections"],
        "events": queries.recent_events(user, ROWS_SHOWN, target_id=str(version.pk)),
        "may_write_plan": validation_rules.can_write_plan(user, version.model),
        "may_request_report": validation_rules.can_request_report(user, version),
        "sealed": sealed,
        "may_request_sealed_report": validation_rules.can_request_report(
            user, version, Rows.SEALED
        )
        if sealed
        else None,
        "may_edit_card": registry_rules.can_edit_card(user, version),
        **_approval(request, version),
        **_regeneration(request, version),
    }
    return render(request, "home/model_version.html", context)


def _findings(report: ValidationReport) -> dict[str, Any]:
    return {
        "banner": reading.banner(report),
        "key_figures": reading.key_figures(report),
        "cost_comparison": report_figures.cost_comparison(report),
        "checks": reading.check_rows(report),
        "interval_name": reading.interval_name(report),
    }


def _approval(request: HtmxRequest, version: ModelVersion) -> dict[str, Any]:
    approval = approval_queries.latest_request(version)
    stages = approval_queries.stages_with_sign_offs(approval) if approval else []
    return {
        "approval": approval,
        "approval_steps": approval_queries.steps(approval, stages) if approval else [],
        "may_request_approval": approval_rules.can_request_approval(
            request.user, version
        ),
        "emergency": emergency_in_force(version),
        "may_declare_emergency": approval_rules.can_declare_emergency(
            request.user, version
        ),
    }


def _regeneration(request: HtmxRequest, version: ModelVersion) -> dict[str, Any]:
    """Say whether it was regenerated; a single grant opens the model, not its run."""
    user, run = request.user, version.run
    if run is None:
        return {"sees_run": False}
    return {
        "sees_run": Run.objects.visible_to(user).filter(pk=run.pk).exists(),
        "regenerations": regenerating.newest_regenerations(run)[:ROWS_SHOWN],
        "may_request_regeneration": training_rules.can_request_regeneration(user, run),
        "may_download_bundle": training_rules.can_download_regeneration_bundle(
            user, run
        ),
    }


@login_required
@require_GET
def card(request: HtmxRequest, slug: str, name: str, number: int) -> HttpResponse:
    version = find_model_version(request, slug, name, number)
    context = {
        "version": version,
        "trail": [
            *trail_to_model(request, version),
            {"label": f"Version {version.number}", "url": version.get_absolute_url()},
        ],
        "content": cards.card_html(cards.model_card(version)),
    }
    return render(request, "home/card.html", context)
