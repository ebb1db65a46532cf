from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HTMX_STOP_POLLING

from apps.core.errors import Invalid
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.datasets import actions, queries, rules
from apps.datasets.diff_figures import shift_figures, shift_rows
from apps.datasets.forms import DiffForm
from apps.datasets.models import Dataset, DatasetVersion, VersionDiff
from apps.datasets.pages import find_dataset, sections, trail_to
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job

Pair = tuple[DatasetVersion, DatasetVersion]


@login_required
@require_GET
def changes(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    given = request.GET
    pair = queries.chosen_pair(
        dataset, given.get("before_number"), given.get("after_number")
    )
    return _changes_page(request, dataset, pair, _form(dataset, pair))


@login_required
@require_POST
def request_diff(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    given = request.POST
    pair = queries.chosen_pair(
        dataset, given.get("before_number"), given.get("after_number")
    )
    if pair is None:
        raise Invalid("Choose two versions of this dataset that were read.")
    form = _form(dataset, pair, given)
    if form.is_valid():
        with form.taking_faults():
            diff = actions.request_diff(
                before=pair[0],
                after=pair[1],
                key=form.cleaned_data["key"],
                by=request.user,
            )
            return redirect_after_success(request, diff)
    return _changes_page(request, dataset, pair, form)


def _form(dataset: Dataset, pair: Pair | None, data: Any = None) -> Any:
    if pair is None:
        return PortalForm()
    numbers = queries.numbers_to_compare(dataset)
    return DiffForm(data, numbers=numbers, pair=pair)


def _changes_page(
    request: HtmxRequest, dataset: Dataset, pair: Pair | None, form: PortalForm
) -> HttpResponse:
    made = VersionDiff.objects.visible_to(request.user).filter(after__dataset=dataset)
    listed = made.select_related("before", "after__dataset__project", "asked_by")
    context: dict[str, Any] = {
        "dataset": dataset,
        "trail": trail_to(dataset.project, dataset),
        "sections": sections(dataset, "Changes"),
        "form": form,
        "pair": pair,
        "page": keyset_page(
            listed.defer(*queries.HEAVY_DIFF_FIELDS), after=request.GET.get("after")
        ),
    }
    if pair:
        before, after = pair
        context |= {
            "before": before,
            "after": after,
            "groups": queries.changed_groups(before, after),
            "schema": queries.changed_schema(before, after),
            "may_request_diff": rules.can_request_diff(request.user, after),
        }
    return render_form(request, "datasets/changes.html", context)


def _find_diff(request: HtmxRequest, pk: UUID) -> VersionDiff:
    visible = VersionDiff.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("before", "after__dataset__project", "asked_by"), pk=pk
    )


@login_required
@require_GET
def diff(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _find_diff(request, pk)
    return render(request, "datasets/diff.html", _diff_context(request, found))


@login_required
@require_GET
def diff_progress(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _find_diff(request, pk)
    status = HTMX_STOP_POLLING if found.is_final else 200
    context = _diff_context(request, found)
    return render(request, "datasets/_diff.html", context, status=status)


def _diff_context(request: HtmxRequest, diff: VersionDiff) -> dict[str, Any]:
    dataset = diff.dataset
    return {
        "diff": diff,
        "dataset": dataset,
        "title": f"From version {diff.before.number} to version {diff.after.number}",
        "trail": trail_to(dataset.project, dataset),
        "sections": sections(dataset, "Changes"),
        "figures": shift_figures(diff, request.GET.get("column")),
        "shifts": shift_rows(diff),
        "counts": queries.diff_figures(diff),
        "groups": queries.changed_groups(diff.before, diff.after),
        "may_cancel_diff": can_cancel_job(request.user, diff),
        "may_download_diff": rules.can_download_diff(request.user, diff),
        "may_request_diff": rules.can_request_diff(request.user, diff.after),
    }


@login_required
@require_POST
def cancel_diff(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = cancel_job(job=_find_diff(request, pk), by=request.user)
    return redirect_after_success(request, found)


@login_required
@require_GET
def download_diff(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _find_diff(request, pk)
    text = actions.download_diff(diff=found, by=request.user)
    name = f"{found.dataset.name}-{found.before.number}-{found.after.number}.csv"
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
