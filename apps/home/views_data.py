from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.approvals import rules as approval_rules
from apps.core.http import HtmxRequest
from apps.core.rest import keyset_page
from apps.datasets import queries as dataset_queries
from apps.datasets import rules as dataset_rules
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.pages import find_dataset, find_version, sections, trail_to
from apps.experiments.models import Run
from apps.home.lineage import COLUMNS, MOST_LIMIT, ONE, limit_in, lineage
from apps.home.lineage_drawing import drawing
from apps.home.pages import find_model_version, trail_to_model
from apps.jobs.rules import can_cancel_job
from apps.registry import queries as registry_queries
from apps.registry.models import RegisteredModel
from apps.validation import queries as validation_queries

PARTS_SHOWN = 10
LOOKS_SHOWN = 20


@login_required
@require_GET
def sealed_data(request: HtmxRequest, pk: UUID) -> HttpResponse:
    user, dataset = request.user, find_dataset(request, pk)
    parts = list(dataset_queries.sealed_parts_of(dataset).order_by("-pk")[:PARTS_SHOWN])
    newest = DatasetVersion.objects.visible_to(user).filter(dataset=dataset).ready()
    version = newest.select_related("dataset__project").order_by("-number").first()
    looks = validation_queries.looks_at(dataset)
    context = {
        "dataset": dataset,
        "trail": trail_to(dataset.project, dataset),
        "sections": sections(dataset, "Sealed data"),
        "parts": [(part, can_cancel_job(user, part)) for part in parts],
        "is_reading": any(not part.is_final for part in parts),
        "page": keyset_page(looks, after=request.GET.get("after"), limit=LOOKS_SHOWN),
        "budget": dataset_queries.budget_of(dataset.project),
        "allowed": dataset_queries.looks_allowed(dataset.project),
        "version": version,
        "may_upload_sealed_part": version
        and dataset_rules.can_upload_sealed_part(user, version),
        "may_set_sealed_budget": dataset_rules.can_set_sealed_budget(
            user, dataset.project
        ),
        **_families(request, dataset),
    }
    return render(request, "home/sealed_data.html", context)


def _families(request: HtmxRequest, dataset: Dataset) -> dict[str, Any]:
    """How often each model looked; of those the reader cannot see, only how often."""
    counts = validation_queries.look_counts(dataset)
    visible = RegisteredModel.objects.visible_to(request.user).filter(pk__in=counts)
    seen = {model.pk: model for model in visible.select_related("project")}
    return {
        "families": [
            {"model": seen.get(pk), "count": count}
            for pk, count in sorted(counts.items(), key=lambda item: -item[1])
        ],
        "seen_models": set(seen),
    }


@login_required
@require_GET
def dataset_lineage(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    trail = trail_to(dataset.project, dataset)
    return _lineage_page(
        request,
        ("dataset", dataset.pk),
        title=dataset.title,
        trail=trail,
        sections=sections(dataset, "Lineage"),
    )


@login_required
@require_GET
def version_lineage(request: HtmxRequest, pk: UUID) -> HttpResponse:
    version = find_version(request, pk)
    name = f"Version {version.number}"
    return _lineage_page(
        request,
        ("dataset_version", version.pk),
        title=f"{version.dataset.title}, version {version.number}",
        trail=[
            *trail_to(version.project, version.dataset),
            {"label": name, "url": version.get_absolute_url()},
        ],
    )


@login_required
@require_GET
def run_lineage(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = Run.objects.visible_to(request.user)
    run = get_object_or_404(visible.select_related("experiment__project"), pk=pk)
    steps = (run.project, run.experiment, run)
    return _lineage_page(
        request,
        ("run", run.pk),
        title=run.name,
        trail=[{"label": s.name, "url": s.get_absolute_url()} for s in steps],
    )


@login_required
@require_GET
def run_approval_panel(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """How to ask for approval of what a run was registered as, for the run's page."""
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=pk)
    version = registry_queries.versions_of_run(run, request.user).first()
    context = {
        "version": version,
        "may_request_approval": version
        and approval_rules.can_request_approval(request.user, version),
    }
    return render(request, "home/_run_approval_panel.html", context)


@login_required
@require_GET
def model_version_lineage(
    request: HtmxRequest, slug: str, name: str, number: int
) -> HttpResponse:
    version = find_model_version(request, slug, name, number)
    return _lineage_page(
        request,
        ("model_version", version.pk),
        title=f"{version.model.name}, version {version.number}",
        trail=[
            *trail_to_model(request, version),
            {"label": f"Version {version.number}", "url": version.get_absolute_url()},
        ],
    )


def _lineage_page(
    request: HtmxRequest, start: tuple[str, UUID], **context: Any
) -> HttpResponse:
    limit = limit_in(request.GET.get("limit"))
    graph = lineage(*start, user=request.user, limit=limit)
    address = reverse("v1:lineage")
    context |= {
        "graph": graph,
        "drawing": drawing(graph),
        "rows": [
            {
                "node": node,
                "kind": ONE[node.kind],
                "before": graph.before(node),
                "after": graph.after(node),
            }
            for node in graph.nodes
        ],
        "cut": [COLUMNS[kind].lower() for kind in graph.cut],
        "limit": limit,
        "next_limit": min(limit * 4, MOST_LIMIT) if limit < MOST_LIMIT else None,
        "json_url": f"{address}?{start[0]}={start[1]}&limit={limit}",
    }
    return render(request, "home/lineage.html", context)
