"""Beside a request: what changed since the last signature, and records to keep."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.approvals.changes import changes_since, moved_measures
from apps.approvals.sending import record_answer
from apps.approvals.views import request_title, request_trail, visible_request
from apps.core.http import HtmxRequest


@login_required
@require_GET
def approval_changes(request: HtmxRequest, pk: UUID) -> HttpResponse:
    approval = visible_request(request, pk)
    changes = changes_since(approval, request.user)
    context = {
        "approval": approval,
        "title": request_title(approval.version),
        "trail": [
            *request_trail(approval.version),
            {"label": "Approval request", "url": approval.get_absolute_url()},
        ],
        "changes": changes,
        "moved_measures": moved_measures(changes) if changes else None,
    }
    return render(request, "approvals/changes.html", context)


@login_required
@require_GET
def sign_off_record(request: HtmxRequest, pk: UUID, ending: str) -> HttpResponse:
    return record_answer(visible_request(request, pk), ending)
