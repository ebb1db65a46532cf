"""The only writer of the audit trail: every event gets its text, hash and MAC here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, models

from apps.access.checks import roles_of
from apps.audit.body import body_of, hash_of, mac_key_id, mac_of
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.core.context import current

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


class OutsideTransaction(RuntimeError):
    """An event was recorded where its change could be lost without it."""


def record(
    event_type: EventType,
    *,
    target: models.Model,
    project: Project | None,
    by: User,
    changes: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one event in the transaction of the change it tells of.

    Args:
        event_type: what happened.
        target: what it happened to; its type, id, name and address are copied.
        project: where it happened; None for what belongs to no project.
        by: who did it.
        changes: changed fields only, each `[before, after]`, or facts of the event.
        reason: what the person gave as reason.

    Raises:
        OutsideTransaction: there is no transaction to commit together with.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{event_type} must be recorded inside its action.")
    work = current()
    address = getattr(target, "get_absolute_url", None)
    event = AuditEvent(
        type=EventType(event_type),
        actor_id=by.pk,
        actor_label=by.label,
        actor_kind=by.kind,
        actor_roles=[role.slug for role in roles_of(by, project)],
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_label=str(target)[:300],
        target_path=address()[:300] if address else "",
        project_id=project.pk if project else None,
        project_label=project.name if project else "",
        changes=changes or {},
        reason=reason,
        channel=work.channel,
        request_id=work.request_id,
    )
    event.body = body_of(event)
    event.leaf_hash = hash_of(event.body)
    event.mac, event.mac_kid = mac_of(event.leaf_hash), mac_key_id()
    event.save(force_insert=True)
    return event


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """List the fields that differ, each as `[before, after]`."""
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }
