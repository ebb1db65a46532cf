from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseStopPolling

from apps.core.http import HtmxRequest, redirect_after_success
from apps.core.rest import keyset_page
from apps.datasets.models import Dataset, DatasetVersion
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job
from apps.training import live, queries, rules
from apps.training.forms_jobs import JobFilter
from apps.training.models import TrainingJob
from apps.training.pages import find_job, find_project, trail_to
from apps.training.spec_facts import spec_facts
from engine.spec import TrainSpec

# What a row of the list has no room for.
LARGE = ("log_tail", "failure_details", "live_metrics", "usage")


@login_required
@require_GET
def list_jobs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    jobs = TrainingJob.objects.visible_to(request.user).filter(
        experiment__project=project
    )
    datasets = Dataset.objects.visible_to(request.user).filter(project=project)
    form = JobFilter(
        request.GET,
        people=queries.launchers(jobs),
        datasets=datasets.order_by("title"),
    )
    rows = queries.with_origins(form.narrow(jobs)).defer(*LARGE)
    return render(
        request,
        "training/list.html",
        {
            "project": project,
            "trail": trail_to(project, to_jobs=False),
            "form": form,
            "page": keyset_page(rows, after=request.GET.get("after")),
            "may_launch_training": rules.can_launch_training(request.user, project),
        },
    )


def _job_context(request: HtmxRequest, job: TrainingJob) -> dict[str, Any]:
    return {
        "job": job,
        "title": live.title_of(job),
        "outlook": live.outlook(job),
        "uses": live.use_of(job),
        "figures": live.live_figures(job),
        "advice": live.advice(job),
        "may_cancel_training": can_cancel_job(request.user, job),
        "may_relaunch_training": rules.can_relaunch_training(request.user, job),
    }


@login_required
@require_GET
def training_job(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = find_job(request, pk)
    visible = DatasetVersion.objects.visible_to(request.user)
    context = _job_context(request, job) | {
        "trail": trail_to(job.project),
        "facts": spec_facts(TrainSpec.from_json(job.spec)),
        "sees_data": visible.filter(pk=job.dataset_version_id).exists(),
        "may_launch_training": rules.can_launch_training(request.user, job.project),
    }
    return render(request, "training/job.html", context)


@login_required
@require_GET
def training_job_status(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Give what changes of the page, for a page that asks again and again."""
    job = find_job(request, pk)
    context = _job_context(request, job) | {"is_fragment": True}
    response = render(request, "training/_job_status.html", context)
    if job.is_final:
        return HttpResponseStopPolling(response.content)
    return response


@login_required
@require_POST
def cancel_training(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = cancel_job(job=find_job(request, pk), by=request.user)
    return redirect_after_success(request, job)
