from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
)
from apps.core.rest import keyset_page
from apps.datasets import actions, queries, rules
from apps.datasets.forms import DatasetForm, NewDatasetForm, VersionForm
from apps.datasets.models import Dataset
from apps.datasets.pages import find_dataset, find_project, sections, trail_to
from apps.datasets.views_uploads import upload_page, upload_place
from apps.projects.forms import GrantForm
from apps.projects.views_access import AccessViews, access_panel

GET_OR_POST = ["GET", "POST"]


@login_required
@require_GET
def list_datasets(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    visible = Dataset.objects.visible_to(request.user).select_related("project")
    datasets = visible.filter(project=project)
    page = keyset_page(datasets, after=request.GET.get("after"), limit=24)
    latest = queries.latest_versions(page.rows)
    standings = queries.datasheet_standings(page.rows)
    return render(
        request,
        "datasets/list.html",
        {
            "project": project,
            "trail": trail_to(project)[:1],
            "page": page,
            "cards": [
                (dataset, latest.get(dataset.pk), standings[dataset.pk])
                for dataset in page.rows
            ],
            "may_upload_dataset": rules.can_upload_dataset(request.user, project),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def upload_dataset(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    ensure(rules.can_upload_dataset(request.user, project))
    form = NewDatasetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            file = form.cleaned_data["file"]
            version = actions.upload_dataset(
                project=project,
                values=form.cleaned_data,
                content=file,
                original_name=file.name,
                seal=form.seal(),
                by=request.user,
            )
            return redirect_after_success(request, version)
    place = upload_place(request.user, project)
    return upload_page(request, form, place, trail_to(project))


@login_required
@require_GET
def dataset(request: HtmxRequest, pk: UUID) -> HttpResponse:
    form = GrantForm(sharing=Dataset.sharing)
    return _dataset_page(request, find_dataset(request, pk), form)


def _dataset_page(
    request: HtmxRequest, dataset: Dataset, form: GrantForm
) -> HttpResponse:
    user, project = request.user, dataset.project
    versions = queries.listed_versions(dataset.versions.all())
    page = keyset_page(versions, after=request.GET.get("after"))
    return render_form(
        request,
        "datasets/dataset.html",
        {
            "dataset": dataset,
            "trail": trail_to(project),
            "sections": sections(dataset, "Versions"),
            "page": page,
            "access": access_panel(user, dataset),
            "standing": queries.datasheet_standing(dataset),
            "form": form,
            "may_edit_dataset": rules.can_edit_dataset(user, dataset),
            "may_upload_version": rules.can_upload_version(user, dataset),
        },
    )


access_views = AccessViews(find=find_dataset, page=_dataset_page)


@login_required
@require_http_methods(GET_OR_POST)
def edit_dataset(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    ensure(rules.can_edit_dataset(request.user, dataset))
    initial = {name: getattr(dataset, name) for name in actions.EDITABLE}
    form = DatasetForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.edit_dataset(dataset=dataset, values=form.cleaned_data, by=request.user)
        return redirect_after_success(request, dataset)
    return render_form(
        request,
        "datasets/form.html",
        {
            "form": form,
            "title": "Edit the description",
            "trail": trail_to(dataset.project, dataset),
            "submit_label": "Save",
            "cancel_url": dataset.get_absolute_url(),
        },
    )


@login_required
@require_http_methods(GET_OR_POST)
def upload_version(request: HtmxRequest, pk: UUID) -> HttpResponse:
    dataset = find_dataset(request, pk)
    ensure(rules.can_upload_version(request.user, dataset))
    form = VersionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form.taking_faults():
            file = form.cleaned_data["file"]
            version = actions.upload_version(
                dataset=dataset,
                content=file,
                original_name=file.name,
                seal=form.seal(),
                by=request.user,
            )
            return redirect_after_success(request, version)
    place = upload_place(request.user, dataset.project, dataset)
    return upload_page(request, form, place, trail_to(dataset.project, dataset))
