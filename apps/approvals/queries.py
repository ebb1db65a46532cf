"""Reads about requests: what is left to sign, who did what, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import (
    CharField,
    Exists,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Cast

from apps.access.roles import ADMINISTRATOR, ROLES
from apps.approvals.models import (
    CONSENTING,
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    Delegation,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.projects.models import Membership
from apps.registry.models import AliasName

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.registry.models import ModelVersion


@dataclass(frozen=True)
class Deed:
    """Something a person did to what is to be signed, which bars them from signing.

    Args:
        user_id: who.
        did: in the past tense, without the person.
        at: when.
        spares: the meaning of a stage that may be signed all the same.
    """

    user_id: UUID
    did: str
    at: datetime
    spares: str = ""


# Who had the report made signs that the version is validated, and nothing else.
VALIDATED = "Independently validated"
# Who, when and what: from the request to the rows that say so.
DUTIES = (
    (
        "version__run__dataset_version__uploaded_by",
        "version__run__dataset_version__created_at",
        "uploaded its data",
    ),
    (
        "version__run__training_job__launched_by",
        "version__run__training_job__created_at",
        "launched its training",
    ),
    ("version__run__recorded_by", "version__run__recorded_at", "recorded its run"),
    ("version__registered_by", "version__created_at", "registered it"),
    ("requested_by", "requested_at", "asked for its approval"),
)


def involvement(approval: ApprovalRequest) -> list[Deed]:
    """List who took part in making or signing what `approval` asks for."""
    return [
        *_duties(approval),
        Deed(
            approval.report.requested_by_id,
            "had its validation report made",
            approval.report.created_at,
            spares=VALIDATED,
        ),
        *_card_edits(approval),
        *_signatures(approval),
    ]


def _duties(approval: ApprovalRequest) -> Iterator[Deed]:
    paths = [path for who, when, _ in DUTIES for path in (who, when)]
    found = ApprovalRequest.objects.values_list(*paths).get(pk=approval.pk)
    for place, (_, _, did) in enumerate(DUTIES):
        user_id, at = found[2 * place : 2 * place + 2]
        if user_id is not None:
            yield Deed(user_id, did, at)


def _card_edits(approval: ApprovalRequest) -> Iterator[Deed]:
    edits = AuditEvent.objects.filter(
        type=EventType.MODEL_CARD_EDITED, target_id=str(approval.version_id)
    )
    for edit in edits.values("actor_id").annotate(last=Max("at")):
        yield Deed(edit["actor_id"], "wrote its model card", edit["last"])


def _signatures(approval: ApprovalRequest) -> Iterator[Deed]:
    given = SignOff.objects.filter(stage__request=approval)
    for sign_off in given.select_related("stage").order_by("signed_at"):
        did = f"signed the stage {sign_off.stage.title}"
        yield Deed(sign_off.signer_id, did, sign_off.signed_at)


def waiting_for(user: User) -> QuerySet[ApprovalRequest]:
    """Open requests whose present stage `user` may sign, as `rules.can_reject` says.

    The same deeds bar a person here and there; here in the database, so that the
    number of requests costs one query. Each has the title of the stage in
    `stage_title`.
    """
    if ADMINISTRATOR.slug in user.agency_roles:
        return ApprovalRequest.objects.none()
    left = Stage.objects.filter(request=OuterRef("pk"), completed_at__isnull=True)
    present = left.order_by("position")
    waiting = (
        ApprovalRequest.objects.visible_to(user)
        .filter(status=ApprovalStatus.IN_REVIEW)
        .annotate(
            waits_for=Subquery(present.values("role")[:1]),
            stage_title=Subquery(present.values("title")[:1]),
            stage_meaning=Subquery(present.values("meaning")[:1]),
            stage_people=Subquery(present.values("people")[:1]),
        )
        .filter(_in_turn(user))
        .exclude(~Q(stage_meaning=VALIDATED), report__requested_by=user)
    )
    for who, _, _ in DUTIES:
        waiting = waiting.exclude(**{who: user})
    edits = AuditEvent.objects.filter(
        type=EventType.MODEL_CARD_EDITED,
        target_id=Cast(OuterRef("version_id"), CharField()),
        actor_id=user.pk,
    )
    return waiting.exclude(stages__sign_offs__signer=user).exclude(Exists(edits))


def _in_turn(user: User) -> Q:
    """Say in the database who may sign, as `rules.in_turn` says."""
    held = Membership.objects.filter(
        user=user,
        project=OuterRef("version__model__project"),
        role=OuterRef("waits_for"),
    )
    lent = Delegation.objects.in_force().filter(
        receiver=user,
        project=OuterRef("version__model__project"),
        role=OuterRef("waits_for"),
    )
    everywhere = [slug for slug in user.agency_roles if slug in ROLES]
    return (
        Exists(held)
        | Exists(lent)
        | Q(waits_for__in=everywhere)
        | Q(stage_people__contains=str(user.pk))
    )


def consents(stage: Stage) -> int:
    """Count the signatures by which `stage` comes nearer to being complete."""
    given = stage.sign_offs.filter(decision__in=CONSENTING)
    return given.filter(withdrawal__isnull=True).count()


def lent_to(user: User, stage: Stage) -> Delegation | None:
    """Return the delegation by which `user` may sign `stage`, if there is one."""
    lent = Delegation.objects.in_force().filter(
        receiver=user, project=stage.request.project, role=stage.role
    )
    return lent.select_related("giver").order_by("-pk").first()


def open_stages(approval: ApprovalRequest) -> list[Stage]:
    """List the stages that are not complete; the first one is to be signed now."""
    if not approval.is_open:
        return []
    left = Stage.objects.filter(request=approval, completed_at__isnull=True)
    stages = list(left.order_by("position"))
    for stage in stages:
        stage.request = approval
    return stages


def possible_signers(stage: Stage) -> list[User]:
    """List the active people who hold the role of `stage`, stand in, or are named."""
    project = stage.request.project
    lent = Delegation.objects.in_force().filter(project=project, role=stage.role)
    in_turn = Q(pk__in=stage.people)
    if stage.role:
        members = Membership.objects.filter(project=project, role=stage.role)
        in_turn |= Q(pk__in=members.values("user")) | Q(pk__in=lent.values("receiver"))
        in_turn |= Q(agency_roles__contains=[stage.role])
    return list(
        get_user_model().objects.filter(in_turn, is_active=True).order_by("full_name")
    )


def conditions_of(approval: ApprovalRequest) -> list[Condition]:
    """List the conditions of a request in the order in which they fall due."""
    return list(Condition.objects.of(approval).select_related("owner", "met_by"))


def late_conditions(approval: ApprovalRequest) -> list[Condition]:
    """List the conditions that are overdue, the oldest first."""
    return list(Condition.objects.of(approval).overdue())


def to_review() -> QuerySet[ApprovalRequest]:
    """Find the requests that the clock or moved evidence can still change."""
    watched = [
        ApprovalStatus.IN_REVIEW,
        ApprovalStatus.APPROVED,
        ApprovalStatus.SUSPENDED,
    ]
    found = ApprovalRequest.objects.filter(status__in=watched)
    return found.select_related("version").order_by("pk")


def possible_owners(approval: ApprovalRequest) -> list[User]:
    """List the active members of the project, on whom a condition can be laid."""
    members = Membership.objects.filter(
        project=approval.project, user__is_active=True
    ).select_related("user")
    return [member.user for member in members.order_by("user__full_name")]


def stages_with_sign_offs(approval: ApprovalRequest) -> list[Stage]:
    """List all stages in order, each with its signatures in `.sign_offs.all()`."""
    given = SignOff.objects.select_related("withdrawal").order_by("signed_at")
    stages = Stage.objects.filter(request=approval).order_by("position")
    return list(stages.prefetch_related(Prefetch("sign_offs", queryset=given)))


def with_stages(requests: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
    """Join what a list shows of each request; its stages in `.stages.all()`."""
    stages = Stage.objects.order_by("position")
    return (
        requests.select_related("version__model__project", "requested_by")
        .prefetch_related(Prefetch("stages", queryset=stages))
        .defer("evidence", "policy")
    )


def steps(approval: ApprovalRequest, stages: Sequence[Stage]) -> list[dict[str, str]]:
    """Give the way of `approval` through its stages, for `step_indicator.html`."""
    ahead = "current" if approval.is_open else "stopped"
    shown = [{"label": "Requested", "state": "complete"}]
    for stage in stages:
        state = "complete" if stage.completed_at else ahead
        shown.append({"label": stage.title, "state": state})
        if state != "complete":
            ahead = "upcoming"
    approved = approval.status == ApprovalStatus.APPROVED
    last = "complete" if approved else "upcoming"
    return [*shown, {"label": "Champion", "state": last}]


def latest_request(version: ModelVersion) -> ApprovalRequest | None:
    """Return the newest request for `version`, open or not."""
    found = ApprovalRequest.objects.filter(version=version)
    return found.select_related("requested_by").order_by("-pk").first()


def card_section(version: ModelVersion) -> dict[str, Any] | None:
    """Give what a model card says about the approval; None when none was asked for."""
    approval = latest_request(version)
    if approval is None:
        return None
    return {
        "status": approval.status,
        "policy": f"{approval.policy['name']} version {approval.policy['version']}",
        "evidence_digest": approval.evidence_digest,
        "requested_by": approval.requested_by.full_name,
        "requested_at": approval.requested_at,
        "closed_at": approval.closed_at,
        "signatures": [
            _signature(stage, sign_off)
            for stage in stages_with_sign_offs(approval)
            for sign_off in stage.sign_offs.all()
        ],
    }


def _signature(stage: Stage, sign_off: SignOff) -> dict[str, Any]:
    return {
        "stage": stage.title,
        "role": stage.signed_by,
        "decision": SignOffDecision(sign_off.decision).label,
        "meaning": sign_off.meaning,
        "name": sign_off.signer_name,
        "title": sign_off.signer_title,
        "organisation": sign_off.signer_organisation,
        "comment": sign_off.comment,
        "signed_at": sign_off.signed_at,
    }


def signatures_in_force(person: User) -> list[str]:
    """Say which signatures of a person still count, in sentences.

    A champion rests on the names under its approval; so does a request under way.
    When another version is champion, or the request is closed without one, they are
    history.
    """
    counting = Q(stage__request__status=ApprovalStatus.IN_REVIEW) | Q(
        stage__request__status__in=[ApprovalStatus.APPROVED, ApprovalStatus.SUSPENDED],
        stage__request__version__aliases__name=AliasName.CHAMPION,
    )
    given = SignOff.objects.filter(counting, signer=person).select_related(
        "stage__request__version__model__project"
    )
    return [
        f"Their signature under the {sign_off.stage.request} is in force."
        for sign_off in given.order_by("pk").distinct()
    ]
