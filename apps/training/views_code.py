"""Pages of people's own code."""

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
from apps.experiments.models import Experiment
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job
from apps.projects.models import Project
from apps.training import actions, queries, rules
from apps.training.forms_code import CodeForm
from apps.training.models import CodeJob


def _project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def _trail(project: Project, *, to_jobs: bool = True) -> list[dict[str, str]]:
    jobs = reverse("training:code_jobs", args=[project.slug])
    return [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Own code", "url": jobs},
    ][: 1 + to_jobs]


@login_required
@require_GET
def list_code_jobs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    jobs = CodeJob.objects.visible_to(request.user).filter(experiment__project=project)
    rows = queries.with_code_origins(jobs).defer(*queries.CODE_HEAVY)
    context = {
        "project": project,
        "trail": _trail(project, to_jobs=False),
        "page": keyset_page(rows, after=request.GET.get("after")),
        "may_launch_code": rules.can_launch_code(request.user, project),
    }
    return render(request, "training/code_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def launch_code(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    ensure(rules.can_launch_code(request.user, project))
    form = _form(request, project)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            job = actions.launch_code(
                experiment=form.cleaned_data["experiment"],
                dataset_version=form.cleaned_data["dataset_version"],
                wish=form.wish(),
                code=form.cleaned_data["code"],
                by=request.user,
            )
            return redirect_after_success(request, job)
    context = {"project": project, "trail": _trail(project), "form": form}
    return render_form(request, "training/code_launch.html", context)


def _form(request: HtmxRequest, project: Project) -> CodeForm:
    user = request.user
    experiments = Experiment.objects.visible_to(user).filter(project=project)
    versions = DatasetVersion.objects.visible_to(user).filter(dataset__project=project)
    return CodeForm(
        request.POST or None,
        request.FILES or None,
        experiments=experiments.order_by("-pk"),
        versions=versions.ready().select_related("dataset__project").order_by("-pk"),
    )


def _job(request: HtmxRequest, pk: UUID) -> CodeJob:
    visible = queries.with_code_origins(CodeJob.objects.visible_to(request.user))
    return get_object_or_404(visible, pk=pk)


def _context(request: HtmxRequest, job: CodeJob) -> dict[str, Any]:
    return {"job": job, "may_cancel_code": can_cancel_job(request.user, job)}


@login_required
@require_GET
def code_job(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = _job(request, pk)
    visible = DatasetVersion.objects.visible_to(request.user)
    context = _context(request, job) | {
        "trail": _trail(job.project),
        "facts": queries.code_facts(job),
        "sees_data": visible.filter(pk=job.dataset_version_id).exists(),
        "may_launch_code": rules.can_launch_code(request.user, job.project),
    }
    return render(request, "training/code_job.html", context)


@login_required
@require_GET
def code_job_status(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = _job(request, pk)
    response = render(request, "training/_code_status.html", _context(request, job))
    return HttpResponseStopPolling(response.content) if job.is_final else response


@login_required
@require_POST
def cancel_code(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = cancel_job(job=_job(request, pk), by=request.user)
    return redirect_after_success(request, job)
