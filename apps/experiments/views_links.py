"""Addresses that MLflow's clients print, led to the pages they mean."""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from apps.core.http import HtmxRequest
from apps.experiments.models import DEFAULT_NAME, Experiment, Run

DEFAULT_ID = "0"
_HEX = re.compile("[0-9a-f]{32}")


@login_required
@require_GET
def mlflow_experiment(request: HtmxRequest, experiment: str) -> HttpResponse:
    """Lead to an experiment by the id that clients use; 0 is that of plain scripts."""
    visible = Experiment.objects.visible_to(request.user)
    if experiment == DEFAULT_ID:
        return default_experiment(request)
    return redirect(get_object_or_404(visible, pk=_id(experiment)))


@login_required
@require_GET
def mlflow_run(request: HtmxRequest, experiment: str, run: str) -> HttpResponse:
    """Lead to a run by the id that clients use; the experiment may be called 0."""
    runs = Run.objects.visible_to(request.user)
    if experiment != DEFAULT_ID:
        runs = runs.filter(experiment=_id(experiment))
    return redirect(get_object_or_404(runs, pk=_id(run)))


@login_required
@require_GET
def default_experiment(request: HtmxRequest) -> HttpResponse:
    """Lead to the Default experiment; who sees several chooses one."""
    visible = Experiment.objects.visible_to(request.user).active()
    found = visible.filter(name=DEFAULT_NAME).select_related("project")
    defaults = list(found.order_by("project__name"))
    if not defaults:
        raise Http404
    if len(defaults) == 1:
        return redirect(defaults[0])
    return render(request, "experiments/defaults.html", {"experiments": defaults})


def _id(text: str) -> UUID:
    if not _HEX.fullmatch(text):
        raise Http404
    return UUID(text)
