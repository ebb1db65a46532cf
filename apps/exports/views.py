from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseStopPolling

from apps.access.checks import ensure
from apps.audit.queries import AuditFilter
from apps.audit.rules import can_export_audit_bundle, can_export_audit_trail
from apps.core.http import (
    HtmxRequest,
    redirect_after_success,
    render_form,
    send_blob,
)
from apps.core.rest import keyset_page
from apps.exports import actions, rules
from apps.exports.forms import RequestForm
from apps.exports.models import AuditExport, ExportForm
from apps.jobs.actions import cancel_job
from apps.jobs.rules import can_cancel_job


@login_required
@require_GET
def list_exports(request: HtmxRequest) -> HttpResponse:
    exports = AuditExport.objects.visible_to(request.user)
    page = keyset_page(exports, after=request.GET.get("after"))
    may_export = can_export_audit_trail(request.user)
    return render(
        request, "exports/list.html", {"page": page, "may_export": may_export}
    )


@login_required
@require_http_methods(["GET", "POST"])
def request_export(request: HtmxRequest) -> HttpResponse:
    ensure(can_export_audit_trail(request.user))
    may_have_bundle = can_export_audit_bundle(request.user)
    wanted = AuditFilter.from_query(request.GET)
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        may_have_bundle=bool(may_have_bundle),
        initial={"form": request.GET.get("form", ExportForm.CSV)},
    )
    if form.is_valid():
        with form.taking_faults():
            export = actions.request_export(wish=form.wish(wanted), by=request.user)
            return redirect_after_success(request, export)
    context = {
        "form": form,
        "forms": list(ExportForm),
        "wanted": wanted,
        "may_have_bundle": may_have_bundle,
        "may_request": rules.can_request_export(request.user, ExportForm.CSV),
    }
    return render_form(request, "exports/request.html", context)


def _export(request: HtmxRequest, pk: UUID) -> AuditExport:
    return get_object_or_404(AuditExport.objects.visible_to(request.user), pk=pk)


def _context(request: HtmxRequest, export: AuditExport) -> dict[str, Any]:
    return {
        "export": export,
        "may_cancel_export": can_cancel_job(request.user, export),
        "may_download_export": rules.can_download_export(request.user, export),
    }


@login_required
@require_GET
def export(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _export(request, pk)
    return render(request, "exports/export.html", _context(request, found))


@login_required
@require_GET
def export_status(request: HtmxRequest, pk: UUID) -> HttpResponse:
    found = _export(request, pk)
    response = render(request, "exports/_status.html", _context(request, found))
    if found.is_final:
        return HttpResponseStopPolling(response.content)
    return response


@login_required
@require_POST
def cancel_export(request: HtmxRequest, pk: UUID) -> HttpResponse:
    cancelled = cancel_job(job=_export(request, pk), by=request.user)
    return redirect_after_success(request, cancelled)


@login_required
@require_GET
def download_export(request: HtmxRequest, pk: UUID) -> FileResponse:
    return _send(request, pk, assessment=False)


@login_required
@require_GET
def download_assessment(request: HtmxRequest, pk: UUID) -> FileResponse:
    return _send(request, pk, assessment=True)


def _send(request: HtmxRequest, pk: UUID, *, assessment: bool) -> FileResponse:
    file = actions.download_export(
        export=_export(request, pk), by=request.user, assessment=assessment
    )
    return send_blob(
        file.sha256, name=file.name, media_type=file.media_type, shelf=file.shelf
    )
