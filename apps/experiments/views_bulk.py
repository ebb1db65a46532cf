"""Changes of many runs at once, each asked about before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.experiments import actions, comparing, rules
from apps.experiments.actions.bulk import MOST_RUNS
from apps.experiments.forms import TagForm
from apps.experiments.models import Run
from apps.experiments.pages import find_project, trail_to
from apps.experiments.run_table import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apps.access.checks import Decision
    from apps.accounts.models import User
    from apps.projects.models import Project


@login_required
@require_GET
def change_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    """Show the chosen runs and what can be done with them."""
    project = find_project(request, slug)
    return _page(request, project, _runs(request, project, request.GET), TagForm())


@login_required
@require_POST
def tag_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    runs = _runs(request, project, request.POST)
    form = TagForm(request.POST)
    if form.is_valid():
        with form.taking_faults():
            tags = {form.cleaned_data["key"]: form.cleaned_data["value"]}
            changed = actions.tag_runs(runs=runs, tags=tags, by=request.user)
            return _back(request, project, f"{_told(changed)} tagged.")
    return _page(request, project, runs, form)


@login_required
@require_POST
def delete_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    runs = _runs(request, project, request.POST)
    changed = actions.delete_runs(runs=runs, by=request.user)
    return _back(request, project, f"{_told(changed)} put aside.")


@login_required
@require_POST
def restore_runs(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    runs = _runs(request, project, request.POST)
    changed = actions.restore_runs(runs=runs, by=request.user)
    return _back(request, project, f"{_told(changed)} brought back.")


def _runs(request: HtmxRequest, project: Project, given: QueryDict) -> list[Run]:
    """Read the chosen runs; one more than can be changed, so that it is noticed."""
    ids = comparing.chosen_ids(given.getlist("run"))[: MOST_RUNS + 1]
    visible = Run.objects.visible_to(request.user).defer("summary")
    found = visible.filter(pk__in=ids, experiment__project=project)
    runs = list(found.select_related("experiment__project").order_by("pk"))
    if not 1 <= len(runs) <= MOST_RUNS:
        raise actions.RunCount(f"Choose 1 to {MOST_RUNS} runs of this project.")
    return runs


def _page(
    request: HtmxRequest, project: Project, runs: Sequence[Run], form: TagForm
) -> HttpResponse:
    given = request.GET if request.method == "GET" else request.POST
    back = _query(given)
    return render_form(
        request,
        "experiments/change.html",
        {
            "project": project,
            "trail": trail_to(project),
            "runs": runs,
            "form": form,
            "query": back,
            "of": given.get("of", ""),
            "back_url": _address(project, given.get("of", ""), back),
            "may_tag": _of_all(rules.can_tag_runs, request.user, runs),
            "may_delete": _of_all(rules.can_delete_runs, request.user, runs),
            "may_restore": _of_all(rules.can_restore_runs, request.user, runs),
            "any_active": any(run.deleted_at is None for run in runs),
            "any_deleted": any(run.deleted_at for run in runs),
        },
    )


def _of_all(
    rule: Callable[[User, Run], Decision], user: User, runs: Sequence[Run]
) -> Decision:
    """Answer for many runs: the first that is refused refuses all."""
    answers = (rule(user, run) for run in runs)
    refused: Any = next((one for one in answers if not one), None)
    return refused or rule(user, runs[0])


def _query(given: QueryDict) -> str:
    """Give what the table showed, without the runs that were chosen."""
    query = QueryDict(given.get("query", "")) if "query" in given else given
    return Asked.from_query(query).query(chosen=())[1:]


def _address(project: Project, of: str, query: str) -> str:
    if experiments := comparing.chosen_ids([of]):
        path = reverse("experiments:experiment", args=experiments)
    else:
        path = reverse("experiments:list_runs", args=[project.slug])
    return f"{path}?{query}"


def _told(runs: Sequence[Run]) -> str:
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'}"


def _back(request: HtmxRequest, project: Project, told: str) -> HttpResponse:
    messages.success(request, told)
    of = request.POST.get("of", "")
    return redirect_after_success(request, _address(project, of, _query(request.POST)))
