from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.core.csv_cells import csv_text
from apps.core.http import HtmxRequest, send_text
from apps.experiments import actions, comparing, comparison_pictures, queries, rules
from apps.experiments.comparing import Comparison
from apps.experiments.forms import ComparisonForm
from apps.experiments.metric_history import compared_histories
from apps.experiments.models import Run
from apps.experiments.pages import find_project, trail_to
from apps.projects.models import Project


@login_required
@require_GET
def compare_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    compared = _compared(request, project)
    form = ComparisonForm(request.GET, compared=compared)
    return render(
        request,
        "experiments/compare.html",
        {
            "project": project,
            "trail": trail_to(project),
            "compared": compared,
            "form": form,
            "others": _others(request, compared),
            "choice": _choice(compared),
            **_best(compared, form),
            "figures": _figures(compared, form),
        },
    )


@login_required
@require_GET
def download_comparison(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    compared = _compared(request, project)
    actions.download_comparison(project=project, runs=compared.runs, by=request.user)
    rows = csv_text(compared.rows())
    return send_text(rows, name="comparison.csv", media_type="text/csv")


def _runs(request: HtmxRequest, project: Project) -> Any:
    visible = Run.objects.visible_to(request.user).active()
    return visible.filter(experiment__project=project).select_related(
        "recorded_by", "experiment"
    )


def _compared(request: HtmxRequest, project: Project) -> Comparison:
    runs = comparing.chosen_runs(
        _runs(request, project).select_related("dataset_version__dataset"),
        request.GET.getlist("run"),
    )
    return comparing.comparison(runs, rules.seen_versions(request.user, runs))


def _choice(compared: Comparison) -> str:
    """Give the chosen runs as they stand in an address."""
    query = QueryDict(mutable=True)
    query.setlist("run", [str(run.pk) for run in compared.runs])
    return query.urlencode()


def _others(request: HtmxRequest, compared: Comparison) -> list[tuple[Run, str]]:
    """Pair each run with the address of the comparison without it."""
    if len(compared.runs) == comparing.FEWEST_COMPARED:
        return [(run, "") for run in compared.runs]
    pairs = []
    for run in compared.runs:
        query = request.GET.copy()
        kept = [str(one.pk) for one in compared.runs if one is not run]
        query.setlist("run", kept)
        pairs.append((run, f"?{query.urlencode()}"))
    return pairs


def _best(compared: Comparison, form: ComparisonForm) -> dict[str, Any]:
    key = str(form.picked["best"])
    return {
        "best_title": queries.metric_title(key),
        "best": compared.best_by(key) if key else [],
    }


def _figures(compared: Comparison, form: ComparisonForm) -> list[Any]:
    runs, picked = compared.runs, {k: str(v) for k, v in form.picked.items()}
    quantities = form.quantities
    best = compared.best_by(picked["best"])
    drawn = [comparison_pictures.coordinates(runs, form.chosen_axes(), best)]
    if picked["best"]:
        drawn.append(comparison_pictures.judged(compared, picked["best"]))
    if picked["x"] and picked["y"]:
        x, y = quantities[picked["x"]], quantities[picked["y"]]
        drawn.append(comparison_pictures.cloud(runs, x, y))
    drawn += comparison_pictures.curves(runs)
    if key := picked["history"]:
        found = compared_histories(runs, key)
        drawn.append(comparison_pictures.history(runs, key, found))
    return [figure for figure in drawn if figure]
