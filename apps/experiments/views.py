from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
)
from apps.core.rest import keyset_page
from apps.experiments import actions, queries, rules
from apps.experiments.forms import ExperimentForm
from apps.experiments.models import Experiment
from apps.experiments.pages import find_experiment, find_project, trail_to

RUNS_ON_A_PAGE = 20


@login_required
@require_GET
def list_experiments(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    experiments = queries.with_run_counts(
        Experiment.objects.visible_to(request.user).active().filter(project=project)
    )
    return render(
        request,
        "experiments/list.html",
        {
            "project": project,
            "trail": trail_to(project)[:1],
            "page": keyset_page(experiments, after=request.GET.get("after"), limit=24),
            "may_create_experiment": rules.can_create_experiment(request.user, project),
        },
    )


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
@require_GET
def experiment(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    page = keyset_page(
        found.runs.active().select_related("recorded_by").defer("summary"),
        after=request.GET.get("after"),
        limit=RUNS_ON_A_PAGE,
    )
    keys, rows = queries.run_table(page.rows)
    return render(
        request,
        "experiments/experiment.html",
        {
            "experiment": found,
            "trail": trail_to(found.project),
            "page": page,
            "titles": [queries.metric_title(key) for key in keys],
            "rows": rows,
            "may_record_run": rules.can_record_run(request.user, found),
        },
    )
