"""Versions of a model, their cards and files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core import blobs
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid
from apps.projects.models import Project
from apps.registry import queries, rules
from apps.registry.models import (
    CARD_SECTIONS,
    ModelCard,
    ModelVersion,
    RegisteredModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.experiments.models import Artifact, Run

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_NAME_CHARACTERS = 60
MAX_TEXT_CHARACTERS = 20_000
# Protocols 2 to 5 of Python's pickle begin so, whatever the file is called.
PICKLE_STARTS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


@transaction.atomic
def register_version(
    *, project: Project, run: Run, model_name: str, description: str, by: User
) -> ModelVersion:
    """Give the model of `run` the next number under `model_name`.

    Args:
        project: of the run and of the model.
        run: one with a model file; a run is registered once.
        model_name: of a model of the project, or of a new one: lower-case letters,
            digits, hyphens.
        description: what the model does; empty leaves that of a known model as it is.
        by: somebody who may register models.

    Raises:
        Invalid: the name or description does not fit, the run belongs to another
            project, or one of its files is a pickle.
        Refused: only who may register models.
        WrongState: the run has no model or is registered already.
    """
    # The project row serialises names and numbers.
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    ensure(rules.can_register_version(by, run))
    if run.project != project:
        raise Invalid(
            "This run belongs to another project.",
            fields={"run_id": "Not a run of this project."},
        )
    artifacts = list(run.artifacts.order_by("path"))
    _refuse_pickles(artifacts)
    _check_text("description", description)
    model = _model(project, model_name, description, by)
    manifest = [_manifest_entry(artifact) for artifact in artifacts]
    version = ModelVersion.objects.create(
        model=model,
        number=(model.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        run=run,
        manifest=manifest,
        manifest_digest=canonical_digest(manifest),
        signature=run.summary["signature"],
        registered_by=by,
    )
    ModelCard.objects.create(version=version)
    record(
        EventType.MODEL_VERSION_REGISTERED,
        target=version,
        project=project,
        by=by,
        changes={"run": str(run), "manifest_digest": version.manifest_digest},
    )
    return version


def _model(project: Project, name: str, description: str, by: User) -> RegisteredModel:
    """Find the model, or make it; a new description replaces the former."""
    if len(name) > MAX_NAME_CHARACTERS or not NAME.fullmatch(name):
        raise Invalid(
            "The name of a model has 1 to 60 lower-case letters, digits and hyphens.",
            fields={"model_name": "Use lower-case letters, digits and hyphens."},
        )
    model = project.registered_models.filter(name=name).first()
    if model is None:
        model = RegisteredModel.objects.create(
            project=project, name=name, description=description, created_by=by
        )
        record(EventType.MODEL_REGISTERED, target=model, project=project, by=by)
    elif not RegisteredModel.objects.visible_to(by).filter(pk=model.pk).exists():
        raise Invalid(
            f"The name {name} is taken by a model that you cannot see.",
            fields={"model_name": "Taken; choose another."},
        )
    elif description and description != model.description:
        model.description = description
        model.save(update_fields=["description"])
    return model


def _manifest_entry(artifact: Artifact) -> dict[str, str | int]:
    return {
        "path": artifact.path,
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "media_type": artifact.media_type,
    }


def _refuse_pickles(artifacts: list[Artifact]) -> None:
    for artifact in artifacts:
        with blobs.open_blob(artifact.sha256) as content:
            if content.read(2) in PICKLE_STARTS:
                raise Invalid(
                    f"The file {artifact.path} is a Python pickle, which can run code "
                    "when it is read. Record the run without it.",
                    fields={"run_id": "Holds a pickle."},
                )


@transaction.atomic
def edit_card(
    *, version: ModelVersion, sections: Mapping[str, str], by: User
) -> ModelCard:
    """Write sections of the card that only a person can write.

    Args:
        version: whose card.
        sections: new texts by name, as in `CARD_SECTIONS`; a missing one stays.
        by: somebody who may edit cards.

    Raises:
        Invalid: no such section, or a text is too long.
        Refused: only who may edit cards.
        WrongState: the version is reviewed or decided on.
    """
    version = (
        ModelVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("model__project", "card")
        .get(pk=version.pk)
    )
    ensure(rules.can_edit_card(by, version))
    for name, text in sections.items():
        if name not in CARD_SECTIONS:
            raise Invalid(
                f"A card has no section {name}.", fields={name: "Unknown section."}
            )
        _check_text(name, text)
    card = version.card
    changes = difference(
        {name: getattr(card, name) for name in CARD_SECTIONS}, dict(sections)
    )
    if changes:
        for name, (_, text) in changes.items():
            setattr(card, name, text)
        card.updated_at = timezone.now()
        card.save()
        record(
            EventType.MODEL_CARD_EDITED,
            target=version,
            project=version.project,
            by=by,
            changes=changes,
        )
    return card


def _check_text(name: str, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS or "\0" in text:
        raise Invalid(
            f"A text has up to {MAX_TEXT_CHARACTERS:,} readable characters.",
            fields={name: "Too long, or holds characters that cannot be kept."},
        )


@transaction.atomic
def download_model_file(
    *, version: ModelVersion, path: str, by: User
) -> dict[str, Any]:
    """Hand out one file of `version`, and keep who took it.

    Returns:
        Its entry of the manifest, with the `sha256` it is stored under.

    Raises:
        Invalid: the version has no such file.
        Refused: only who may download models.
    """
    ensure(rules.can_download_model_file(by, version, path))
    entry = queries.manifest_entry(version, path)
    if entry is None:
        raise Invalid(f"This version has no file {path}.")
    record(
        EventType.MODEL_DOWNLOADED,
        target=version,
        project=version.project,
        by=by,
        changes={"path": path, "sha256": entry["sha256"]},
    )
    return entry
