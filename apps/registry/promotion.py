"""The only functions that move a version's state or an alias.

They ask no rule: only the actions of `validation` and `approvals` may import them, and
these have asked theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import WrongState
from apps.registry.models import (
    Alias,
    AliasName,
    ModelVersion,
    RegisteredModel,
    VersionState,
)

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def move_version(*, version: ModelVersion, to: VersionState, by: User) -> ModelVersion:
    """Move `version` to the state `to`, as the table of transitions allows.

    Returns:
        The same object, with its new state.

    Raises:
        WrongState: there is no such transition.
    """
    version.refresh_from_db(
        fields=["state"],
        from_queryset=ModelVersion.objects.select_for_update(no_key=True),
    )
    before = version.state
    version.advance(to)
    version.save(update_fields=["state"])
    record(
        EventType.MODEL_VERSION_MOVED,
        target=version,
        project=version.project,
        by=by,
        changes={"state": [before, to.value]},
    )
    return version


@transaction.atomic
def move_alias(*, version: ModelVersion, alias: AliasName, by: User) -> Alias:
    """Let `alias` stand for `version` from now on.

    Raises:
        WrongState: the version is not approved.
    """
    model = (
        RegisteredModel.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=version.model_id)
    )
    if version.state != VersionState.APPROVED:
        raise WrongState(f"Only an approved version can be {alias.label.lower()}.")
    former = model.aliases.filter(name=alias).select_related("version").first()
    moved, _ = Alias.objects.update_or_create(
        model=model,
        name=alias,
        defaults={"version": version, "moved_at": timezone.now()},
    )
    record(
        EventType.MODEL_ALIAS_MOVED,
        target=model,
        project=model.project,
        by=by,
        changes={
            alias.value: [former.version.number if former else None, version.number]
        },
    )
    return moved
