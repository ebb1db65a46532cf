"""Notes in Markdown, of runs and experiments."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.experiments import actions, rules
from apps.experiments.forms_run import ExperimentNoteForm, RunNoteForm
from apps.experiments.models import Experiment, Run
from apps.experiments.notes import NOTE_TAG, note_of
from apps.experiments.pages import find_experiment, find_run, trail_to


@login_required
@require_http_methods(["GET", "POST"])
def write_run_note(request: HtmxRequest, pk: UUID) -> HttpResponse:
    run = find_run(request, pk)
    ensure(rules.can_set_run_tags(request.user, run))
    form = RunNoteForm(request.POST or None, initial={"note": note_of(run)})
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            _keep_run_note(run, form.cleaned_data["note"], request)
            return redirect_after_success(request, run)
    trail = trail_to(run.project, run.experiment)
    return _editor(request, run, run.name, form, trail)


@login_required
@require_GET
def experiment_note(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """The note alone, for the page of the experiment."""
    found = find_experiment(request, pk)
    context = {
        "experiment": found,
        "note": note_of(found),
        "may_write": rules.can_set_experiment_tag(request.user, found),
    }
    return render(request, "experiments/run_experiment_note.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def write_experiment_note(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = find_experiment(request, pk)
    ensure(rules.can_set_experiment_tag(request.user, found))
    form = ExperimentNoteForm(request.POST or None, initial={"note": note_of(found)})
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            _keep_experiment_note(found, form.cleaned_data["note"], request)
            return redirect_after_success(request, found)
    return _editor(request, found, found.name, form, trail_to(found.project))


@login_required
@require_POST
def preview_note(request: HtmxRequest) -> HttpResponse:
    """Show what is typed, and keep nothing."""
    note = ExperimentNoteForm(request.POST)
    text = note.cleaned_data["note"] if note.is_valid() else ""
    context = {"note": text, "form": note}
    return render_form(request, "experiments/run_note_preview.html", context)


def _editor(
    request: HtmxRequest,
    noted: Experiment | Run,
    name: str,
    form: RunNoteForm,
    trail: list[dict[str, str]],
) -> HttpResponse:
    address = noted.get_absolute_url()
    context: dict[str, Any] = {
        "form": form,
        "trail": [*trail, {"label": name, "url": address}],
        "cancel_url": address,
        "note": form["note"].value() or "",
    }
    return render_form(request, "experiments/run_note_form.html", context)


def _keep_run_note(run: Run, note: str, request: HtmxRequest) -> None:
    """Write the note, or take it back when nothing is left of it."""
    tag = run.tags.filter(key=NOTE_TAG).first()
    if note:
        actions.set_run_tags(run=run, tags={NOTE_TAG: note}, by=request.user)
    elif tag:
        actions.delete_run_tag(tag=tag, by=request.user)


def _keep_experiment_note(
    experiment: Experiment, note: str, request: HtmxRequest
) -> None:
    tag = experiment.tags.filter(key=NOTE_TAG).first()
    if note:
        actions.set_experiment_tag(
            experiment=experiment, key=NOTE_TAG, value=note, by=request.user
        )
    elif tag:
        actions.delete_experiment_tag(tag=tag, by=request.user)
