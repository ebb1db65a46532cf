from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseStopPolling

from apps.access.checks import Decision
from apps.core.http import HtmxRequest, redirect_after_success, render_form
from apps.core.rest import keyset_page
from apps.experiments.models import Run
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job
from apps.training import actions, live, reading, rules, sending
from apps.training.forms_regenerations import RegenerationForm
from apps.training.models import Regeneration

SHOWN = 5


def _run(request: HtmxRequest, pk: UUID) -> Run:
    visible = Run.objects.visible_to(request.user)
    return get_object_or_404(visible.select_related("experiment__project"), pk=pk)


def _regeneration(request: HtmxRequest, pk: UUID) -> Regeneration:
    visible = Regeneration.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("run__experiment__project", "asked_by"), pk=pk
    )


def _trail(run: Run, *, to_list: bool = False) -> list[dict[str, str]]:
    listed = reverse("training:regenerations", args=[run.pk])
    return [
        {"label": run.project.name, "url": run.project.get_absolute_url()},
        {"label": run.name, "url": run.get_absolute_url()},
        {"label": "Regenerations", "url": listed},
    ][: 2 + to_list]


def _decisions(request: HtmxRequest, run: Run) -> dict[str, Decision]:
    return {
        "may_request_regeneration": rules.can_request_regeneration(request.user, run),
        "may_download_bundle": rules.can_download_regeneration_bundle(
            request.user, run
        ),
    }


@login_required
@require_GET
def regenerations(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return _list_page(request, _run(request, pk), RegenerationForm())


def _list_page(request: HtmxRequest, run: Run, form: RegenerationForm) -> HttpResponse:
    rows = run.regenerations.select_related("asked_by")
    shown = rows.defer("certificate", "log_tail", "failure_details")
    page = keyset_page(shown, after=request.GET.get("after"))
    context = {"run": run, "trail": _trail(run), "page": page, "form": form}
    return render_form(
        request, "training/regenerations.html", context | _decisions(request, run)
    )


@login_required
@require_GET
def regenerations_panel(request: HtmxRequest, pk: UUID) -> HttpResponse:
    run = _run(request, pk)
    newest = reading.newest_regenerations(run)[:SHOWN]
    context = {"run": run, "rows": newest, **_decisions(request, run)}
    return render(request, "training/_regenerations_panel.html", context)


@login_required
@require_POST
def request_regeneration(request: HtmxRequest, pk: UUID) -> HttpResponse:
    run = _run(request, pk)
    form = RegenerationForm(request.POST)
    if form.is_valid():
        with form.taking_faults():
            found = actions.request_regeneration(
                run=run, tolerance=form.tolerance, by=request.user
            )
            return redirect_after_success(request, found)
    return _list_page(request, run, form)


@login_required
@require_GET
def download_regeneration_bundle(
    request: HtmxRequest, pk: UUID
) -> StreamingHttpResponse:
    run = _run(request, pk)
    bundle = actions.download_regeneration_bundle(run=run, by=request.user)
    return sending.bundle_answer(bundle)


def _context(request: HtmxRequest, found: Regeneration) -> dict[str, Any]:
    return {
        "regeneration": found,
        "took": live.elapsed(found),
        "may_cancel_regeneration": can_cancel_job(request.user, found),
        **reading.comparison(found.facts),
    }


@login_required
@require_GET
def regeneration(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _regeneration(request, pk)
    context = _context(request, found) | {
        "trail": _trail(found.run, to_list=True),
        "seal": reading.seal_of(found),
        **_decisions(request, found.run),
    }
    return render(request, "training/regeneration.html", context)


@login_required
@require_GET
def regeneration_status(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _regeneration(request, pk)
    context = _context(request, found)
    response = render(request, "training/_regeneration_status.html", context)
    if not found.is_final:
        return response
    stopping = HttpResponseStopPolling(response.content)
    stopping["HX-Refresh"] = "true"  # the certificate is more than this fragment
    return stopping


@login_required
@require_POST
def cancel_regeneration(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = cancel_job(job=_regeneration(request, pk), by=request.user)
    return redirect_after_success(request, found)


@login_required
@require_GET
def regeneration_certificate(request: HtmxRequest, pk: UUID) -> HttpResponse:
    return sending.certificate_answer(_regeneration(request, pk))
