"""Registered models: named, renamed, described, tagged and put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments.actions.checks import shortened
from apps.experiments.actions.tags import delete_tag, write_tags
from apps.projects.models import Project
from apps.registry import rules
from apps.registry.actions.checks import check_name, check_tag, check_tags, check_words
from apps.registry.models import (
    Alias,
    ModelVersion,
    RegisteredModel,
    RegisteredModelTag,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User


class ModelNameTaken(Invalid):
    """Another model of the project bears this name."""


@transaction.atomic
def create_model(
    *,
    project: Project,
    name: str,
    by: User,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> RegisteredModel:
    """Take a name for a model, whose versions come later.

    Raises:
        Invalid: the name, the description or a tag cannot be kept.
        ModelNameTaken: a model of the project has this name.
        Refused: only who may register models.
    """
    project = locked_project(project)
    ensure(rules.can_create_model(by, project))
    check_words("description", description)
    check_tags(tags or {})
    _check_free(project, name, by)
    model = add_model(project, name, description, by)
    RegisteredModelTag.objects.bulk_create(
        RegisteredModelTag(model=model, key=key, value=value)
        for key, value in (tags or {}).items()
    )
    record(
        EventType.MODEL_REGISTERED,
        target=model,
        project=project,
        by=by,
        changes={"tags": {k: shortened(v) for k, v in tags.items()}} if tags else None,
    )
    return model


@transaction.atomic
def rename_model(*, model: RegisteredModel, name: str, by: User) -> RegisteredModel:
    """Give a model another name of its project.

    Raises:
        Invalid: the name cannot be kept.
        ModelNameTaken: a model of the project has this name.
        Refused: only who may register models and sees it.
    """
    project = locked_project(model.project)
    model = locked_model(model)
    ensure(rules.can_rename_model(by, model))
    before = model.name
    if name == before:
        return model
    _check_free(project, name, by)
    model.name = name
    touch_model(model)
    _record(EventType.MODEL_RENAMED, model, by, {"name": [before, name]})
    return model


@transaction.atomic
def describe_model(
    *, model: RegisteredModel, description: str, by: User
) -> RegisteredModel:
    """Say what a model does.

    Raises:
        Invalid: the text is too long.
        Refused: only who may register models and sees it.
    """
    model = locked_model(model)
    ensure(rules.can_describe_model(by, model))
    check_words("description", description)
    before, model.description = model.description, description
    if before != description:
        touch_model(model)
        changes = {"description": [shortened(before), shortened(description)]}
        _record(EventType.MODEL_DESCRIBED, model, by, changes)
    return model


@transaction.atomic
def set_model_tag(
    *, model: RegisteredModel, key: str, value: str, by: User
) -> RegisteredModel:
    """Say a word about a model, or another one in place of it.

    Raises:
        Invalid: the key or the value cannot be kept.
        Refused: only who may register models and sees it.
    """
    model = locked_model(model)
    ensure(rules.can_set_model_tag(by, model))
    check_tag(key, value)
    if changes := write_tags(model.tags, {key: value}):
        touch_model(model)
        _record(EventType.MODEL_TAG_SET, model, by, changes)
    return model


@transaction.atomic
def delete_model_tag(*, tag: RegisteredModelTag, by: User) -> RegisteredModel:
    """Take a word about a model back.

    Raises:
        Refused: only who may register models and sees it.
    """
    model = locked_model(tag.model)
    ensure(rules.can_delete_model_tag(by, model))
    if changes := delete_tag(tag):
        touch_model(model)
        _record(EventType.MODEL_TAG_DELETED, model, by, changes)
    return model


@transaction.atomic
def delete_model(*, model: RegisteredModel, by: User) -> RegisteredModel:
    """Put a model and its versions aside; the name is free again, nothing is lost.

    Raises:
        Refused: only who may register models and sees it; or it is part of the record.
    """
    locked_project(model.project)
    model = locked_model(model)
    ensure(rules.can_delete_model(by, model))
    if model.deleted_at:
        return model
    aliases = dict(model.aliases.values_list("name", "version__number"))
    Alias.objects.filter(model=model).delete()
    now = model.deleted_at = timezone.now()
    versions = ModelVersion.objects.filter(model=model).active()
    numbers = sorted(versions.values_list("number", flat=True))
    versions.update(deleted_at=now, updated_at=now)
    touch_model(model)
    changes = {"versions": [numbers, []], "aliases": [aliases, {}]}
    _record(EventType.MODEL_DELETED, model, by, changes)
    return model


def add_model(
    project: Project, name: str, description: str, by: User
) -> RegisteredModel:
    """Make the row of a model under a name that is known to be free."""
    check_name(name)
    return RegisteredModel.objects.create(
        project=project, name=name, description=description, created_by=by
    )


def locked_project(project: Project) -> Project:
    """Lock the row that serialises the names of models."""
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def locked_model(model: RegisteredModel) -> RegisteredModel:
    """Read a model anew and lock it; after its project, where that is locked, too."""
    rows = RegisteredModel.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("project").get(pk=model.pk)


def _check_free(project: Project, name: str, by: User) -> None:
    check_name(name)
    taken = project.registered_models.active().filter(name=name)
    if not taken.exists():
        return
    seen = taken.visible_to(by).exists()
    what = "There is" if seen else "You cannot see it, but there is"
    raise ModelNameTaken(
        f"{what} a registered model named {name} in this project.",
        fields={"name": "Already in use; choose another."},
    )


def touch_model(model: RegisteredModel) -> None:
    """Say that a model, which the caller has locked, or one of its versions changed."""
    model.updated_at = timezone.now()
    model.save()


def _record(
    event: EventType, model: RegisteredModel, by: User, changes: dict[str, Any]
) -> None:
    record(event, target=model, project=model.project, by=by, changes=changes)
