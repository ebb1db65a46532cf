"""Tables of runs: of one experiment, and of all those of a project."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Case, When
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.core.csv_cells import csv_text
from apps.core.http import HtmxRequest, send_text
from apps.experiments import actions, comparing, rules
from apps.experiments.actions.bulk import MOST_RUNS
from apps.experiments.models import ColumnChoice, Experiment, Run
from apps.experiments.pages import find_experiment, find_project, trail_to
from apps.experiments.run_columns import first_columns, offered_columns, read_columns
from apps.experiments.run_keys import suggestions
from apps.experiments.run_table import (
    MOST_ROWS,
    VIEWS,
    Asked,
    Fault,
    fault_of,
    keys_of,
    spreadsheet,
    table_of,
)
from apps.experiments.search.nodes import SearchError

if TYPE_CHECKING:
    from collections.abc import Collection

    from apps.projects.models import Project


MOST_OFFERED = 200  # experiments
# No more digits than the longest text that is completed has.
_PLACE = re.compile("[0-9]{1,4}")


@login_required
@require_GET
def experiment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    here = {
        "experiment": found,
        "project": found.project,
        "trail": trail_to(found.project),
        "table_url": found.get_absolute_url(),
        "suggest_url": reverse("experiments:suggest", args=[pk]),
        "columns_url": reverse("experiments:choose_columns", args=[pk]),
        "csv_url": reverse("experiments:download_runs", args=[pk]),
        "may_record_run": rules.can_record_run(request.user, found),
        "may_rename": rules.can_rename_experiment(request.user, found),
        "may_delete": rules.can_delete_experiment(request.user, found),
        "may_restore": rules.can_restore_experiment(request.user, found),
        "tags": found.tags.exclude(key__startswith="mlflow.").order_by("key"),
    }
    remembered = _remembered(request, found)
    return _table(request, "experiments/experiment.html", [pk], here, remembered)


@login_required
@require_GET
def list_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    """Runs of all experiments, to choose from; what was chosen stays chosen."""
    project = find_project(request, slug)
    asked = Asked.from_query(request.GET)
    experiments = _experiments(request, project)
    here = {
        "project": project,
        "trail": trail_to(project),
        "table_url": request.path,
        "suggest_url": reverse("experiments:suggest_in_project", args=[slug]),
        "csv_url": reverse("experiments:download_project_runs", args=[slug]),
        "experiments": _offered(experiments, asked),
        "most_experiments": MOST_OFFERED,
    }
    wanted = _wanted(experiments, asked)
    return _table(request, "experiments/project_table.html", wanted, here)


@login_required
@require_GET
def suggest(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    return _suggestions(request, [found.pk])


@login_required
@require_GET
def suggest_in_project(request: HtmxRequest, slug: str) -> HttpResponse:
    experiments = _experiments(request, find_project(request, slug))
    return _suggestions(request, _wanted(experiments, Asked.from_query(request.GET)))


@login_required
@require_POST
def choose_columns(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Remember columns for the person who chose them, and show them."""
    found = find_experiment(request, pk)
    columns = [one.text for one in read_columns(request.POST.getlist("column"))]
    ColumnChoice.objects.visible_to(request.user).keep(
        owner=request.user, experiment=found, columns=columns
    )
    asked = Asked.from_query(QueryDict(request.POST.get("query", "")))
    query = asked.query(columns=tuple(columns), token="")
    return redirect(f"{found.get_absolute_url()}{query}")


@login_required
@require_GET
def download_runs(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    return _csv(request, found, [found.pk], _remembered(request, found))


@login_required
@require_GET
def download_project_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    experiments = _experiments(request, project)
    return _csv(request, project, _wanted(experiments, Asked.from_query(request.GET)))


def _experiments(request: HtmxRequest, project: Project) -> Any:
    return Experiment.objects.visible_to(request.user).filter(project=project)


def _offered(experiments: Any, asked: Asked) -> list[tuple[UUID, str, bool]]:
    """Name experiments to choose among, those first that are chosen."""
    chosen = comparing.chosen_ids(asked.experiments)
    is_chosen = Case(When(pk__in=chosen, then=True), default=False)
    listed = experiments.active().annotate(is_chosen=is_chosen)
    ordered = listed.order_by("-is_chosen", "name", "pk")[:MOST_OFFERED]
    return list(ordered.values_list("pk", "name", "is_chosen"))


def _wanted(experiments: Any, asked: Asked) -> list[UUID]:
    """Take the experiments that are asked for; without any, all."""
    if ids := comparing.chosen_ids(asked.experiments):
        experiments = experiments.filter(pk__in=ids)
    return list(experiments.values_list("pk", flat=True))


def _remembered(request: HtmxRequest, experiment: Experiment) -> list[str]:
    mine = ColumnChoice.objects.visible_to(request.user).filter(experiment=experiment)
    choice = mine.first()
    return list(choice.columns) if choice else []


def _asked(request: HtmxRequest, remembered: list[str] | None) -> Asked:
    """Read the address; columns that it leaves open are those of before."""
    asked = Asked.from_query(request.GET)
    return replace(asked, columns=asked.columns or tuple(remembered or ()))


def _table(
    request: HtmxRequest,
    template: str,
    experiments: Collection[UUID],
    here: dict[str, Any],
    remembered: list[str] | None = None,
) -> HttpResponse:
    """Answer with a page of the table, or with what is wrong with the question."""
    asked = _asked(request, remembered)
    keys = keys_of(request.user, experiments)
    columns = read_columns(asked.columns) or first_columns(keys)
    table, fault = None, fault_of(asked)
    if fault is None:
        try:
            table = table_of(request.user, experiments, asked, columns)
        except SearchError as error:
            fault = Fault(error.message)
    shown = {line.run.pk for line in table.lines} if table else set()
    chosen = comparing.chosen_ids(asked.chosen)
    context = {
        **here,
        "asked": asked,
        "query": asked.query(token="")[1:],
        "next_query": asked.query(token=table.next) if table and table.next else "",
        "first_query": asked.query(token="") if asked.token else "",
        "views": VIEWS,
        "table": table,
        "fault": fault,
        "offered": offered_columns(keys, columns),
        "chosen": chosen[:MOST_RUNS],
        "most_chosen": MOST_RUNS,
        "dropped": _dropped(len(chosen)),
        "elsewhere": _elsewhere(
            request, here["project"], set(chosen[:MOST_RUNS]) - shown
        ),
        "most_rows": MOST_ROWS,
    }
    return render(request, template, context, status=422 if fault else 200)


def _dropped(count: int) -> str:
    """Say that not all that was ticked stays ticked."""
    if count <= MOST_RUNS:
        return ""
    return f"You chose {count} runs. The first {MOST_RUNS} stay chosen: no more fit."


def _elsewhere(request: HtmxRequest, project: Project, chosen: set[UUID]) -> Any:
    """Find the chosen runs that are not on this page."""
    visible = Run.objects.visible_to(request.user).defer("summary")
    found = visible.filter(pk__in=chosen, experiment__project=project)
    return found.select_related("experiment").order_by("-pk")


def _suggestions(request: HtmxRequest, experiments: list[UUID]) -> HttpResponse:
    text = request.GET.get("filter", "")
    at = request.GET.get("at", "")
    place = int(at) if _PLACE.fullmatch(at) else len(text)
    visible = Run.objects.visible_to(request.user).filter(experiment__in=experiments)
    return render(
        request,
        "experiments/_suggestions.html",
        {"suggestions": suggestions(visible, text, place)},
    )


def _csv(
    request: HtmxRequest,
    owner: Experiment | Project,
    experiments: list[UUID],
    remembered: list[str] | None = None,
) -> HttpResponse:
    asked = _asked(request, remembered)
    keys = keys_of(request.user, experiments)
    columns = read_columns(asked.columns) or first_columns(keys)
    rows = spreadsheet(request.user, experiments, asked, columns)
    actions.download_runs(
        owner=owner, query=asked.query(), rows=len(rows) - 1, by=request.user
    )
    return send_text(csv_text(rows), name="runs.csv", media_type="text/csv")
