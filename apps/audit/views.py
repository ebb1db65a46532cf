from pathlib import Path
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.audit import actions, queries, rules
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.printed_key import printed_keys
from apps.audit.protection import ProtectionStatus, protection_status
from apps.audit.queries import AuditFilter
from apps.audit.retention.archived import raise_if_archived
from apps.audit.retention.rules import can_see_retention
from apps.audit.status import trail_status
from apps.core.errors import Invalid
from apps.core.http import HtmxRequest, wants_fragment
from apps.core.rest import Page, keyset_page

VERIFIER = Path(__file__).parent / "verifier" / "auditverify.py"
CONTENT_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


@login_required
@require_GET
def list_events(request: HtmxRequest) -> HttpResponse:
    wanted, fault, page = AuditFilter.from_query(request.GET), None, Page([], None)
    try:
        events = queries.matching(AuditEvent.objects.visible_to(request.user), wanted)
        page = keyset_page(events, after=request.GET.get("after"), key="event_id")
        page.rows = queries.with_names(page.rows)
        actions.record_view(what=wanted.recorded, by=request.user)
    except Invalid as error:
        fault = error
    return render(
        request,
        "audit/_events.html" if wants_fragment(request) else "audit/list.html",
        {
            "page": page,
            "wanted": wanted,
            "fault": fault,
            "event_types": EventType.choices,
            "status": None if wants_fragment(request) else trail_status(),
            "protection": _protection(request),
            "may_export_bundle": rules.can_export_audit_bundle(request.user),
            "may_see_streams": rules.can_see_streams(request.user),
            "may_export": rules.can_export_audit_trail(request.user),
            "may_see_retention": can_see_retention(request.user),
        },
        status=422 if fault else 200,
    )


def _protection(request: HtmxRequest) -> ProtectionStatus | None:
    if wants_fragment(request) or not rules.can_see_protection(request.user):
        return None
    return protection_status()


@login_required
@require_GET
def event(request: HtmxRequest, event_id: UUID) -> HttpResponse:
    visible = AuditEvent.objects.visible_to(request.user)
    found = visible.filter(event_id=event_id).first()
    if found is None:
        raise_if_archived(event_id)
        raise Http404
    actions.record_view(what={"event": str(event_id)}, by=request.user)
    return render(request, "audit/event.html", {"event": found})


@login_required
@require_GET
def export(request: HtmxRequest) -> HttpResponseBase:
    file_format = request.GET.get("format", "jsonl")
    lines = actions.export_audit_trail(
        wanted=AuditFilter.from_query(request.GET),
        file_format=file_format,
        by=request.user,
    )
    return StreamingHttpResponse(
        lines,
        content_type=CONTENT_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="audit-trail.{file_format}"'
        },
    )


@login_required
@require_GET
def export_bundle(request: HtmxRequest) -> FileResponse:
    bundle = actions.export_audit_bundle(by=request.user)
    return FileResponse(bundle, as_attachment=True, filename="audit-bundle.zip")


@login_required
@require_GET
def checkpoint(request: HtmxRequest) -> HttpResponse:
    status = trail_status()
    if not status.checkpoint:
        raise Http404
    return HttpResponse(
        status.checkpoint,
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="checkpoint-{status.size}"'
        },
    )


@login_required
@require_GET
def verification_key(request: HtmxRequest) -> HttpResponse:
    return render(request, "audit/key.html", {"keys": printed_keys()})


@login_required
@require_GET
def verifier(request: HtmxRequest) -> FileResponse:
    return FileResponse(
        VERIFIER.open("rb"), as_attachment=True, content_type="text/x-python"
    )
