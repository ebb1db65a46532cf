"""Which requests wait for whom, asked of the database as `rules.can_reject` says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import (
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Cast

from apps.access.roles import ADMINISTRATOR
from apps.approvals.deeds import DUTIES
from apps.approvals.models import (
    ApprovalRequest,
    ApprovalStatus,
    Delegation,
    PracticeStatement,
    Stage,
)
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.projects.models import Membership
from apps.validation.makers import logging_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.accounts.models import User

_Named = Stage.people.through


def waiting_for(user: User) -> QuerySet[ApprovalRequest]:
    """Open requests whose present stage `user` may sign, as `rules.can_reject` says.

    The same deeds bar a person here and there; here in the database, so that the
    number of requests costs one query. Each has the title of the stage in
    `stage_title`.
    """
    if ADMINISTRATOR.slug in user.agency_roles:
        return ApprovalRequest.objects.none()
    present = _present_stage()
    waiting = (
        ApprovalRequest.objects.visible_to(user)
        .filter(status=ApprovalStatus.IN_REVIEW)
        .annotate(
            present=Subquery(present.values("pk")[:1]),
            waits_for=Subquery(present.values("role")[:1]),
            stage_title=Subquery(present.values("title")[:1]),
            stage_meaning=Subquery(present.values("meaning")[:1]),
        )
        .filter((Exists(_held(user)) & _named(user)) | Exists(_lent(user)))
    )
    for duty in DUTIES:
        waiting = waiting.exclude(~Q(stage_meaning=duty.spares), **{duty.who: user})
    edits = _edits_of(OuterRef("version_id")).filter(actor_id=user.pk)
    signed = Q(stages__sign_offs__signer=user)
    signed |= Q(stages__sign_offs__delegation__giver=user)
    stated = _statements_on(OuterRef("version_id")).filter(written_by=user)
    logged = _logging_to(OuterRef).filter(actor_id=user.pk)
    waiting = waiting.exclude(signed).exclude(Exists(edits)).exclude(Exists(stated))
    return waiting.exclude(Exists(logged))


def _present_stage() -> QuerySet[Stage]:
    left = Stage.objects.filter(request=OuterRef("pk"), completed_at__isnull=True)
    return left.order_by("position")


def _held(user: User) -> QuerySet[Membership]:
    """Memberships by which `user` may sign a request that `waits_for` a role."""
    return Membership.objects.filter(
        user=user,
        project=OuterRef("version__model__project"),
        role=OuterRef("waits_for"),
    )


def _named(user: User) -> Q:
    """Requests of which the policy lets every holder of the role sign, or `user`."""
    named = _Named.objects.filter(stage=OuterRef("present"))
    return ~Q(Exists(named)) | Q(Exists(named.filter(user=user)))


def _lent(user: User) -> QuerySet[Delegation]:
    """Delegations by which `user` may sign such a request: the givers took no part."""
    deeds = Q(stages__sign_offs__signer=OuterRef("giver"))
    deeds |= Q(stages__sign_offs__delegation__giver=OuterRef("giver"))
    for duty in DUTIES:
        deeds |= Q(**{duty.who: OuterRef("giver")}) & ~Q(now_meant=duty.spares)
    named = _Named.objects.filter(stage=OuterRef(OuterRef("present")))
    may = ~Q(Exists(named)) | Q(Exists(named.filter(user=OuterRef("giver_id"))))
    same = ApprovalRequest.objects.filter(pk=OuterRef(OuterRef("pk")))
    meant = Subquery(_present_stage().values("meaning")[:1])
    edits = _edits_of(OuterRef(OuterRef("version_id")))
    stated = _statements_on(OuterRef(OuterRef("version_id")))
    logged = _logging_to(lambda name: OuterRef(OuterRef(name)))
    return (
        Delegation.objects.usable()
        .filter(
            receiver=user,
            project=OuterRef("version__model__project"),
            role=OuterRef("waits_for"),
        )
        .filter(may)
        .exclude(Exists(same.annotate(now_meant=meant).filter(deeds)))
        .exclude(Exists(edits.filter(actor_id=OuterRef("giver_id"))))
        .exclude(Exists(logged.filter(actor_id=OuterRef("giver_id"))))
        .exclude(Exists(stated.filter(written_by=OuterRef("giver"))))
    )


def _logging_to(outer: Callable[[str], OuterRef]) -> QuerySet[AuditEvent]:
    names = "version__run_id", "version__logged_model_id", "version__created_at"
    return logging_to(*map(outer, names))


def _edits_of(version_id: OuterRef) -> QuerySet[AuditEvent]:
    written: QuerySet[AuditEvent] = AuditEvent.objects.filter(
        type=EventType.MODEL_CARD_EDITED, target_id=Cast(version_id, CharField())
    )
    return written


def _statements_on(version_id: OuterRef) -> QuerySet[PracticeStatement]:
    written: QuerySet[PracticeStatement] = PracticeStatement.objects.filter(
        version=version_id
    )
    return written
