"""Who sees a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from apps.access.checks import ensure
from apps.access.grants import view_permission
from apps.accounts.models import UserKind
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.registry import queries, rules
from apps.registry.models import RegisteredModel

if TYPE_CHECKING:
    from apps.accounts.models import User

_VIEW = view_permission(RegisteredModel)


@transaction.atomic
def restrict_model(*, model: RegisteredModel, by: User) -> RegisteredModel:
    """Hide a model from members without a grant; its creator and `by` get one.

    Raises:
        Refused: only who may grant access.
        WrongState: it is restricted already.
    """
    model = lock_model(model)
    ensure(rules.can_restrict_model(by, model))
    model.is_restricted = True
    model.save()
    people = {model.created_by, by}
    for person in people:
        assign_perm(_VIEW, person, model)
    record(
        EventType.MODEL_RESTRICTED,
        target=model,
        project=model.project,
        by=by,
        changes={
            "is_restricted": [False, True],
            "people": sorted(person.label for person in people),
        },
    )
    return model


@transaction.atomic
def open_model(*, model: RegisteredModel, by: User) -> RegisteredModel:
    """Show a model to all members again.

    Single grants stay: people outside of the project keep the model they were shown.

    Raises:
        Refused: only who may grant access.
        WrongState: it is open already.
    """
    model = lock_model(model)
    ensure(rules.can_open_model(by, model))
    model.is_restricted = False
    model.save()
    record(
        EventType.MODEL_OPENED,
        target=model,
        project=model.project,
        by=by,
        changes={"is_restricted": [True, False]},
    )
    return model


@transaction.atomic
def grant_model(*, model: RegisteredModel, person: User, by: User) -> RegisteredModel:
    """Show a model to one person, who need not be a member of the project.

    Raises:
        Invalid: not an active person, or one who has access already.
        Refused: only who may grant access.
    """
    model = lock_model(model)
    ensure(rules.can_grant_model(by, model))
    if not person.is_active or person.kind != UserKind.PERSON:
        raise Invalid(
            "Only active accounts of people can be given access.",
            fields={"email": "Not an active person."},
        )
    if queries.granted_people(model).filter(pk=person.pk).exists():
        raise Invalid(
            f"{person.full_name} has access already.",
            fields={"email": "Has access already."},
        )
    assign_perm(_VIEW, person, model)
    record(
        EventType.MODEL_GRANTED,
        target=model,
        project=model.project,
        by=by,
        changes={"person": person.label},
    )
    return model


@transaction.atomic
def revoke_model_grant(
    *, model: RegisteredModel, person: User, by: User
) -> RegisteredModel:
    """Take back what `grant_model` gave.

    Raises:
        Invalid: `person` has no grant on this model.
        Refused: only who may grant access, and never their own.
    """
    model = lock_model(model)
    ensure(rules.can_revoke_model_grant(by, model, person))
    if not queries.granted_people(model).filter(pk=person.pk).exists():
        raise Invalid(f"{person.full_name} was not given access to this model.")
    remove_perm(_VIEW, person, model)
    record(
        EventType.MODEL_GRANT_REVOKED,
        target=model,
        project=model.project,
        by=by,
        changes={"person": person.label},
    )
    return model


def lock_model(model: RegisteredModel) -> RegisteredModel:
    """Read the model anew and hold its row until the transaction ends."""
    return (
        RegisteredModel.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project", "created_by")
        .get(pk=model.pk)
    )
