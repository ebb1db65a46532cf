"""Experiments of a project: listed, started, renamed, put aside and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.experiments import actions, rules
from apps.experiments.experiment_list import Listed, listed_experiments
from apps.experiments.forms import ExperimentForm, ExperimentName
from apps.experiments.pages import find_experiment, find_project, trail_to
from apps.experiments.run_table import VIEWS, Fault
from apps.experiments.search.experiments import ExperimentSearch
from apps.experiments.search.nodes import SearchError
from apps.experiments.search.view import View

if TYPE_CHECKING:
    from uuid import UUID

    from apps.projects.models import Project

ORDERS = [
    ("", "Newest first"),
    ("name ASC", "Name"),
    ("last_update_time DESC", "Changed last"),
]


@login_required
@require_GET
def list_experiments(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    search = _search(request, project)
    listed: list[Listed] = []
    token, fault = "", None
    try:
        listed, token = listed_experiments(
            request.user, search, request.GET.get("token", "")
        )
    except SearchError as error:
        text, place = search.filter, error.place
        fault = Fault(error.message, place + 1, text[:place], text[place:])
    context = {
        "project": project,
        "trail": trail_to(project)[:1],
        "search": search,
        "order": request.GET.get("order_by", ""),
        "orders": ORDERS,
        "views": VIEWS,
        "listed": listed,
        "fault": fault,
        "next_query": _next_query(request, token),
        "may_create_experiment": rules.can_create_experiment(request.user, project),
    }
    status = 422 if fault else 200
    return render(request, "experiments/list.html", context, status=status)


def _search(request: HtmxRequest, project: Project) -> ExperimentSearch:
    view, order = request.GET.get("view", ""), request.GET.get("order_by", "")
    return ExperimentSearch(
        filter=request.GET.get("filter", "").strip(),
        order_by=[order] if order else [],
        view=View(view) if view in set(View) else View.ACTIVE,
        project=project.pk,
    )


def _next_query(request: HtmxRequest, token: str) -> str:
    if not token:
        return ""
    query: QueryDict = request.GET.copy()
    query["token"] = token
    return f"?{query.urlencode()}"


@login_required
@require_http_methods(["GET", "POST"])
def create_experiment(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_create_experiment(request.user, project))
    form = ExperimentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            experiment = actions.create_experiment(
                project=project, **form.cleaned_data, by=request.user
            )
            return redirect_after_success(request, experiment)
    return render_form(
        request,
        "experiments/form.html",
        {
            "form": form,
            "trail": trail_to(project),
            "cancel_url": reverse("experiments:list", args=[slug]),
        },
    )


@login_required
@require_http_methods(["GET", "POST"])
def rename_experiment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    ensure(rules.can_rename_experiment(request.user, found))
    form = ExperimentName(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            actions.rename_experiment(
                experiment=found, **form.cleaned_data, by=request.user
            )
            return redirect_after_success(request, found)
    context: dict[str, Any] = {
        "form": form,
        "experiment": found,
        "trail": trail_to(found.project, found),
    }
    return render_form(request, "experiments/rename.html", context)


@login_required
@require_POST
def delete_experiment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    actions.delete_experiment(experiment=found, by=request.user)
    messages.success(request, f"{found.name} is put aside, and its runs with it.")
    return redirect_after_success(request, found)


@login_required
@require_POST
def restore_experiment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    actions.restore_experiment(experiment=found, by=request.user)
    messages.success(request, f"{found.name} is back, with its runs.")
    return redirect_after_success(request, found)
