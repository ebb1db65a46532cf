"""Who took part in making a model version; they neither challenge nor sign it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import CharField, Min, Q
from django.db.models.functions import Cast

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.registry.models import ModelVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import OuterRef, QuerySet

    from apps.accounts.models import User


class Making(NamedTuple):
    """A part in the making: paths from a version to who and when, and what they did."""

    who: str
    when: str
    did: str


MAKING = (
    Making(
        "run__dataset_version__uploaded_by",
        "run__dataset_version__created_at",
        "uploaded its data",
    ),
    Making(
        "run__training_job__launched_by",
        "run__training_job__created_at",
        "launched its training",
    ),
    Making(
        "run__code_job__launched_by", "run__code_job__created_at", "had its code run"
    ),
    Making("logged_model__recorded_by", "logged_model__created_at", "logged its model"),
    Making("run__recorded_by", "run__recorded_at", "recorded its run"),
    Making("registered_by", "created_at", "registered it"),
)


# Who put files into the run or the logged model of a version before it was registered.
LOGGED_FILES = "logged files of it"
_LOGGING = (EventType.RUN_ARTIFACT_LOGGED, EventType.LOGGED_MODEL_FILE_LOGGED)


def file_loggers(versions: Sequence[UUID]) -> Iterator[tuple[UUID, UUID, datetime]]:
    """Tell of each version who logged files to what it was made of, and when first."""
    rows = ModelVersion.objects.filter(pk__in=versions)
    made_of: dict[str, list[tuple[UUID, datetime]]] = defaultdict(list)
    for pk, at, *origins in rows.values_list(
        "pk", "created_at", "run_id", "logged_model_id"
    ):
        for origin in filter(None, origins):
            made_of[str(origin)].append((pk, at))
    events = AuditEvent.objects.filter(type__in=_LOGGING, target_id__in=list(made_of))
    for event in events.values("target_id", "actor_id").annotate(first=Min("at")):
        for pk, registered_at in made_of[event["target_id"]]:
            if event["first"] <= registered_at:
                yield pk, event["actor_id"], event["first"]


def logging_to(
    run: OuterRef, logged: OuterRef, before: OuterRef
) -> QuerySet[AuditEvent]:
    """Find in the database what `file_loggers` tells of one version.

    Args:
        run: refers to the id of its run.
        logged: refers to the id of its logged model.
        before: refers to when it was registered.
    """
    there = Q(target_id=Cast(run, CharField())) | Q(target_id=Cast(logged, CharField()))
    found: QuerySet[AuditEvent] = AuditEvent.objects.filter(
        there, type__in=_LOGGING, at__lte=before
    )
    return found


def part_in_making(version: ModelVersion, user: User) -> str:
    """Say what `user` did in the making of `version`, in the past tense; or nothing."""
    paths = [part.who for part in MAKING]
    makers = ModelVersion.objects.values_list(*paths).get(pk=version.pk)
    did = [
        part.did for maker, part in zip(makers, MAKING, strict=True) if maker == user.pk
    ]
    loggers = {who for _, who, _ in file_loggers([version.pk])} if not did else set()
    return LOGGED_FILES if user.pk in loggers else " and ".join(did)
