"""What people did to what is to be signed, which bars them from signing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from apps.approvals.models import ApprovalRequest, PracticeStatement, SignOff
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.registry.models import ModelVersion
from apps.validation.makers import LOGGED_FILES, MAKING, file_loggers


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
    made = [Deed(who, part.did, at) for who, at, part in makers if who is not None]
    return [
        *made,
        *_others(made, (deed for _, deed in _logs([version.pk]))),
        *(
            Deed(who, "asked for its approval", at)
            for who, at in asked.values_list("requested_by", "requested_at")
        ),
        *(deed for _, deed in _card_edits([version.pk])),
        *(deed for _, deed in _statements([version.pk])),
    ]


def making(approvals: Sequence[ApprovalRequest]) -> dict[UUID, list[Deed]]:
    """List by request who took part in making what it asks for; five queries."""
    deeds: dict[UUID, list[Deed]] = {one.pk: [] for one in approvals}
    for pk, deed in _duties(approvals):
        deeds[pk].append(deed)
    versions = [approval.version_id for approval in approvals]
    written = [*_card_edits(versions), *_statements(versions)]
    logged = list(_logs(versions))
    for approval in approvals:
        of, known = approval.version_id, deeds[approval.pk]
        known += _others(known, (deed for version, deed in logged if version == of))
        known += (deed for version, deed in written if version == of)
    return deeds


def _duties(approvals: Sequence[ApprovalRequest]) -> Iterator[tuple[UUID, Deed]]:
    paths = [path for duty in DUTIES for path in (duty.who, duty.when)]
    asked = ApprovalRequest.objects.filter(pk__in=[one.pk for one in approvals])
    for pk, *found in asked.values_list("pk", *paths):
        for place, duty in enumerate(DUTIES):
            user_id, at = found[2 * place : 2 * place + 2]
            if user_id is not None:
                yield pk, Deed(user_id, duty.did, at, duty.spares)


def _logs(versions: Sequence[UUID]) -> Iterator[tuple[UUID, Deed]]:
    for version, who, at in file_loggers(versions):
        yield version, Deed(who, LOGGED_FILES, at)


def _others(known: Sequence[Deed], more: Iterable[Deed]) -> list[Deed]:
    """Leave out of `more` those who are barred by what is known already."""
    barred = {deed.user_id for deed in known if not deed.spares}
    return [deed for deed in more if deed.user_id not in barred]


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
