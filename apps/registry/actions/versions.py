"""Versions of a model: registered, described, tagged and put aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, WrongState
from apps.experiments.actions.checks import shortened
from apps.experiments.actions.tags import delete_tag, write_tags
from apps.experiments.models import LoggedModel, Run
from apps.registry import rules
from apps.registry.actions.checks import check_tag, check_tags, check_words
from apps.registry.actions.models import (
    add_model,
    describe_model,
    locked_model,
    locked_project,
    touch_model,
)
from apps.registry.candidates import candidates_of
from apps.registry.manifests import evaluation_files_of, manifest_of
from apps.registry.mlmodel import signature_of
from apps.registry.models import (
    ModelCard,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
)
from apps.registry.pickles import find_pickles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.projects.models import Project


@dataclass(frozen=True)
class Origin:
    """Where the files of a version are taken from.

    Args:
        run: that left them, or that made the logged model; None where no run did.
        logged_model: that they are of, if they are of one.
        copied: a version whose files are taken over; the others do not count then.
        root: a folder or file among those of the run or the logged model.
        source: the same as the client named it.
    """

    run: Run | None = None
    logged_model: LoggedModel | None = None
    copied: ModelVersion | None = None
    root: str = ""
    source: str = ""

    @property
    def projects(self) -> set[Any]:
        """Ids of the projects that the files come from."""
        parts = (self.run, self.logged_model, self.copied)
        return {part.project.pk for part in parts if part is not None}


@dataclass(frozen=True)
class VersionWords:
    """What is said of a version when it is registered.

    Args:
        description: what is special about it.
        run_link: an address of its run.
        tags: by key.
        number: that it had elsewhere; the next one where it is 0 or taken.
        said: what the place that it comes from tells of it, for the trail.
    """

    description: str = ""
    run_link: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    said: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def register_version(
    *,
    project: Project,
    run: Run,
    model_name: str,
    description: str,
    by: User,
    part: str = "",
) -> ModelVersion:
    """Give a model of `run` the next number under `model_name`.

    Args:
        project: of the run and of the model.
        run: one that left a model.
        part: which one, by the key of its candidate; empty for the first.
        model_name: of a model of the project, or of a new one.
        description: what the model does; empty leaves that of a known model as it is.
        by: somebody who may register models.

    Raises:
        Invalid: the name or description does not fit, or the run belongs to another
            project.
        Refused: only who may register models.
        WrongState: the run has no model, or is registered under this name already.
    """
    project = locked_project(project)
    ensure(rules.can_register_version(by, run))
    if run.project != project:
        raise Invalid(
            "This run belongs to another project.",
            fields={"run_id": "Not a run of this project."},
        )
    check_words("description", description)
    origin = _chosen(run, part)
    model = _known_or_new(project, model_name, description, by)
    files = _files_of(origin)
    twin = model.versions.active().filter(
        run=run, manifest_digest=canonical_digest(files["manifest"])
    )
    if found := twin.first():
        raise WrongState(f"This run is registered already, as {found}.")
    return _add(model, origin, files, VersionWords(), by)


@transaction.atomic
def create_version(
    *, model: RegisteredModel, origin: Origin, words: VersionWords, by: User
) -> ModelVersion:
    """Give files the next number of `model`, as often as they are registered.

    Raises:
        Invalid: there are no files, they belong to another project or did not come
            from the run, or a word does not fit.
        Refused: only who may register models and sees this one.
        WrongState: the model, or what the files come from, is deleted.
    """
    model = locked_model(model)
    ensure(rules.can_create_version(by, model))
    _check_run(origin)
    if origin.projects - {model.project_id}:
        raise Invalid(
            f"The files belong to another project than {model}; log them in "
            f"{model.project.slug} to register them there.",
            fields={"source": "Of another project."},
        )
    for name in ("description", "run_link"):
        check_words(name, getattr(words, name))
    check_words("source", origin.source)
    check_tags(words.tags)
    files = _files_of(origin)
    if not files["manifest"]:
        raise Invalid(
            f"There are no files under {origin.source[:200]}.",
            fields={"source": "No files."},
        )
    return _add(model, origin, files, words, by)


@transaction.atomic
def describe_version(
    *, version: ModelVersion, description: str, by: User
) -> ModelVersion:
    """Say what is special about a version.

    Raises:
        Invalid: the text is too long.
        Refused: only who may register models and sees this one.
    """
    version = locked_version(version)
    ensure(rules.can_describe_version(by, version))
    check_words("description", description)
    before, version.description = version.description, description
    if before != description:
        _touch(version)
        changes = {"description": [shortened(before), shortened(description)]}
        _record(EventType.MODEL_VERSION_DESCRIBED, version, by, changes)
    return version


@transaction.atomic
def set_version_tag(
    *, version: ModelVersion, key: str, value: str, by: User
) -> ModelVersion:
    """Say a word about a version, or another one in place of it.

    Raises:
        Invalid: the key or the value cannot be kept.
        Refused: only who may register models and sees this one.
    """
    version = locked_version(version)
    ensure(rules.can_set_version_tag(by, version))
    check_tag(key, value)
    if changes := write_tags(version.tags, {key: value}):
        _touch(version)
        _record(EventType.MODEL_VERSION_TAG_SET, version, by, changes)
    return version


@transaction.atomic
def delete_version_tag(*, tag: ModelVersionTag, by: User) -> ModelVersion:
    """Take a word about a version back.

    Raises:
        Refused: only who may register models and sees this one.
    """
    version = locked_version(tag.version)
    ensure(rules.can_delete_version_tag(by, version))
    if changes := delete_tag(tag):
        _touch(version)
        _record(EventType.MODEL_VERSION_TAG_DELETED, version, by, changes)
    return version


@transaction.atomic
def delete_version(*, version: ModelVersion, by: User) -> ModelVersion:
    """Put a version aside, with the free names that point at it.

    Raises:
        Refused: only who may register models and sees this one; or it is part of the
            record.
    """
    version = locked_version(version)
    ensure(rules.can_delete_version(by, version))
    if version.deleted_at:
        return version
    aliases = sorted(version.aliases.values_list("name", flat=True))
    version.aliases.all().delete()
    version.deleted_at = timezone.now()
    _touch(version)
    touch_model(version.model)
    changes = {"number": [version.number, None], "aliases": [aliases, []]}
    _record(EventType.MODEL_VERSION_DELETED, version, by, changes)
    return version


def locked_version(version: ModelVersion) -> ModelVersion:
    """Read a version anew and lock it, its model before it.

    In this one order nobody who changes both waits for somebody who waits for them.
    """
    model = locked_model(version.model)
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    version.model = model
    return version


def _known_or_new(
    project: Project, name: str, description: str, by: User
) -> RegisteredModel:
    """Find the model, or make it; a new description replaces the former."""
    model = project.registered_models.active().filter(name=name).first()
    if model is None:
        model = add_model(project, name, description, by)
        record(EventType.MODEL_REGISTERED, target=model, project=project, by=by)
        return model
    if not RegisteredModel.objects.visible_to(by).filter(pk=model.pk).exists():
        raise Invalid(
            f"The name {name} is taken by a model that you cannot see.",
            fields={"model_name": "Taken; choose another."},
        )
    if description:
        return describe_model(model=model, description=description, by=by)
    return locked_model(model)


def _chosen(run: Run, part: str) -> Origin:
    """Find what of a run is to be registered."""
    found = {each.key: each for each in candidates_of(run)}
    chosen = found.get(part) if part else next(iter(found.values()))
    if chosen is None:
        raise Invalid(
            f"This run has no part {part[:80]!r}. Choose one of {', '.join(found)}.",
            fields={"part": "Not a part of this run."},
        )
    return Origin(run=run, logged_model=chosen.logged_model, root=chosen.root)


def _check_run(origin: Origin) -> None:
    """See that no run lends its data and its regeneration to a model it never made.

    Raises:
        Invalid: the logged model was saved by another run, or outside of any.
    """
    logged = origin.logged_model
    if logged and origin.run != logged.source_run:
        raise Invalid(
            f"The model {logged.public_id} was not saved by the run that is named.",
            fields={"run_id": "Did not save this model."},
        )


def _files_of(origin: Origin) -> dict[str, Any]:
    """Freeze the files, and look at what they are.

    What they come from is locked, so that none of them changes before it is known that
    they are evidence.
    """
    if origin.copied:
        names = "manifest", "evaluation_files", "signature", "unfit_reason", "pickles"
        return {name: getattr(origin.copied, name) for name in names}
    run = _locked(Run, origin.run)
    logged = _locked(LoggedModel, origin.logged_model)
    left = list(run.artifacts.all()) if run else []
    if logged:
        manifest = manifest_of(logged.files.all(), origin.root)
        beside = evaluation_files_of(left, None)
    else:
        manifest = manifest_of(left, origin.root)
        beside = evaluation_files_of(left, origin.root)
    signature, unfit_reason = signature_of(manifest)
    if run and not logged and not origin.root and run.summary.get("signature"):
        # Checked by the engine when the run was recorded.
        signature, unfit_reason = run.summary["signature"], ""
    return {
        "manifest": manifest,
        "evaluation_files": beside,
        "signature": signature,
        "unfit_reason": unfit_reason,
        "pickles": find_pickles(manifest),
    }


def _locked(kind: Any, row: Any) -> Any:
    """Read anew and lock what files come from.

    Raises:
        WrongState: it is deleted.
    """
    if row is None:
        return None
    row = kind.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    if row.deleted_at:
        raise WrongState(f"{row} is deleted, so nothing of it can be registered.")
    return row


def _add(
    model: RegisteredModel,
    origin: Origin,
    files: dict[str, Any],
    words: VersionWords,
    by: User,
) -> ModelVersion:
    """Give files the next number; the caller has locked the model."""
    base = origin.copied or origin
    version = ModelVersion.objects.create(
        model=model,
        number=_number(model, words.number),
        run=base.run,
        logged_model=base.logged_model,
        source=origin.source,
        root=base.root,
        description=words.description,
        run_link=words.run_link,
        manifest_digest=canonical_digest(files["manifest"]),
        registered_by=by,
        **files,
    )
    ModelCard.objects.create(version=version)
    touch_model(model)
    ModelVersionTag.objects.bulk_create(
        ModelVersionTag(version=version, key=key, value=value)
        for key, value in words.tags.items()
    )
    changes = {
        "run": str(version.run) if version.run else None,
        "source": shortened(origin.source),
        "manifest_digest": version.manifest_digest,
        "quarantined": [one["path"] for one in version.pickles],
        "tags": {key: shortened(value) for key, value in words.tags.items()},
    }
    if words.said:
        changes["as_the_source_says"] = dict(words.said)
    _record(EventType.MODEL_VERSION_REGISTERED, version, by, changes)
    return version


def _number(model: RegisteredModel, wanted: int) -> int:
    """Give the number that is wanted, if no version ever had it, or the next."""
    if wanted and not model.versions.filter(number=wanted).exists():
        return wanted
    last: int | None = model.versions.aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def _touch(version: ModelVersion) -> None:
    version.updated_at = timezone.now()
    version.save()


def _record(
    event: EventType, version: ModelVersion, by: User, changes: dict[str, Any]
) -> None:
    record(event, target=version, project=version.project, by=by, changes=changes)
