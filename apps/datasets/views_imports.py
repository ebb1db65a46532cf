from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.access.checks import ensure
from apps.core.forms import PortalForm
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.datasets import actions, rules
from apps.datasets.browsing import browse
from apps.datasets.forms import ImportDatasetForm, ImportVersionForm
from apps.datasets.models import Dataset
from apps.datasets.pages import find_dataset, find_project, trail_to
from apps.projects.models import Project

GET_OR_POST = ["GET", "POST"]


@login_required
@require_http_methods(GET_OR_POST)
def import_dataset(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_import_dataset(request.user, project))
    form = ImportDatasetForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            version = actions.import_dataset(
                project=project,
                values=form.cleaned_data,
                place=_place(form),
                by=request.user,
            )
            return redirect_after_success(request, version)
    return _import_page(request, form, project)


@login_required
@require_http_methods(GET_OR_POST)
def import_version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    ensure(rules.can_import_version(request.user, dataset))
    form = ImportVersionForm(request.POST or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            version = actions.import_version(
                dataset=dataset, place=_place(form), by=request.user
            )
            return redirect_after_success(request, version)
    return _import_page(request, form, dataset.project, dataset)


def _place(form: ImportVersionForm) -> actions.SourcePlace:
    given = form.cleaned_data
    return actions.SourcePlace(given["source"], given["path"], form.seal())


def _import_page(
    request: HtmxRequest,
    form: PortalForm,
    project: Project,
    dataset: Dataset | None = None,
) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    back = (
        dataset.get_absolute_url()
        if dataset
        else reverse("datasets:list", args=[project.slug])
    )
    return render_form(
        request,
        "datasets/import.html",
        {
            "form": form,
            "title": "Import a new version" if dataset else "Import a dataset",
            "trail": trail_to(project, dataset),
            "back_url": back,
            "browser": browse(project, asked.dict()),
        },
    )
