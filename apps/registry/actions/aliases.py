"""Names and stages of versions; `champion` and `Production` only by an approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.registry import rules
from apps.registry.actions.checks import check_alias
from apps.registry.actions.models import locked_model, touch_model
from apps.registry.actions.versions import locked_version
from apps.registry.models import Alias, ModelVersion, Stage

if TYPE_CHECKING:
    from apps.access.checks import Decision
    from apps.accounts.models import User


@transaction.atomic
def set_alias(
    *, version: ModelVersion, name: str, approval: Decision, by: User
) -> Alias:
    """Let a name stand for `version` from now on.

    Args:
        version: that bears the name.
        name: a free one; `champion` only where it points at `version` already.
        approval: what the approvals of the version say, and where to go.
        by: somebody who may register models.

    Raises:
        Invalid: there can be no such alias.
        Refused: only who may register models; or only an approval moves it.
    """
    model = locked_model(version.model)
    version.refresh_from_db(fields=["deleted_at"])
    check_alias(name)
    ensure(rules.can_set_alias(by, version, name, approval))
    former = model.aliases.filter(name=name).select_related("version").first()
    if former and former.version_id == version.pk:
        return former
    alias, _ = Alias.objects.update_or_create(
        model=model,
        name=name,
        defaults={"version": version, "moved_at": timezone.now()},
    )
    record(
        EventType.MODEL_ALIAS_MOVED,
        target=model,
        project=model.project,
        by=by,
        changes={name: [former.version.number if former else None, version.number]},
    )
    return alias


@transaction.atomic
def delete_alias(*, alias: Alias, approval: Decision, by: User) -> None:
    """Take a name away from the version that it stands for; see `set_alias`.

    Raises:
        Refused: only who may register models; or only an approval moves it.
    """
    model = locked_model(alias.model)
    ensure(rules.can_delete_alias(by, alias, approval))
    deleted, _ = Alias.objects.filter(pk=alias.pk).delete()
    if deleted:
        record(
            EventType.MODEL_ALIAS_DELETED,
            target=model,
            project=model.project,
            by=by,
            changes={alias.name: [alias.version.number, None]},
        )


@transaction.atomic
def move_stage(
    *,
    version: ModelVersion,
    stage: Stage,
    archive_others: bool,
    approval: Decision,
    by: User,
) -> ModelVersion:
    """Put a version into a stage.

    Args:
        version: which.
        stage: `Production` only while an approval is in force.
        archive_others: put the other versions of this stage into `Archived`.
        approval: as for `set_alias`.
        by: somebody who may register models.

    Raises:
        Refused: only who may register models; an approval is missing; or a version
            that is champion would be archived.
    """
    version = locked_version(version)
    model = version.model
    ensure(rules.can_move_stage(by, version, stage, approval))
    others = ModelVersion.objects.none()
    if archive_others:
        staged = ModelVersion.objects.active().filter(model=model, stage=stage)
        others = staged.exclude(pk=version.pk).order_by("number")
    archived = [other.number for other in others]
    now = timezone.now()
    for other in others:
        ensure(rules.can_archive(other))
        other.stage, other.updated_at = Stage.ARCHIVED, now
        other.save(update_fields=["stage", "updated_at"])
    before, version.stage = version.stage, stage
    if before == stage and not archived:
        return version
    version.updated_at = now
    version.save(update_fields=["stage", "updated_at"])
    touch_model(model)
    record(
        EventType.MODEL_STAGE_MOVED,
        target=version,
        project=model.project,
        by=by,
        changes={"stage": [before, stage.value], "archived": archived},
    )
    return version
