from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HTMX_STOP_POLLING

from apps.core.http import HtmxRequest, redirect_after_success, send_blob, send_text
from apps.datasets import actions, queries, rules
from apps.datasets.models import DatasetContent, DatasetVersion
from apps.datasets.pages import find_version, trail_to
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.jobs.rules import can_cancel_job

_FIRST_STAGES: dict[str, str] = {
    JobStatus.QUEUED: "Waiting for a worker",
    JobStatus.RUNNING: "Starting",
}


@login_required
@require_GET
def version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_version(request, pk)
    return render(request, "datasets/version.html", _version_context(request, found))


@login_required
@require_GET
def version_progress(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_version(request, pk)
    status = HTMX_STOP_POLLING if found.is_final else 200
    context = _version_context(request, found)
    return render(request, "datasets/_version.html", context, status=status)


def _version_context(request: HtmxRequest, version: DatasetVersion) -> dict[str, Any]:
    user = request.user
    return {
        "version": version,
        "title": f"{version.dataset.title}, version {version.number}",
        "trail": trail_to(version.project, version.dataset),
        "stage": version.stage or _FIRST_STAGES.get(version.status, ""),
        "rows_so_far": queries.rows_so_far(version),
        "columns": queries.column_cards(version),
        "profile_figures": queries.profile_figures(version),
        "figures": queries.key_figures(version),
        "places": queries.failure_places(version),
        "sealed": queries.sealed_part_of(version),
        "hints": queries.hints_of(version),
        "standing": queries.datasheet_standing(version.dataset),
        "may_decide_hint": rules.can_decide_hint(user, version.dataset),
        "contract_check": queries.check_summary(version),
        "may_cancel_ingest": can_cancel_job(user, version),
        "may_download_original": rules.can_download_version(
            user, version, DatasetContent.ORIGINAL
        ),
        "may_download_parquet": rules.can_download_version(
            user, version, DatasetContent.PARQUET
        ),
        "may_download_errors": rules.can_download_errors(user, version),
        "may_upload_version": rules.can_upload_version(user, version.dataset),
    }


@login_required
@require_POST
def cancel_ingest(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = cancel_job(job=find_version(request, pk), by=request.user)
    return redirect_after_success(request, found)


@login_required
@require_GET
def download_version(request: HtmxRequest, pk: UUID) -> FileResponse:
    file = actions.download_version(
        version=find_version(request, pk),
        content=queries.content_named(request.GET.get("format")),
        by=request.user,
    )
    return send_blob(file.sha256, name=file.name, media_type=file.media_type)


@login_required
@require_GET
def download_errors(request: HtmxRequest, pk: UUID) -> HttpResponse:
    file = actions.download_errors(
        version=find_version(request, pk),
        form=queries.error_list_format(request.GET.get("format")),
        by=request.user,
    )
    return send_text(file.text, name=file.name, media_type=file.media_type)
