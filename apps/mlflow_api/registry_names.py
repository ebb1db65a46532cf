"""Which registered models and versions the names of a caller mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject

from apps.mlflow_api.errors import INVALID, MlflowError, absent
from apps.projects.models import Project
from apps.registry.models import (
    Alias,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.mlflow_api.caller import Caller

MOST_DIGITS = 9


def place_of(caller: Caller, name: str) -> tuple[Project, str]:
    """Say which project a name belongs to, and what it is there.

    No name of a model has a slash, so `project/model` means one thing.

    Raises:
        MlflowError: it names no project, or one that the caller does not see, or
            another than the request.
    """
    before, slash, rest = name.partition("/")
    if not slash:
        return _own_project(caller, name), name
    found = Project.objects.visible_to(caller.user).filter(slug=before).first()
    if found is None:
        raise absent(f"There is no project {before[:80]} that you can see.")
    _check_named(caller, before, name)
    return found, rest


def find_model(caller: Caller, name: str) -> RegisteredModel:
    """Find a model by its name; one of a project that is not seen needs its slug.

    Raises:
        MlflowError: the caller sees none, or the name could mean two.
    """
    slug, plain = _slug_and_name(caller, name)
    model = models(caller).filter(project__slug=slug, name=plain).first()
    if model is None:
        if "/" not in name:
            _own_project(caller, name)  # which may be what is missing
        raise absent(f"Registered Model with name={name[:300]} not found.")
    return model


def find_version(caller: Caller, name: str, version: str) -> ModelVersion:
    """Find a version by the name of its model and its number.

    Raises:
        MlflowError: the caller sees none, or `version` is no number.
    """
    found = _version_where(caller, name, Q(number=number_in(version)))
    if found is None:
        raise absent(
            f"Model Version (name={name[:300]}, version={version[:20]}) not found."
        )
    return found


def find_by_alias(caller: Caller, name: str, alias: str) -> ModelVersion:
    """Find the version that an alias of a model names.

    Raises:
        MlflowError: the caller sees no such model, or it has no such alias.
    """
    found = _version_where(caller, name, Q(aliases__name=alias))
    if found is None:
        find_model(caller, name)  # which may be what is missing
        raise MlflowError(INVALID, f"Registered model alias {alias[:80]} not found.")
    return found


def _version_where(caller: Caller, name: str, condition: Q) -> ModelVersion | None:
    slug, plain = _slug_and_name(caller, name)
    of_model = Q(model__project__slug=slug, model__name=plain)
    return versions(caller).filter(of_model, condition).first()


def models(caller: Caller) -> QuerySet[RegisteredModel]:
    """All models that the caller sees, with their projects."""
    return RegisteredModel.objects.visible_to(caller.user).select_related("project")


def versions(caller: Caller) -> QuerySet[ModelVersion]:
    """All versions that the caller sees, with all that their fields are told from.

    What can be long and is not told is left in the database until it is asked for.
    """
    tags = ModelVersionTag.objects.filter(version=OuterRef("pk")).order_by("key")
    pairs = tags.values(pair=JSONObject(key="key", value="value"))
    aliases = Alias.objects.filter(version=OuterRef("pk")).order_by("name")
    return (
        ModelVersion.objects.visible_to(caller.user)
        .select_related("model__project", "registered_by")
        .defer("manifest", "evaluation_files", "signature")
        .annotate(
            tag_pairs=ArraySubquery(pairs),
            alias_names=ArraySubquery(aliases.values("name")),
        )
    )


def shown_name(caller: Caller, model: RegisteredModel) -> str:
    """Write a name as `find_model` reads it."""
    if model.project.slug == caller.own_slug:
        return model.name
    return f"{model.project.slug}/{model.name}"


def number_in(text: str) -> int:
    """Read the number of a version.

    Raises:
        MlflowError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise MlflowError(
            INVALID,
            f"Parameter 'version' must be an integer, got '{text[:40]}'.",
        )
    return int(text)


def _slug_and_name(caller: Caller, name: str) -> tuple[str, str]:
    before, slash, rest = name.partition("/")
    if not slash:
        return caller.own_slug or _own_project(caller, name).slug, name
    _check_named(caller, before, name)
    return before, rest


def _own_project(caller: Caller, name: str) -> Project:
    if caller.project is None:
        raise MlflowError(
            INVALID,
            f"Which project does the model {name[:80]} belong to? Name it as "
            "project/model, or issue a token with a default project on your account "
            "page.",
        )
    return caller.project


def _check_named(caller: Caller, slug: str, name: str) -> None:
    if caller.named and caller.named != slug:
        raise MlflowError(
            INVALID,
            f"The request names the project {caller.named}, and {name[:80]} one of "
            f"{slug}; name one of them.",
        )
