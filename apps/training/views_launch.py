from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.access.checks import ensure
from apps.core.errors import Invalid
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.datasets.models import DatasetVersion
from apps.datasets.queries import datasheet_standing
from apps.projects.models import Project
from apps.training import actions, proposals, queries, rules
from apps.training.checking import check_spec
from apps.training.forms_data import DataForm, TargetForm
from apps.training.forms_launch import LaunchForm
from apps.training.forms_text import SpecTextForm
from apps.training.launching import (
    EXAMPLE,
    Start,
    start_of_job,
    start_of_spec,
    start_of_template,
)
from apps.training.pages import (
    experiments_of,
    find_job,
    find_project,
    find_source,
    trail_to,
    versions_of,
)
from apps.training.spec_facts import spec_facts
from apps.training.spec_templates import TEMPLATES, specs_for
from apps.training.spec_writing import MEDIA_TYPES, spec_text
from engine.spec import TrainSpec


@login_required
@require_http_methods(["GET", "POST"])
def launch_training(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_launch_training(request.user, project))
    start = _start(request, project)
    data = _data_form(request, project, start)
    if not (isinstance(data, TargetForm) and data.is_valid()):
        context = {"project": project, "trail": trail_to(project), "form": data}
        return render_form(request, "training/choose_data.html", context)
    version, target = data.cleaned_data["dataset_version"], data.cleaned_data["target"]
    form = _launch_form(request, project, version, target, start)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            if "as_text" in request.POST:
                return _edit_text(request, project, form)
            job = actions.launch_training(
                experiment=form.cleaned_data["experiment"],
                dataset_version=version,
                name=form.cleaned_data["name"],
                spec=form.spec(),
                submission_key=form.cleaned_data["submission_key"],
                by=request.user,
            )
            return redirect_after_success(request, job)
    return _show_form(request, project, form, start)


def _start(request: HtmxRequest, project: Project) -> Start:
    """Find what the form begins with: an earlier job, a template, or nothing."""
    source = find_source(request, project)
    return start_of_job(source) if source else Start()


def _data_form(request: HtmxRequest, project: Project, start: Start) -> DataForm:
    """Ask for the target when the dataset version is known."""
    asked = start.data | request.GET.dict()
    versions = versions_of(request, project)
    form = DataForm(asked or None, versions=versions)
    if not form.is_valid():
        return form
    return TargetForm(
        asked if "target" in asked else None,
        versions=versions,
        chosen=form.cleaned_data["dataset_version"],
    )


def _launch_form(
    request: HtmxRequest,
    project: Project,
    version: DatasetVersion,
    target: str,
    start: Start,
) -> LaunchForm:
    cost = queries.mission_cost(project, "binary")
    if slug := request.GET.get("template"):
        start = start_of_template(slug, specs_for(version, target, cost))
    return LaunchForm(
        request.POST or None,
        version=version,
        target=target,
        experiments=experiments_of(request, project),
        cost=cost,
        start=start.values,
    )


def _show_form(
    request: HtmxRequest, project: Project, form: LaunchForm, start: Start
) -> HttpResponse:
    version = form.version
    chosen = {"dataset_version": str(version.pk), "target": form.target}
    offered = specs_for(version, form.target, form.cost)
    context = {
        "project": project,
        "trail": trail_to(project),
        "form": form,
        "dataset_version": version,
        "target": form.target,
        "source": start.job,
        "notes": start.notes,
        "action": f"{_address(project)}?{urlencode(chosen)}",
        "templates": [
            (TEMPLATES[slug], f"?{urlencode(chosen | {'template': slug})}")
            for slug in offered
        ],
        "chosen_template": request.GET.get("template"),
        "standing": datasheet_standing(version.dataset),
    }
    return render_form(request, "training/launch.html", context)


def _address(project: Project) -> str:
    return reverse("training:launch_training", args=[project.slug])


def _edit_text(
    request: HtmxRequest, project: Project, form: LaunchForm
) -> HttpResponse:
    """Go on in the spec editor with what the form holds."""
    spec = check_spec(form.spec(), project, form.version)
    start = {
        "name": form.cleaned_data["name"],
        "experiment": form.cleaned_data["experiment"],
        "dataset_version": form.version,
        "text": spec_text(spec.to_json(), "yaml"),
    }
    return _show_text(request, project, _text_form(request, project, start))


@login_required
@require_http_methods(["GET", "POST"])
def launch_training_from_text(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_launch_training(request.user, project))
    form = _text_form(request, project)
    if request.method == "POST" and form.is_valid():
        given, version = form.cleaned_data, form.cleaned_data["dataset_version"]
        with form.taking_faults():
            if "launch" in request.POST:
                job = actions.launch_training(
                    experiment=given["experiment"],
                    dataset_version=version,
                    name=given["name"],
                    spec=form.spec,
                    submission_key=given["submission_key"],
                    by=request.user,
                )
                return redirect_after_success(request, job)
            spec = check_spec(form.spec, project, version)
            if "as_form" in request.POST:
                return _open_in_form(request, project, form, spec)
            return _show_text(request, project, form, checked=spec)
    return _show_text(request, project, form)


def _text_form(
    request: HtmxRequest, project: Project, start: dict[str, Any] | None = None
) -> SpecTextForm:
    """Make the editor: as it was sent, or with what it shall begin with."""
    is_sent = request.method == "POST" and start is None
    return SpecTextForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        versions=versions_of(request, project),
        experiments=experiments_of(request, project),
        start=start or _first_text(request, project),
    )


def _first_text(request: HtmxRequest, project: Project) -> dict[str, Any]:
    """Begin the editor with the spec of a job, or with a template to fill in."""
    start = _start(request, project)
    if start.job is None:
        return {"text": EXAMPLE}
    return start.values | start.data | {"text": spec_text(start.job.spec, "yaml")}


def _show_text(
    request: HtmxRequest,
    project: Project,
    form: SpecTextForm,
    checked: TrainSpec | None = None,
) -> HttpResponse:
    context = {
        "project": project,
        "trail": trail_to(project),
        "form": form,
        "facts": spec_facts(checked) if checked else [],
    }
    return render_form(request, "training/launch_text.html", context)


def _open_in_form(
    request: HtmxRequest, project: Project, editor: SpecTextForm, spec: TrainSpec
) -> HttpResponse:
    version = editor.cleaned_data["dataset_version"]
    column = version.column_profile(spec.target)
    if column is None or spec.task not in proposals.tasks_for(column):
        sentence = "The form does not offer this task for this column; launch the text."
        raise Invalid(sentence, fields={"task": sentence})
    start = start_of_spec(spec, editor.cleaned_data)
    form = LaunchForm(
        None,
        version=version,
        target=spec.target,
        experiments=experiments_of(request, project),
        cost=queries.mission_cost(project, "binary"),
        start=start.values,
    )
    return _show_form(request, project, form, start)


@login_required
@require_POST
def relaunch_training(request: HtmxRequest, pk: UUID) -> HttpResponse:
    job = actions.relaunch_training(job=find_job(request, pk), by=request.user)
    return redirect_after_success(request, job)


@login_required
@require_GET
def training_spec(request: HtmxRequest, pk: UUID, form: str) -> HttpResponse:
    """Give the spec of a job as a file."""
    job = find_job(request, pk)
    if form not in MEDIA_TYPES:
        raise Http404
    name = f"training-{job.pk}.{form}"
    return HttpResponse(
        spec_text(job.spec, form, title=f"Spec of training job {job.pk}"),
        content_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
