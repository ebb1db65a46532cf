"""Files of one run: folders, previews and downloads."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.access.checks import Decision, ensure
from apps.core import blobs
from apps.core.http import HtmxRequest, send_blob, wants_fragment
from apps.experiments import actions, previews, rules
from apps.experiments.artifact_folders import Entry, Folder, list_folder
from apps.experiments.models import Run
from apps.experiments.pages import find_run, trail_to

# A picture can do nothing, even where somebody opens it by itself.
ALONE = "default-src 'none'; sandbox"


@login_required
@require_GET
def run_files(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """A folder of a run; the part of the page alone when htmx asks."""
    run = find_run(request, pk)
    context = {"run": run, "trail": _trail(run), **files_of(request, run)}
    whole = not wants_fragment(request)
    name = "run_files" if whole else "_run_files"
    return render(request, f"experiments/{name}.html", context)


def files_of(request: HtmxRequest, run: Run) -> dict[str, Any]:
    """Read the folder that the address asks for, with the decision about each file."""
    path, after = request.GET.get("in", ""), request.GET.get("after", "")
    folder = list_folder(run, path.strip("/"), after=after)
    return {"folder": folder, "entries": _decided(request, run, folder)}


def _decided(
    request: HtmxRequest, run: Run, folder: Folder
) -> list[tuple[Entry, Decision | None]]:
    """Pair each file with the decision about it; one decision per kind."""
    files = [entry.artifact for entry in folder.entries if entry.artifact]
    for file in files:
        file.run = run  # known already
    kinds = {file.holds_data: file for file in files}
    may = {
        kind: rules.can_download_artifact(request.user, file)
        for kind, file in kinds.items()
    }
    return [
        (entry, may[entry.artifact.holds_data] if entry.artifact else None)
        for entry in folder.entries
    ]


@login_required
@require_GET
def preview_artifact(request: HtmxRequest, pk: UUID, path: str) -> HttpResponse:
    """What is in a file, as far as it is safe to show; showing it is recorded."""
    run = find_run(request, pk)
    found = get_object_or_404(run.artifacts, path=path)
    if previews.is_read(found):
        actions.preview_artifact(artifact=found, by=request.user)
    context = {
        "artifact": found,
        "preview": previews.preview(found),
        "may_download": rules.can_download_artifact(request.user, found),
        "download_url": reverse("experiments:download_artifact", args=[pk, path]),
        "picture_url": reverse("experiments:show_picture", args=[pk, path]),
        "trail": _trail(run),
    }
    whole = not wants_fragment(request)
    name = "run_preview" if whole else "_run_preview"
    return render(request, f"experiments/{name}.html", context)


@login_required
@require_GET
def show_picture(request: HtmxRequest, pk: UUID, path: str) -> FileResponse:
    """A picture itself, for the preview; anything else is not there."""
    run = find_run(request, pk)
    found = get_object_or_404(run.artifacts, path=path)
    ensure(rules.can_preview_artifact(request.user, found))
    media_type = previews.open_picture(found)
    if media_type is None:
        raise Http404
    actions.preview_artifact(artifact=found, by=request.user)
    return FileResponse(
        blobs.open_blob(found.sha256),
        content_type=media_type,
        headers={
            "Content-Security-Policy": ALONE,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )


@login_required
@require_GET
def download_artifact(request: HtmxRequest, pk: UUID, path: str) -> FileResponse:
    found = get_object_or_404(find_run(request, pk).artifacts, path=path)
    artifact = actions.download_artifact(artifact=found, by=request.user)
    return send_blob(
        artifact.sha256, name=artifact.file_name, media_type=artifact.media_type
    )


def _trail(run: Run) -> list[dict[str, str]]:
    here = {"label": run.name, "url": run.get_absolute_url()}
    return [*trail_to(run.project, run.experiment), here]
