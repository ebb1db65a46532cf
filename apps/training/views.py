from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseStopPolling

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.datasets.models import DatasetVersion
from apps.datasets.queries import datasheet_standing
from apps.experiments.models import Experiment
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job
from apps.projects.models import Project
from apps.training import actions, queries, rules
from apps.training.forms import DataForm, LaunchForm, TargetForm
from apps.training.models import TrainingJob


def _project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def _trail(project: Project, *, to_jobs: bool = True) -> list[dict[str, str]]:
    jobs = reverse("training:list", args=[project.slug])
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Training jobs", "url": jobs},
    ][: 1 + to_jobs]


@login_required
@require_GET
def list_jobs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    jobs = TrainingJob.objects.visible_to(request.user).filter(
        experiment__project=project
    )
    rows = queries.with_origins(jobs).defer("log_tail", "failure_details")
    page = keyset_page(rows, after=request.GET.get("after"))
    return render(
        request,
        "training/list.html",
        {
            "project": project,
            "trail": _trail(project, to_jobs=False),
            "page": page,
            "may_launch_training": rules.can_launch_training(request.user, project),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def launch_training(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    ensure(rules.can_launch_training(request.user, project))
    data = _data_form(request, project)
    context = {"project": project, "trail": _trail(project), "form": data}
    if not (isinstance(data, TargetForm) and data.is_valid()):
        return render_form(request, "training/choose_data.html", context)
    choice = data.cleaned_data
    form = _launch_form(request, project, **choice)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            job = actions.launch_training(
                experiment=form.cleaned_data["experiment"],
                dataset_version=choice["dataset_version"],
                name=form.cleaned_data["name"],
                spec=form.spec(),
                submission_key=form.cleaned_data["submission_key"],
                by=request.user,
            )
            return redirect_after_success(request, job)
    standing = datasheet_standing(choice["dataset_version"].dataset)
    context |= choice | {"form": form, "standing": standing}
    return render_form(request, "training/launch.html", context)


def _data_form(request: HtmxRequest, project: Project) -> DataForm:
    """Ask for the target when the dataset version is known."""
    versions = (
        DatasetVersion.objects.visible_to(request.user)
        .filter(dataset__project=project)
        .ready()
        .select_related("dataset__project")
        .order_by("-pk")
    )
    form = DataForm(request.GET or None, versions=versions)
    if not form.is_valid():
        return form
    return TargetForm(
        request.GET if "target" in request.GET else None,
        versions=versions,
        chosen=form.cleaned_data["dataset_version"],
    )


def _launch_form(
    request: HtmxRequest, project: Project, dataset_version: DatasetVersion, target: str
) -> LaunchForm:
    experiments = Experiment.objects.visible_to(request.user).filter(project=project)
    return LaunchForm(
        request.POST or None,
        version=dataset_version,
        target=target,
        experiments=experiments.order_by("-pk"),
        cost=queries.mission_cost(project, "binary"),
    )


def _job(request: HtmxRequest, pk: UUID) -> TrainingJob:
    visible = queries.with_origins(TrainingJob.objects.visible_to(request.user))
    return get_object_or_404(visible, pk=pk)


def _job_context(request: HtmxRequest, job: TrainingJob) -> dict[str, Any]:
    return {
        "job": job,
        "queue_position": queries.queue_position(job),
        "may_cancel_training": can_cancel_job(request.user, job),
    }


@login_required
@require_GET
def training_job(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = _job(request, pk)
    visible = DatasetVersion.objects.visible_to(request.user)
    context = _job_context(request, job) | {
        "trail": _trail(job.project),
        "facts": queries.spec_facts(job),
        "sees_data": visible.filter(pk=job.dataset_version_id).exists(),
        "may_launch_training": rules.can_launch_training(request.user, job.project),
    }
    return render(request, "training/job.html", context)


@login_required
@require_GET
def training_job_status(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = _job(request, pk)
    response = render(request, "training/_job_status.html", _job_context(request, job))
    if job.is_final:
        return HttpResponseStopPolling(response.content)
    return response


@login_required
@require_POST
def cancel_training(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = cancel_job(job=_job(request, pk), by=request.user)
    return redirect_after_success(request, job)
