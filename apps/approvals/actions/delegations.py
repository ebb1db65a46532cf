"""Letting somebody else sign in one's place, and ending it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.approvals import rules
from apps.approvals.models import Delegation
from apps.audit.event_types import EventType
from apps.audit.record import personal, record
from apps.core.errors import Invalid
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_DAYS = 90


@transaction.atomic
def delegate_signing(
    *, project: Project, receiver: User, starts_on: date, ends_on: date, by: User
) -> Delegation:
    """Let `receiver` sign in the place of `by`, in the role that `by` holds.

    Args:
        project: where, and nowhere else.
        receiver: another active member.
        starts_on: the first day, today or later.
        ends_on: the last day, at most 90 days after today.
        by: a member whose own role signs.

    Raises:
        Invalid: the days cannot be, or the receiver cannot stand in.
        Refused: `by` holds no role that signs.
    """
    # The project row serialises them, so that a second click finds the first.
    project = Project.objects.select_for_update().get(pk=project.pk)
    ensure(rules.can_delegate_signing(by, project))
    _check_days(starts_on, ends_on)
    if not (may := rules.can_stand_in(receiver, by, project)):
        raise Invalid(may.reason, fields={"receiver": may.reason})
    standing = Delegation.objects.standing().filter(
        project=project, giver=by, starts_on__lte=ends_on, ends_on__gte=starts_on
    )
    if standing.exists():
        sentence = "Somebody stands in for you on these days already; end that first."
        raise Invalid(sentence, fields={"starts_on": sentence})
    given = Delegation.objects.create(
        project=project,
        giver=by,
        receiver=receiver,
        role=project.memberships.get(user=by).role,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    _record(EventType.DELEGATION_GIVEN, given, by)
    return given


@transaction.atomic
def revoke_delegation(*, delegation: Delegation, by: User) -> Delegation:
    """End a delegation; what was signed by it stays signed.

    Raises:
        Refused: somebody else gave it, and `by` does not choose the members.
        WrongState: it is over.
    """
    found = Delegation.objects.select_for_update(of=("self",))
    delegation = found.select_related("project", "giver", "receiver").get(
        pk=delegation.pk
    )
    ensure(rules.can_revoke_delegation(by, delegation))
    delegation.revoked_at, delegation.revoked_by = timezone.now(), by
    delegation.save()
    _record(EventType.DELEGATION_REVOKED, delegation, by)
    return delegation


def _check_days(starts_on: date, ends_on: date) -> None:
    today = timezone.localdate()
    latest = today + timedelta(days=MOST_DAYS)
    faults = {}
    if starts_on < today:
        faults["starts_on"] = "The first day must be today or later."
    if ends_on < starts_on:
        faults["ends_on"] = "The last day cannot come before the first."
    elif ends_on > latest:
        faults["ends_on"] = f"The last day can be {latest:%-d %B %Y} at the latest."
    if faults:
        raise Invalid(" ".join(faults.values()), fields=faults)


def _record(event: EventType, given: Delegation, by: User) -> None:
    facts: dict[str, Any] = {
        "giver": personal(given.giver),
        "giver_id": str(given.giver_id),
        "receiver": personal(given.receiver),
        "receiver_id": str(given.receiver_id),
        "role": given.role,
        "starts_on": given.starts_on.isoformat(),
        "ends_on": given.ends_on.isoformat(),
    }
    record(event, target=given.project, project=given.project, by=by, changes=facts)
