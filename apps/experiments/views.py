from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from apps.core.http import HtmxRequest, send_blob
from apps.experiments import actions, pictures, rules
from apps.experiments.models import Run
from apps.experiments.pages import trail_to


def _run(request: HtmxRequest, pk: UUID) -> Run:
    visible = Run.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related(
            "experiment__project", "dataset_version__dataset__project", "recorded_by"
        ),
        pk=pk,
    )


@login_required
@require_GET
def run(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _run(request, pk)
    histories = pictures.histories(found)
    values = pictures.last_values(histories)
    measures, others = pictures.measure_rows(values)
    return render(
        request,
        "experiments/run.html",
        {
            "run": found,
            "trail": trail_to(found.project, found.experiment),
            "key_figures": pictures.key_figures(values),
            "figures": pictures.run_figures(found, histories),
            "measures": measures,
            "other_metrics": others,
            "parameters": found.parameters.order_by("key"),
            "artifacts": _artifacts(request, found),
            "sees_dataset": rules.sees_dataset(request.user, found),
        },
    )


def _artifacts(request: HtmxRequest, run: Run) -> list[tuple[Any, Any]]:
    """Pair each artifact with the decision about it; one decision per kind."""
    artifacts = list(run.artifacts.order_by("path"))
    kinds = {artifact.holds_data: artifact for artifact in artifacts}
    may = {
        kind: rules.can_download_artifact(request.user, artifact)
        for kind, artifact in kinds.items()
    }
    return [(artifact, may[artifact.holds_data]) for artifact in artifacts]


@login_required
@require_GET
def download_artifact(request: HtmxRequest, pk: UUID, path: str) -> FileResponse:
    found = get_object_or_404(_run(request, pk).artifacts, path=path)
    artifact = actions.download_artifact(artifact=found, by=request.user)
    return send_blob(
        artifact.sha256, name=artifact.file_name, media_type=artifact.media_type
    )
