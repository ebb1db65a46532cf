from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.datasets import actions, queries, rules
from apps.datasets.datasheet_fields import definition
from apps.datasets.forms_datasheets import DatasheetForm, HintForm
from apps.datasets.models import Dataset, PersonalDataHint
from apps.datasets.pages import find_dataset, sections, trail_to
from apps.datasets.sensitivity import RULE

REVISIONS_SHOWN = 20


@login_required
@require_GET
def datasheet(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    return _page(request, dataset, None)


@login_required
@require_GET
def datasheet_revision(request: HtmxRequest, pk: UUID, number: int) -> HttpResponse:
    return _page(request, find_dataset(request, pk), number)


def _page(request: HtmxRequest, dataset: Dataset, number: int | None) -> HttpResponse:
    standing = queries.datasheet_standing(dataset)
    shown = standing.datasheet
    if number is not None:
        revisions = dataset.datasheets.select_related("steward", "written_by")
        shown = get_object_or_404(revisions, number=number)
    revisions = dataset.datasheets.select_related("written_by").defer("answers")
    context = {
        "dataset": dataset,
        "trail": trail_to(dataset.project, dataset),
        "sections": sections(dataset, "Datasheet"),
        "standing": standing,
        "shown": shown,
        "is_newest": shown == standing.datasheet,
        "questions": queries.datasheet_sections(standing, shown),
        "definition": definition(),
        "rule": RULE,
        "page": keyset_page(
            revisions, after=request.GET.get("after"), limit=REVISIONS_SHOWN
        ),
        "waiting": queries.versions_with_undecided_hints(dataset),
        "may_write_datasheet": rules.can_write_datasheet(request.user, dataset),
    }
    return render(request, "datasets/datasheet.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def write_datasheet(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    ensure(rules.can_write_datasheet(request.user, dataset))
    standing = queries.datasheet_standing(dataset)
    form = DatasheetForm(
        request.POST or None,
        members=queries.possible_stewards(dataset),
        datasheet=standing.datasheet,
        needed=standing.required,
    )
    to = reverse("datasets:datasheet", args=[dataset.pk])
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.write_datasheet(
                dataset=dataset, values=form.values(), by=request.user
            )
            return redirect_after_success(request, to)
    context = {
        "dataset": dataset,
        "trail": [
            *trail_to(dataset.project, dataset),
            {"label": "Datasheet", "url": to},
        ],
        "form": form,
        "standing": standing,
        "rule": RULE,
        "cancel_url": to,
    }
    return render_form(request, "datasets/datasheet_form.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def decide_hint(request: HtmxRequest, pk: UUID) -> HttpResponse:
    visible = PersonalDataHint.objects.visible_to(request.user)
    hint = get_object_or_404(visible.select_related("version__dataset__project"), pk=pk)
    version = hint.version
    ensure(rules.can_decide_hint(request.user, version.dataset))
    initial: dict[str, Any] = {"decision": hint.decision, "reason": hint.reason}
    form = HintForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.decide_hint(hint=hint, **form.cleaned_data, by=request.user)
            return redirect_after_success(request, version)
    context = {
        "hint": hint,
        "form": form,
        "trail": [
            *trail_to(version.project, version.dataset),
            {"label": f"Version {version.number}", "url": version.get_absolute_url()},
        ],
        "rule": RULE,
    }
    return render_form(request, "datasets/hint.html", context)
