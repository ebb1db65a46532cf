from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.datasets import actions, queries, rules, sources
from apps.datasets.models import Dataset, Upload
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class UploadPlace:
    """Where a file goes, for `components/form.html` and `static/js/upload.js`.

    Args:
        title: of the page.
        start_url: begins an upload in chunks.
        back_url: where somebody goes who gives up.
        import_url: imports a file from a source instead; empty where there is none.
        unfinished: uploads to the same place that the person can go on with.
        limit_bytes: the largest file in chunks.
        form_limit_bytes: the largest file as a form.
        chunk_bytes: the largest chunk.
    """

    title: str
    start_url: str
    back_url: str
    import_url: str
    unfinished: list[Upload]
    limit_bytes: int
    form_limit_bytes: int
    chunk_bytes: int


# Small enough that a pause loses little, large enough that asking costs nothing.
CHUNK_BYTES = 8 * 1024 * 1024


def upload_place(
    user: User, project: Project, dataset: Dataset | None = None
) -> UploadPlace:
    if dataset:
        title, back_url = "Upload a new version", dataset.get_absolute_url()
        start_url = reverse("v1:start_version_upload", args=[dataset.pk])
        import_url = reverse("datasets:import_version", args=[dataset.pk])
    else:
        title = "Upload a dataset"
        back_url = reverse("datasets:list", args=[project.slug])
        start_url = reverse("v1:start_upload", args=[project.slug])
        import_url = reverse("datasets:import_dataset", args=[project.slug])
    return UploadPlace(
        title=title,
        start_url=start_url,
        back_url=back_url,
        import_url=import_url if _may_import(user, project) else "",
        unfinished=queries.unfinished_uploads(user, project, dataset),
        limit_bytes=settings.UPLOAD_TOTAL_LIMIT_BYTES,
        form_limit_bytes=settings.UPLOAD_LIMIT_BYTES,
        chunk_bytes=min(CHUNK_BYTES, settings.UPLOAD_CHUNK_BYTES),
    )


def _may_import(user: User, project: Project) -> bool:
    has_sources = bool(sources.source_names(project))
    return has_sources and bool(rules.can_import_dataset(user, project))


def upload_page(
    request: HtmxRequest,
    form: PortalForm,
    place: UploadPlace,
    trail: list[dict[str, str]],
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "place": place, "trail": trail}
    return render_form(request, "datasets/upload.html", context)


@login_required
@require_POST
def cancel_upload(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = Upload.objects.visible_to(request.user)
    upload = get_object_or_404(visible.select_related("project", "dataset"), pk=pk)
    actions.cancel_upload(upload=upload, by=request.user)
    return redirect_after_success(request, upload)
