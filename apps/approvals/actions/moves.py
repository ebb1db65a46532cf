"""How a request gets from state to state, and its version with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from apps.approvals.actions.emergency_moves import end_with_request
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    ApprovalRequest,
    ApprovalStatus,
    Stage,
)
from apps.core.errors import Invalid
from apps.registry import promotion
from apps.registry.actions.versions import locked_version
from apps.registry.models import VersionState

if TYPE_CHECKING:
    from apps.accounts.models import User

# Where the version of a request stands with it.
_VERSION_STATES = {
    ApprovalStatus.IN_REVIEW: VersionState.IN_REVIEW,
    ApprovalStatus.APPROVED: VersionState.APPROVED,
    ApprovalStatus.CHANGES_REQUESTED: VersionState.VALIDATED,
    ApprovalStatus.REJECTED: VersionState.REJECTED,
    ApprovalStatus.WITHDRAWN: VersionState.VALIDATED,
    ApprovalStatus.LAPSED: VersionState.VALIDATED,
    ApprovalStatus.SUSPENDED: VersionState.SUSPENDED,
    ApprovalStatus.STALE: VersionState.STALE,
    ApprovalStatus.EXPIRED: VersionState.SUSPENDED,
    ApprovalStatus.REVOKED: VersionState.SUSPENDED,
}


def move(
    approval: ApprovalRequest, to: ApprovalStatus, *, by: User, reason: str = ""
) -> None:
    """Move a locked request, and its version with it.

    A version that a new report or a new request has led on stays where it is.

    Args:
        approval: as `locked` gave it.
        to: where.
        by: who signed, or the worker whose clock it was.
        reason: one sentence, when no signature says why.

    Raises:
        WrongState: the request or its version cannot get there.
    """
    goes_along = follows_request(approval)
    approval.advance(to, reason)
    approval.save()
    end_with_request(approval, by=by)
    state = _VERSION_STATES[to]
    if goes_along and approval.version.state != state:
        promotion.move_version(version=approval.version, to=state, by=by)


def follows_request(approval: ApprovalRequest) -> bool:
    """Say whether the version still stands where its request put it."""
    expected = _VERSION_STATES[ApprovalStatus(approval.status)]
    return approval.version.state == expected


def start_clock(approval: ApprovalRequest) -> None:
    """Set until when the present stage is to be signed; nothing without a limit."""
    stage = Stage.objects.filter(request=approval, completed_at=None).earliest(
        "position"
    )
    if stage.due_days and stage.due_at is None:
        stage.due_at = days_from_now(stage.due_days)
        stage.save(update_fields=["due_at"])


def days_from_now(days: int | None) -> datetime | None:
    """Return the moment so many days from now; None without a number of days."""
    return None if days is None else timezone.now() + timedelta(days=days)


def locked(approval: ApprovalRequest) -> ApprovalRequest:
    """Read a request anew and lock it; always after its version."""
    version = locked_version(approval.version)
    approval = ApprovalRequest.objects.select_for_update().get(pk=approval.pk)
    approval.version = version
    return approval


def checked_text(text: str, *, field: str) -> str:
    """Return what somebody wrote without the blanks around it.

    Raises:
        Invalid: it is too long, or not plain text.
    """
    if len(text) > MAX_COMMENT_CHARACTERS or "\x00" in text:
        raise Invalid(
            f"Write at most {MAX_COMMENT_CHARACTERS} characters of plain text.",
            fields={field: "Too long, or not plain text."},
        )
    return text.strip()
