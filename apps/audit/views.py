from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from apps.audit import actions, desk, rules
from apps.audit.models import AuditEvent, SavedFilter
from apps.audit.paging import EventPage, page_of, seal_of, with_places
from apps.audit.printed_key import printed_keys
from apps.audit.protection import protection_status
from apps.audit.queries import AuditFilter, with_names
from apps.audit.retention.archived import raise_if_archived
from apps.audit.retention.rules import can_see_retention
from apps.audit.status import trail_status
from apps.audit.timeline import same_request
from apps.core.errors import Invalid
from apps.core.http import HtmxRequest, wants_fragment

if TYPE_CHECKING:
    from apps.accounts.models import User

VERIFIER = Path(__file__).parent / "verifier" / "auditverify.py"


@login_required
@require_GET
def list_events(request: HtmxRequest) -> HttpResponse:
    wanted, fault, page = AuditFilter.from_query(request.GET), None, EventPage([])
    try:
        page = page_of(
            request.user,
            wanted,
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )
        actions.record_view(what=wanted.recorded, by=request.user)
    except Invalid as error:
        fault = error
    is_part = wants_fragment(request)
    projects = desk.projects_of(request.user)
    context = {
        "page": page,
        "wanted": wanted,
        "fault": fault,
        "chips": desk.chips(wanted, projects),
        "query": urlencode(wanted.given),
        "may_export": rules.can_export_audit_trail(request.user),
    }
    if not is_part:
        context |= _whole_page(request.user, wanted, projects)
    template = "audit/_events.html" if is_part else "audit/list.html"
    return render(request, template, context, status=422 if fault else 200)


def _whole_page(
    user: User, wanted: AuditFilter, projects: dict[str, str]
) -> dict[str, Any]:
    return {
        **desk.choices(user, wanted, projects),
        "saved_filters": SavedFilter.objects.visible_to(user),
        "status": trail_status(),
        "may_export_bundle": rules.can_export_audit_bundle(user),
        "may_see_streams": rules.can_see_streams(user),
        "protection": protection_status() if rules.can_see_protection(user) else None,
        "may_see_standing": rules.can_see_standing(user),
        "may_see_retention": can_see_retention(user),
    }


@login_required
@require_GET
def event(request: HtmxRequest, event_id: UUID) -> HttpResponse:
    visible = AuditEvent.objects.visible_to(request.user)
    found = visible.filter(event_id=event_id).first()
    if found is None:
        raise_if_archived(event_id)
        raise Http404
    actions.record_view(what={"event": str(event_id)}, by=request.user)
    with_places(with_names([found]))
    return render(
        request,
        "audit/event.html",
        {
            "event": found,
            "seal": seal_of(found),
            "related": same_request(visible, found),
        },
    )


@login_required
@require_GET
def verify(request: HtmxRequest) -> HttpResponse:
    context = {
        "status": trail_status(),
        "may_export_bundle": rules.can_export_audit_bundle(request.user),
    }
    return render(request, "audit/verify.html", context)


@login_required
@require_GET
def event_proof(request: HtmxRequest, event_id: UUID) -> HttpResponse:
    visible = AuditEvent.objects.visible_to(request.user)
    found = get_object_or_404(visible, event_id=event_id)
    return HttpResponse(
        actions.prove_event(event=found, by=request.user),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="audit-event-{event_id}.zip"'
        },
    )


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
