"""The page of one run: what it is, how it went, what it measured."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import replace_url

from apps.core.http import HtmxRequest, redirect_after_success, wants_fragment
from apps.experiments import actions, pictures, rules, run_family
from apps.experiments.forms_run import ChartForm, TagForm
from apps.experiments.metric_history import (
    SYSTEM,
    counted_points,
    logged_so_far,
    pause_seconds,
)
from apps.experiments.models import Run
from apps.experiments.notes import CLIENT_TAGS, NOTE_TAG, note_of
from apps.experiments.pages import find_run, trail_to
from apps.experiments.run_pictures import drawable, history_figures
from apps.experiments.views_run_artifacts import files_of

MOST_METRICS = 200


@login_required
@require_GET
def run(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return _run_page(request, find_run(request, pk), TagForm(auto_id="tag-%s"))


def _run_page(
    request: HtmxRequest, run: Run, tag_form: TagForm, status: int = 200
) -> HttpResponse:
    following = _following(request, run)
    values = pictures.latest_values(run)
    context = {
        "run": run,
        "following": following,
        "trail": trail_to(run.project, run.experiment),
        "protections": rules.protections(run),
        "key_figures": pictures.key_figures(pictures.finite(_of_model(values))),
        "figures": pictures.run_figures(run),
        "parameters": run.parameters.order_by("key"),
        "parent": run_family.parent_of(run, request.user),
        "nested": run_family.nested_in(run, request.user),
        "most_nested": run_family.MOST_NESTED,
        "models": run_family.models_of(run),
        "used_data": run_family.used_data(run, request.user),
        "sees_dataset": rules.sees_dataset(request.user, run),
        "may_tag": rules.can_set_run_tags(request.user, run),
        "tag_form": tag_form,
        "note": note_of(run),
        **_tags(run),
        **files_of(request, run),
        **_progress(request, run, values),
    }
    return render(request, "experiments/run.html", context, status=status)


def _of_model(values: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in values.items() if not key.startswith(SYSTEM)}


def _tags(run: Run) -> dict[str, Any]:
    """Part what people say from what clients note for themselves."""
    tags = list(run.tags.exclude(key=NOTE_TAG).order_by("key"))
    return {
        "tags": [tag for tag in tags if not tag.key.startswith(CLIENT_TAGS)],
        "client_tags": [tag for tag in tags if tag.key.startswith(CLIENT_TAGS)],
    }


@login_required
@require_GET
def run_progress(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """How far a run is; asks for itself again until the run has ended."""
    found = find_run(request, pk)
    if _shows_all(request, found):
        return HttpResponse(status=204)
    context = {
        "run": found,
        "following": _following(request, found),
        **_progress(request, found, pictures.latest_values(found)),
    }
    answer = render(request, "experiments/_run_progress.html", context)
    return _with_choice(request, answer, found.get_absolute_url())


def _shows_all(request: HtmxRequest, run: Run) -> bool:
    """Say whether a page that follows a run has nothing new to fetch."""
    return not run.has_ended and request.GET.get("seen") == logged_so_far(run)


def _following(request: HtmxRequest, run: Run) -> str:
    """Give the query with which a page asks for itself again.

    It is made before anything is read: what is logged meanwhile is asked for once more.
    """
    query = request.GET.copy()
    query["seen"] = logged_so_far(run)
    return query.urlencode()


def _with_choice(request: HtmxRequest, answer: HttpResponse, page: str) -> HttpResponse:
    """Let the address of a page hold how its reader wants the charts."""
    if request.htmx.trigger != "chart-form":
        return answer
    return replace_url(answer, f"{page}?{request.GET.urlencode()}")


def _progress(
    request: HtmxRequest, run: Run, values: dict[str, float]
) -> dict[str, Any]:
    counted = counted_points(run)
    form = ChartForm(request.GET, offered=drawable(counted))
    measures, others = pictures.measure_rows(_of_model(values))
    shown = others if form.every_metric else others[:MOST_METRICS]
    return {
        "duration": run_family.duration(run),
        "pause_seconds": pause_seconds(counted),
        "chart_form": form,
        "charts": history_figures(run, form.drawn, form.choice, counted),
        "measures": measures,
        "other_metrics": shown,
        "other_metric_count": len(others),
        "has_system_metrics": any(key.startswith(SYSTEM) for key in counted),
    }


@login_required
@require_GET
def run_system_metrics(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """What the machine did meanwhile; apart, since it says nothing of the model."""
    found = find_run(request, pk)
    if _shows_all(request, found):
        return HttpResponse(status=204)
    following = _following(request, found)
    counted = counted_points(found)
    form = ChartForm(request.GET, offered=drawable(counted, system=True))
    values = pictures.latest_values(found)
    context = {
        "run": found,
        "trail": [
            *trail_to(found.project, found.experiment),
            {"label": found.name, "url": found.get_absolute_url()},
        ],
        "pause_seconds": pause_seconds(counted),
        "chart_form": form,
        "charts": history_figures(found, form.drawn, form.choice, counted),
        "following": following,
        "metrics": sorted(
            (key.removeprefix(SYSTEM), value)
            for key, value in values.items()
            if key.startswith(SYSTEM)
        ),
    }
    name = "_run_system_metrics" if wants_fragment(request) else "run_system_metrics"
    answer = render(request, f"experiments/{name}.html", context)
    return _with_choice(request, answer, request.path)


@login_required
@require_POST
def set_run_tags(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_run(request, pk)
    form = TagForm(request.POST, auto_id="tag-%s")
    if form.is_valid():
        tags = {form.cleaned_data["key"]: form.cleaned_data["value"]}
        with form.taking_faults():
            actions.set_run_tags(run=found, tags=tags, by=request.user)
            return redirect_after_success(request, f"{found.get_absolute_url()}#tags")
    return _run_page(request, found, form, status=422)


@login_required
@require_POST
def delete_run_tag(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_run(request, pk)
    tag = get_object_or_404(found.tags, key=request.POST.get("key", ""))
    actions.delete_run_tag(tag=tag, by=request.user)
    return redirect_after_success(request, f"{found.get_absolute_url()}#tags")
