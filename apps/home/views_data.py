from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core.http import HtmxRequest
from apps.core.rest import keyset_page
from apps.datasets import queries as dataset_queries
from apps.datasets import rules as dataset_rules
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.pages import find_dataset, sections, trail_to
from apps.jobs.rules import can_cancel_job
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
