from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HTMX_STOP_POLLING

from apps.access.checks import ensure
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    send_blob,
)
from apps.core.rest import keyset_page
from apps.datasets import actions, queries, rules
from apps.datasets.forms import DatasetForm, NewDatasetForm, VersionForm
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.jobs.rules import can_cancel_job
from apps.projects.forms import GrantForm
from apps.projects.models import Project
from apps.projects.views_access import AccessViews, access_panel

GET_OR_POST = ["GET", "POST"]
_FIRST_STAGES: dict[str, str] = {
    JobStatus.QUEUED: "Waiting for a worker",
    JobStatus.RUNNING: "Starting",
}


def _project(request: HtmxRequest, slug: str) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)


def _dataset(request: HtmxRequest, pk: UUID) -> Dataset:
    visible = Dataset.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", "created_by"), pk=pk)


def _version(request: HtmxRequest, pk: UUID) -> DatasetVersion:
    visible = DatasetVersion.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("dataset__project", "uploaded_by"), pk=pk
    )


def _trail(project: Project, dataset: Dataset | None = None) -> list[dict[str, str]]:
    trail = [
        {"label": project.name, "url": project.get_absolute_url()},
        {"label": "Datasets", "url": reverse("datasets:list", args=[project.slug])},
    ]
    if dataset:
        trail.append({"label": dataset.title, "url": dataset.get_absolute_url()})
    return trail


@login_required
@require_GET
def list_datasets(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    datasets = Dataset.objects.visible_to(request.user).filter(project=project)
    page = keyset_page(datasets, after=request.GET.get("after"), limit=24)
    latest = queries.latest_versions(page.rows)
    return render(
        request,
        "datasets/list.html",
        {
            "project": project,
            "trail": _trail(project)[:1],
            "page": page,
            "cards": [(dataset, latest.get(dataset.pk)) for dataset in page.rows],
            "may_upload_dataset": rules.can_upload_dataset(request.user, project),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def upload_dataset(request: HtmxRequest, slug: str) -> HttpResponse:
    project = _project(request, slug)
    ensure(rules.can_upload_dataset(request.user, project))
    form = NewDatasetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            file = form.cleaned_data.pop("file")
            version = actions.upload_dataset(
                project=project,
                values=form.cleaned_data,
                content=file,
                original_name=file.name,
                by=request.user,
            )
            return redirect_after_success(request, version)
    back = reverse("datasets:list", args=[slug])
    return _form_page(request, form, "Upload a dataset", _trail(project), back)


@login_required
@require_GET
def dataset(request: HtmxRequest, pk: UUID) -> HttpResponse:
    form = GrantForm(sharing=Dataset.sharing)
    return _dataset_page(request, _dataset(request, pk), form)


def _dataset_page(
    request: HtmxRequest, dataset: Dataset, form: GrantForm
) -> HttpResponse:
    user, project = request.user, dataset.project
    versions = dataset.versions.select_related("uploaded_by")
    page = keyset_page(
        versions.defer(*queries.HEAVY_FIELDS), after=request.GET.get("after")
    )
    return render_form(
        request,
        "datasets/dataset.html",
        {
            "dataset": dataset,
            "trail": _trail(project),
            "page": page,
            "access": access_panel(user, dataset),
            "form": form,
            "may_edit_dataset": rules.can_edit_dataset(user, dataset),
            "may_upload_version": rules.can_upload_version(user, dataset),
        },
    )


access_views = AccessViews(find=_dataset, page=_dataset_page)


@login_required
@require_http_methods(GET_OR_POST)
def edit_dataset(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = _dataset(request, pk)
    ensure(rules.can_edit_dataset(request.user, dataset))
    initial = {name: getattr(dataset, name) for name in actions.EDITABLE}
    form = DatasetForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.edit_dataset(dataset=dataset, values=form.cleaned_data, by=request.user)
        return redirect_after_success(request, dataset)
    trail = _trail(dataset.project, dataset)
    return _form_page(
        request, form, "Edit the description", trail, dataset.get_absolute_url()
    )


@login_required
@require_http_methods(GET_OR_POST)
def upload_version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = _dataset(request, pk)
    ensure(rules.can_upload_version(request.user, dataset))
    form = VersionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            file = form.cleaned_data["file"]
            version = actions.upload_version(
                dataset=dataset,
                content=file,
                original_name=file.name,
                by=request.user,
            )
            return redirect_after_success(request, version)
    trail = _trail(dataset.project, dataset)
    return _form_page(
        request, form, "Upload a new version", trail, dataset.get_absolute_url()
    )


def _form_page(
    request: HtmxRequest,
    form: Any,
    title: str,
    trail: list[dict[str, str]],
    cancel_url: str,
) -> HttpResponse:
    limit = settings.UPLOAD_LIMIT_BYTES if form.is_multipart() else None
    return render_form(
        request,
        "datasets/form.html",
        {
            "form": form,
            "title": title,
            "trail": trail,
            "submit_label": "Upload" if limit else "Save",
            "cancel_url": cancel_url,
            "upload_limit_bytes": limit,
        },
    )


@login_required
@require_GET
def version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _version(request, pk)
    return render(request, "datasets/version.html", _version_context(request, found))


@login_required
@require_GET
def version_progress(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _version(request, pk)
    status = HTMX_STOP_POLLING if found.is_final else 200
    context = _version_context(request, found)
    return render(request, "datasets/_version.html", context, status=status)


def _version_context(request: HtmxRequest, version: DatasetVersion) -> dict[str, Any]:
    user = request.user
    return {
        "version": version,
        "title": f"{version.dataset.title}, version {version.number}",
        "trail": _trail(version.project, version.dataset),
        "stage": version.stage or _FIRST_STAGES.get(version.status, ""),
        "columns": queries.column_cards(version),
        "figures": queries.key_figures(version),
        "places": queries.failure_places(version),
        "may_cancel_ingest": can_cancel_job(user, version),
        "may_download_original": rules.can_download_version(
            user, version, DatasetContent.ORIGINAL
        ),
        "may_download_parquet": rules.can_download_version(
            user, version, DatasetContent.PARQUET
        ),
        "may_upload_version": rules.can_upload_version(user, version.dataset),
    }


@login_required
@require_POST
def cancel_ingest(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = cancel_job(job=_version(request, pk), by=request.user)
    return redirect_after_success(request, found)


@login_required
@require_GET
def download_version(request: HtmxRequest, pk: UUID) -> FileResponse:
    file = actions.download_version(
        version=_version(request, pk),
        content=queries.content_named(request.GET.get("format")),
        by=request.user,
    )
    return send_blob(file.sha256, name=file.name, media_type=file.media_type)
