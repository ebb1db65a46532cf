from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.checks import ensure
from apps.accounts.models import User
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.experiments import actions, import_reports, rules
from apps.experiments.forms_importing import RunFileForm
from apps.experiments.importing.uploads import take_run
from apps.experiments.models import RunImport
from apps.experiments.pages import find_experiment, find_project, trail_to

ITEMS_ON_A_PAGE = 50


@login_required
@require_http_methods(["GET", "POST"])
def upload_run(request: HtmxRequest, pk: UUID) -> HttpResponse:
    experiment = find_experiment(request, pk)
    ensure(rules.can_upload_run(request.user, experiment))
    form = RunFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with form.taking_faults():
            taken = take_run(
                experiment=experiment,
                content=file,
                file_name=file.name,
                by=request.user,
            )
            said = import_reports.said_of_upload(file.name, *taken)
            messages.success(request, said)
            return redirect_after_success(request, taken.run)
    return render_form(
        request,
        "experiments/upload_run.html",
        {
            "form": form,
            "experiment": experiment,
            "trail": trail_to(experiment.project, experiment),
        },
    )


def _find(request: HtmxRequest, pk: UUID) -> RunImport:
    visible = RunImport.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("project", "imported_by"), pk=pk)


@login_required
@require_GET
def list_imports(request: HtmxRequest, slug: str) -> HttpResponse:
    project = find_project(request, slug)
    imports = RunImport.objects.visible_to(request.user).filter(project=project)
    page = keyset_page(
        imports.select_related("imported_by"), after=request.GET.get("after")
    )
    return render(
        request,
        "experiments/imports.html",
        {"project": project, "trail": trail_to(project), "page": page},
    )


@login_required
@require_GET
def run_import(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _find(request, pk)
    return render(
        request,
        "experiments/import.html",
        {
            "run_import": found,
            "trail": trail_to(found.project),
            "counts": import_reports.counts_in_words(found),
            "page": keyset_page(
                import_reports.incomplete_items(found, request.user),
                after=request.GET.get("after"),
                limit=ITEMS_ON_A_PAGE,
            ),
        },
    )


@login_required
@require_GET
def download_import(request: HtmxRequest, pk: UUID) -> StreamingHttpResponse:
    found = actions.download_import(run_import=_find(request, pk), by=request.user)
    return StreamingHttpResponse(
        _written(found, request.user),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="import.json"'},
    )


def _written(found: RunImport, viewer: User) -> Iterator[str]:
    """Write the report as one JSON object, few things in memory at once."""
    write = DjangoJSONEncoder().encode
    yield f'{{"import": {write(import_reports.head_of(found))}, "items": ['
    comma = ""
    for line in import_reports.report_lines(found, viewer):
        yield f"{comma}{write(line)}"
        comma = ",\n"
    yield "]}"
