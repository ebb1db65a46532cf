"""The page of one model that a script logged, and what is in its files."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.core.http import HtmxRequest, send_blob, wants_fragment
from apps.experiments import actions, previews, rules
from apps.experiments.models import LoggedModel, LoggedModelFile
from apps.experiments.pages import trail_to

MOST_FILES = 200
MOST_METRICS = 200


def _find(request: HtmxRequest, pk: UUID) -> LoggedModel:
    visible = LoggedModel.objects.visible_to(request.user)
    joined = visible.select_related(
        "experiment__project", "source_run__experiment__project", "recorded_by"
    )
    return get_object_or_404(joined, pk=pk)


@login_required
@require_GET
def logged_model(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _find(request, pk)
    files = list(found.files.order_by("path")[: MOST_FILES + 1])
    context = {
        "model": found,
        "trail": _trail(found),
        "files": _decided(request, found, files[:MOST_FILES]),
        "has_more_files": len(files) > MOST_FILES,
        "parameters": found.parameters.order_by("key"),
        "metrics": found.metrics.order_by("key", "dataset_name", "step", "pk")[
            :MOST_METRICS
        ],
        "tags": found.tags.order_by("key"),
    }
    return render(request, "experiments/run_model.html", context)


def _decided(
    request: HtmxRequest, model: LoggedModel, files: list[LoggedModelFile]
) -> list[tuple[LoggedModelFile, Any]]:
    """Pair each file with the decision about it; one decision per kind."""
    for file in files:
        file.model = model  # known already
    kinds = {file.holds_data: file for file in files}
    may = {
        kind: rules.can_download_logged_model_file(request.user, file)
        for kind, file in kinds.items()
    }
    return [(file, may[file.holds_data]) for file in files]


@login_required
@require_GET
def preview_logged_model_file(
    request: HtmxRequest, pk: UUID, path: str
) -> HttpResponse:
    """What is in a file, as far as it is safe to show; showing it is recorded."""
    model = _find(request, pk)
    found = get_object_or_404(model.files, path=path)
    found.model = model
    if previews.is_read(found):
        actions.preview_logged_model_file(file=found, by=request.user)
    address = reverse("experiments:download_logged_model_file", args=[pk, path])
    context = {
        "artifact": found,
        "preview": previews.preview(found),
        "may_download": rules.can_download_logged_model_file(request.user, found),
        "download_url": address,
        "trail": [*_trail(model), {"label": model.name, "url": _address(model)}],
    }
    name = "_run_preview" if wants_fragment(request) else "run_preview"
    return render(request, f"experiments/{name}.html", context)


@login_required
@require_GET
def download_logged_model_file(
    request: HtmxRequest, pk: UUID, path: str
) -> FileResponse:
    found = get_object_or_404(_find(request, pk).files, path=path)
    file = actions.download_logged_model_file(file=found, by=request.user)
    return send_blob(file.sha256, name=file.file_name, media_type=file.media_type)


def _address(model: LoggedModel) -> str:
    return reverse("experiments:logged_model", args=[model.pk])


def _trail(model: LoggedModel) -> list[dict[str, str]]:
    trail = trail_to(model.project, model.experiment)
    if run := model.source_run:
        trail.append({"label": run.name, "url": run.get_absolute_url()})
    return trail
