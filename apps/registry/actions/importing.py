"""Registered models that were made elsewhere, brought over only once.

What the source had in use is kept as what it says; in use here it is by an approval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import Denied, ensure
from apps.core.errors import Invalid
from apps.experiments.actions.checks import shortened
from apps.experiments.actions.importing import FROM_TAG, ID_TAG, imported_item
from apps.experiments.actions.keeping_runs import kept_tags
from apps.experiments.models import ImportedItem, ItemKind
from apps.registry import rules
from apps.registry.actions.aliases import move_stage, set_alias
from apps.registry.actions.checks import (
    LONGEST_NAME,
    LONGEST_TAG,
    MOST_TAGS,
    MOST_TEXT,
    check_name,
)
from apps.registry.actions.models import create_model, locked_project
from apps.registry.actions.versions import Origin, VersionWords, create_version
from apps.registry.models import (
    Alias,
    AliasName,
    ImportedEntry,
    ModelVersion,
    RegisteredModel,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.experiments.importing.records import Faults
    from apps.experiments.models import RunImport
    from apps.projects.models import Project
    from apps.registry.importing.records import SourceRegistered, SourceVersion

NOT_APPROVED = Denied("No import puts a version into use; ask for its approval.")
MOST_ALIASES = 1_000


@transaction.atomic
def import_registered_model(
    *, run_import: RunImport, found: SourceRegistered, by: User
) -> ImportedItem:
    """Bring a registered model over without its versions, unless it is there.

    What cannot be kept is left out, and told as a fault of the item.

    Raises:
        Invalid: no model here can have its name.
        Refused: only who may import runs and register models.
    """
    ensure(rules.can_import_registered_model(by, run_import))
    item = _locked_item(
        run_import, ItemKind.REGISTERED_MODEL, found.source_id, found.name
    )
    if hasattr(item, "entry"):
        return item
    check_name(found.name)
    project = locked_project(run_import.project)
    name = _free_name(project, found.name)
    if name != found.name:
        found.faults.note(f"A model here has its name; it is {name} here.")
    model = create_model(
        project=project,
        name=name,
        description=_kept_text("its description", found.description, found.faults),
        tags=_tags(found.tags, found.faults, run_import, found.name),
        by=by,
    )
    said = {
        "name": found.name,
        "created_at": found.created_at.isoformat() if found.created_at else None,
        "aliases": dict(list(found.aliases.items())[:MOST_ALIASES]),
    }
    ImportedEntry.objects.create(item=item, model=model, said=said)
    return _whole(item, found.faults)


@transaction.atomic
def import_version(
    *,
    run_import: RunImport,
    model: RegisteredModel,
    found: SourceVersion,
    origin: Origin,
    by: User,
) -> ImportedItem:
    """Register a version from elsewhere, with its names and its stage.

    Its files are frozen as those of any version. It is neither made champion nor put
    into Production; that the source had it so is kept as what the source says.

    Args:
        run_import: an open import.
        model: that it becomes a version of.
        found: the version there.
        origin: its files, which came over before.
        by: who brings it over.

    Raises:
        Invalid: there are no files.
        Refused: only who may import runs and register models.
    """
    ensure(rules.can_import_version(by, run_import))
    label = f"{found.model}, version {found.number}"
    item = _locked_item(run_import, ItemKind.MODEL_VERSION, found.source_id, label)
    if hasattr(item, "entry"):
        return item
    said, faults = _said(found), found.faults
    words = VersionWords(
        description=_kept_text("its description", found.description, faults),
        run_link=_kept_text("the link to its run", found.run_link, faults),
        tags=_tags(found.tags, faults, run_import, f"{found.model}/{found.number}"),
        number=found.number,
        said=said,
    )
    version = create_version(model=model, origin=origin, words=words, by=by)
    if version.number != found.number:
        faults.note(f"Its number there is {found.number}, which was taken here.")
    _set_aliases(version, found, by)
    version = _set_stage(version, found, by)
    entry = ImportedEntry.objects.create(
        item=item, model=version.model, version=version, said=said
    )
    if entry.in_use:
        faults.note(
            f"{entry.in_use} An import puts nothing into use: ask for its approval on "
            "its page."
        )
    return _whole(item, faults)


def _locked_item(
    run_import: RunImport, kind: ItemKind, source_id: str, name: str
) -> ImportedItem:
    """Begin or find an item, and keep every other import from it until the end."""
    item = imported_item(run_import, kind, source_id, name)
    rows = ImportedItem.objects.select_for_update(no_key=True)
    return rows.get(pk=item.pk)


def _whole(item: ImportedItem, faults: Faults) -> ImportedItem:
    item.is_whole, item.faults = True, faults.told
    item.save()
    return item


def _free_name(project: Project, name: str) -> str:
    """Find a name that no model of the project has; the project is locked."""
    proposed, count = name, 1
    while project.registered_models.active().filter(name=proposed).exists():
        behind = f" (imported{f' {count}' if count > 1 else ''})"
        proposed = f"{name[: LONGEST_NAME - len(behind)]}{behind}"
        count += 1
    return proposed


def _kept_text(what: str, text: str, faults: Faults) -> str:
    """Take a text that a person wrote, or as much of it as can be kept."""
    text = text.replace("\0", "")
    if len(text) > MOST_TEXT:
        faults.add(f"the end of {what}, which is longer than {MOST_TEXT:,} characters.")
    return text[:MOST_TEXT]


def _tags(
    given: Mapping[str, str], faults: Faults, run_import: RunImport, source_id: str
) -> dict[str, str]:
    """Take the tags that can be kept, and add where their owner comes from."""
    tags = kept_tags(given, faults, LONGEST_TAG)
    origin = {FROM_TAG: run_import.source, ID_TAG: source_id}
    if len(tags) + len(origin) > MOST_TAGS:
        faults.add(f"tags beyond the first {MOST_TAGS - len(origin):,}.")
        tags = dict(list(tags.items())[: MOST_TAGS - len(origin)])
    return tags | origin


def _said(found: SourceVersion) -> dict[str, Any]:
    """Keep what the source says of a version, whoever said it there."""
    told = {
        "number": found.number,
        "source": found.source,
        "run": found.run,
        "logged_model": found.logged_model,
        "created_at": found.created_at.isoformat() if found.created_at else None,
        "user": found.user,
        "stage": found.stage.value,
        "aliases": list(found.aliases[:MOST_ALIASES]),
    }
    return {
        name: shortened(value) if isinstance(value, str) else value
        for name, value in told.items()
    }


def _set_aliases(version: ModelVersion, found: SourceVersion, by: User) -> None:
    """Let free names stand for the version, those that stand for none here."""
    for name in found.aliases[:MOST_ALIASES]:
        if name == AliasName.CHAMPION:
            continue
        other = Alias.objects.filter(model=version.model, name=name)
        if taken := other.select_related("version").first():
            found.faults.add(
                f"the alias {name[:80]}: it stands for version {taken.version.number} "
                "here, and no import takes it away."
            )
            continue
        try:
            set_alias(version=version, name=name, approval=NOT_APPROVED, by=by)
        except Invalid as error:
            found.faults.add(f"the alias {name[:80]}: {error.message}")


def _set_stage(version: ModelVersion, found: SourceVersion, by: User) -> ModelVersion:
    if found.stage in (Stage.NONE, Stage.PRODUCTION):
        return version
    return move_stage(
        version=version,
        stage=found.stage,
        archive_others=False,
        approval=NOT_APPROVED,
        by=by,
    )
