"""Reads about requests: what is left to sign, who did what, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

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
from django.utils import timezone

from apps.access.roles import ADMINISTRATOR, ROLES
from apps.approvals.models import (
    CONSENTING,
    ONCE_APPROVED,
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    Delegation,
    PracticeStatement,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.projects.models import Membership
from apps.projects.queries import active_members
from apps.registry.models import AliasName, ModelVersion
from apps.validation.makers import MAKING

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.policies import PolicyStage
    from apps.projects.models import Project


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


class Duty(NamedTuple):
    """A deed that a row of the database tells: paths from a request to who and when."""

    who: str
    when: str
    did: str
    spares: str = ""


_Named = Stage.people.through
# Where a request can still be moved by the clock, and conditions matter.
WATCHED = (
    ApprovalStatus.IN_REVIEW,
    ApprovalStatus.APPROVED,
    ApprovalStatus.SUSPENDED,
)
DUTIES = (
    *(Duty(f"version__{who}", f"version__{when}", did) for who, when, did in MAKING),
    Duty(
        "report__requested_by",
        "report__created_at",
        "had its validation report made",
        spares="Independently validated",
    ),
    Duty("requested_by", "requested_at", "asked for its approval"),
)


def involvement(approval: ApprovalRequest) -> list[Deed]:
    """List who took part in making or signing what `approval` asks for."""
    return [*making([approval])[approval.pk], *_signatures(approval)]


def deeds_on(version: ModelVersion) -> list[Deed]:
    """List who took part in making `version` or asked for its approval."""
    paths = [path for part in MAKING for path in (part.who, part.when)]
    found = ModelVersion.objects.values_list(*paths).get(pk=version.pk)
    makers = zip(found[::2], found[1::2], MAKING, strict=True)
    asked = ApprovalRequest.objects.filter(version=version)
    return [
        *(Deed(who, part.did, at) for who, at, part in makers if who is not None),
        *(
            Deed(who, "asked for its approval", at)
            for who, at in asked.values_list("requested_by", "requested_at")
        ),
        *(deed for _, deed in _card_edits([version.pk])),
        *(deed for _, deed in _statements([version.pk])),
    ]


def making(approvals: Sequence[ApprovalRequest]) -> dict[UUID, list[Deed]]:
    """List by request who took part in making what it asks for; three queries."""
    deeds: dict[UUID, list[Deed]] = {one.pk: [] for one in approvals}
    for pk, deed in _duties(approvals):
        deeds[pk].append(deed)
    versions = [approval.version_id for approval in approvals]
    written = [*_card_edits(versions), *_statements(versions)]
    for approval in approvals:
        found = (deed for version, deed in written if version == approval.version_id)
        deeds[approval.pk].extend(found)
    return deeds


def _duties(approvals: Sequence[ApprovalRequest]) -> Iterator[tuple[UUID, Deed]]:
    paths = [path for duty in DUTIES for path in (duty.who, duty.when)]
    asked = ApprovalRequest.objects.filter(pk__in=[one.pk for one in approvals])
    for pk, *found in asked.values_list("pk", *paths):
        for place, duty in enumerate(DUTIES):
            user_id, at = found[2 * place : 2 * place + 2]
            if user_id is not None:
                yield pk, Deed(user_id, duty.did, at, duty.spares)


def _card_edits(versions: Sequence[UUID]) -> Iterator[tuple[UUID, Deed]]:
    edits = AuditEvent.objects.filter(
        type=EventType.MODEL_CARD_EDITED,
        target_id__in=[str(version) for version in versions],
    )
    for edit in edits.values("target_id", "actor_id").annotate(last=Max("at")):
        deed = Deed(edit["actor_id"], "wrote its model card", edit["last"])
        yield UUID(edit["target_id"]), deed


def _statements(versions: Sequence[UUID]) -> Iterator[tuple[UUID, Deed]]:
    written = PracticeStatement.objects.filter(version__in=versions)
    for one in written.values("version", "written_by").annotate(last=Max("written_at")):
        did = "stated its minimum practices"
        yield one["version"], Deed(one["written_by"], did, one["last"])


def _signatures(approval: ApprovalRequest) -> Iterator[Deed]:
    given = SignOff.objects.filter(stage__request=approval)
    joined = given.select_related("stage", "delegation").order_by("signed_at")
    for sign_off in joined:
        did = f"signed the stage {sign_off.stage.title}"
        yield Deed(sign_off.signer_id, did, sign_off.signed_at)
        if sign_off.delegation:
            did = f"had the stage {sign_off.stage.title} signed in their place"
            yield Deed(sign_off.delegation.giver_id, did, sign_off.signed_at)


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
    return waiting.exclude(signed).exclude(Exists(edits)).exclude(Exists(stated))


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
        .exclude(Exists(stated.filter(written_by=OuterRef("giver"))))
    )


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
