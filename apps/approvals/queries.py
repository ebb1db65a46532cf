"""Reads about requests: what is left to sign, by whom, and under which conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Prefetch,
    Q,
    QuerySet,
)
from django.utils import timezone

from apps.access.roles import ROLES
from apps.approvals.models import (
    CONSENTING,
    ONCE_APPROVED,
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    Delegation,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.projects.queries import active_members
from apps.registry.models import AliasName, ModelVersion

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.policies import PolicyStage
    from apps.projects.models import Project


# Where a request can still be moved by the clock, and conditions matter.
WATCHED = (
    ApprovalStatus.IN_REVIEW,
    ApprovalStatus.APPROVED,
    ApprovalStatus.SUSPENDED,
)


def lent_for(stage: Stage, **narrowed: Any) -> list[Delegation]:
    """List the delegations by which `stage` can be signed today, oldest first."""
    found = Delegation.objects.usable().filter(
        project=stage.request.project, role=stage.role, **narrowed
    )
    named = stage.people.all()
    lent = found.select_related("giver", "receiver").order_by("pk")
    return [one for one in lent if not named or one.giver in named]


def holders_of(project: Project, stage: PolicyStage) -> list[User]:
    """List who may sign such a stage in a project, as far as the policy says."""
    holders = active_members(project, role=stage.role)
    named = {address.lower() for address in stage.people}
    return [one for one in holders if not named or one.email.lower() in named]


def consents(stage: Stage) -> int:
    """Count the signatures by which `stage` comes nearer to being complete."""
    given = stage.sign_offs.filter(decision__in=CONSENTING)
    return given.filter(withdrawal__isnull=True).count()


def open_stages(approval: ApprovalRequest) -> list[Stage]:
    """List the stages that are not complete; the first one is to be signed now."""
    if not approval.is_open:
        return []
    left = Stage.objects.filter(request=approval, completed_at__isnull=True)
    stages = list(left.order_by("position").prefetch_related("people"))
    for stage in stages:
        stage.request = approval
    return stages


def late_conditions(approval: ApprovalRequest) -> list[Condition]:
    """List the conditions that are overdue, the oldest first."""
    return list(Condition.objects.of(approval).overdue())


def owned_conditions(user: User) -> QuerySet[Condition]:
    """List what `user` must still do under requests that depend on it, by its day."""
    mine = Condition.objects.visible_to(user).filter(
        owner=user,
        met_at=None,
        sign_off__withdrawal=None,
        sign_off__stage__request__status__in=WATCHED,
    )
    joined = mine.select_related("sign_off__stage__request__version__model__project")
    return joined.order_by("due_on", "pk")


def to_review() -> QuerySet[ApprovalRequest]:
    """Find the requests that the clock or moved evidence can still change."""
    found = ApprovalRequest.objects.filter(status__in=WATCHED)
    return found.select_related("version__model__project", "requested_by").order_by(
        "pk"
    )


def people_of(approval: ApprovalRequest) -> list[User]:
    """List who asked for `approval` and whose signature under it stands."""
    standing = SignOff.objects.filter(stage__request=approval, withdrawal=None)
    signers = [given.signer for given in standing.select_related("signer")]
    return [approval.requested_by, *signers]


def seeing(approval: ApprovalRequest, people: Iterable[User]) -> list[User]:
    """Leave of `people` those who can see `approval`; costs a query for each."""
    return [
        person
        for person in people
        if ApprovalRequest.objects.visible_to(person).filter(pk=approval.pk).exists()
    ]


def stages_with_sign_offs(approval: ApprovalRequest) -> list[Stage]:
    """List all stages in order, each with its signatures in `.sign_offs.all()`.

    Each of these has its withdrawal, if any, and its conditions in `.conditions.all()`.
    """
    conditions = Condition.objects.select_related("owner", "met_by").order_by("due_on")
    given = SignOff.objects.select_related("withdrawal", "delegation__giver")
    given = given.order_by("signed_at")
    given = given.prefetch_related(Prefetch("conditions", queryset=conditions))
    stages = Stage.objects.filter(request=approval).order_by("position")
    found = list(stages.prefetch_related(Prefetch("sign_offs", queryset=given)))
    for stage in found:
        stage.request = approval
    return found


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


def last_signed(approval: ApprovalRequest) -> ApprovalRequest | None:
    """Return the request of the same model that was approved last before this one."""
    until = approval.closed_at or timezone.now()
    signed = ApprovalRequest.objects.filter(
        version__model=approval.version.model_id,
        status__in=ONCE_APPROVED,
        closed_at__lt=until,
    ).exclude(pk=approval.pk)
    joined = signed.select_related("version__run", "version__card", "report__plan")
    return joined.order_by("-closed_at").first()


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
            if not hasattr(sign_off, "withdrawal")
        ],
    }


def _signature(stage: Stage, sign_off: SignOff) -> dict[str, Any]:
    return {
        "stage": stage.title,
        "role": ROLES[stage.role].title,
        "decision": SignOffDecision(sign_off.decision).label,
        "meaning": sign_off.meaning,
        "name": sign_off.signer_name,
        "title": sign_off.signer_title,
        "organisation": sign_off.signer_organisation,
        "in_place_of": sign_off.delegation and sign_off.delegation.giver.full_name,
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
    standing = SignOff.objects.filter(withdrawal__isnull=True)
    given = standing.filter(counting, signer=person).select_related(
        "stage__request__version__model__project"
    )
    return [
        f"Their signature under the {sign_off.stage.request} is in force."
        for sign_off in given.order_by("pk").distinct()
    ]
