"""Runs that were made elsewhere, brought over whole and only once."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import Entry, record, record_many
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.artifacts import check_path
from apps.experiments.actions.checks import LONGEST_EXPERIMENT_TAG
from apps.experiments.actions.experiments import (
    create_experiment,
    delete_experiment,
)
from apps.experiments.actions.keeping_runs import (
    keep_files,
    keep_run,
    kept_tags,
    told_of,
)
from apps.experiments.import_reports import import_counts
from apps.experiments.importing.records import Faults
from apps.experiments.models import (
    Artifact,
    Experiment,
    ImportedItem,
    ItemKind,
    LoggedModelFile,
    RunImport,
    RunSource,
    RunTag,
    StoredFile,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.experiments.actions.recording import ArtifactFile
    from apps.experiments.importing.records import (
        Lost,
        SourceExperiment,
        SourceRun,
    )
    from apps.projects.models import Project

FROM_TAG = "portal.imported_from"
ID_TAG = "portal.imported_id"
PARENT_TAG = "mlflow.parentRunId"
LONGEST_ID, SHOWN_OF_ID = 250, 180
LONGEST_NAME = 480  # leaves room for what tells it from another


@transaction.atomic
def start_import(*, project: Project, source: str, by: User) -> RunImport:
    """Begin to bring runs over, or go on where an earlier pass stopped.

    Args:
        project: gets the experiments.
        source: the address or the folder, without secrets.
        by: who has the right to record runs there.

    Raises:
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_start_import(by, project))
    run_import, is_new = RunImport.objects.update_or_create(
        project=project,
        source=source,
        defaults={
            "imported_by": by,
            "started_at": timezone.now(),
            "ended_at": None,
        },
    )
    record(
        EventType.IMPORT_STARTED,
        target=run_import,
        project=project,
        by=by,
        changes={"source": source, "goes_on": not is_new},
    )
    return run_import


@transaction.atomic
def import_experiment(
    *, run_import: RunImport, found: SourceExperiment, by: User
) -> Experiment:
    """Make an experiment for the runs of one elsewhere, unless it is there.

    Raises:
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_import_experiment(by, run_import))
    item = imported_item(run_import, ItemKind.EXPERIMENT, found.source_id, found.name)
    if item.experiment:
        item.file_faults = []
        item.save()
        return item.experiment
    tags = kept_tags(found.tags, found.faults, LONGEST_EXPERIMENT_TAG)
    item.experiment = create_experiment(
        project=run_import.project,
        name=_free_name(run_import.project, found.name),
        tags=tags | {FROM_TAG: run_import.source, ID_TAG: found.source_id},
        by=by,
    )
    item.is_whole, item.faults = not found.is_deleted, found.faults.told
    item.save()
    return item.experiment


@transaction.atomic
def put_experiment_aside(
    *, run_import: RunImport, found: SourceExperiment, by: User
) -> Experiment | None:
    """Delete an experiment that is deleted at the source, once what it holds is here.

    Who restores it finds it restored after every later pass.

    Raises:
        Refused: only who may create experiments and record runs; or a run of it became
            a model.
    """
    ensure(rules.can_put_experiment_aside(by, run_import))
    item = imported_item(run_import, ItemKind.EXPERIMENT, found.source_id, found.name)
    if item.experiment and not item.is_whole:
        delete_experiment(experiment=item.experiment, by=by)
        item.is_whole = True
        item.save()
    return item.experiment


@transaction.atomic
def import_run(
    *, run_import: RunImport, experiment: Experiment, found: SourceRun, by: User
) -> ImportedItem:
    """Bring a run over with all but its files, unless it is there.

    What cannot be kept is left out, and told as a fault of the item.

    Raises:
        Invalid: it is a copy of a run of another experiment.
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_import_run(by, run_import))
    item = imported_item(run_import, ItemKind.RUN, found.source_id, found.name)
    if item.run:
        check_is_no_copy(item, experiment)
        return item
    tags = dict(found.tags) | {
        FROM_TAG: run_import.source,
        ID_TAG: found.source_id,
    }
    if parent := tags.get(PARENT_TAG):
        tags[PARENT_TAG] = new_ids(run_import, [parent]).get(parent, parent)
    run = keep_run(experiment, found, tags, RunSource.IMPORT, by)
    record(
        EventType.RUN_IMPORTED,
        target=run,
        project=run.project,
        by=by,
        changes={"from": run_import.source, "id": found.source_id} | told_of(run),
    )
    item.run, item.experiment, item.faults = run, experiment, found.faults.told
    item.uses = [list(one) for one in found.models]
    item.save()
    return item


@transaction.atomic
def import_artifacts(
    *,
    item: ImportedItem,
    files: Sequence[ArtifactFile],
    faults: Sequence[str] = (),
    is_whole: bool,
    by: User,
) -> ImportedItem:
    """Give a run or a model that came over the next of its files.

    Args:
        item: of the run or the model.
        files: stored, each path once; what it has already stays as it is.
        faults: about files that did not come over, in sentences.
        is_whole: nothing more is to come.
        by: who brings it over.

    Raises:
        Invalid: no file can have such a path.
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_import_artifacts(by, item.run_import))
    item = _with_what_came(_lock_items().get(pk=item.pk))
    known = paths_of(item)
    files = [file for file in files if file.path not in known]
    for file in files:
        check_path(file.path)
    if item.model:
        keep_files(LoggedModelFile, files, model=item.model)
    else:
        keep_files(Artifact, files, run=item.run)
    if files:
        record(
            EventType.LOGGED_MODEL_FILE_LOGGED
            if item.model
            else EventType.RUN_ARTIFACT_LOGGED,
            target=item.model or item.run,
            project=item.run_import.project,
            by=by,
            changes={file.path: [None, file.blob.sha256] for file in files},
        )
    item.is_whole, item.file_faults = is_whole, list(faults)
    item.save()
    return item


@transaction.atomic
def link_parents(*, run_import: RunImport, by: User) -> int:
    """Let runs name their parents by their ids here, where those came over later.

    Returns:
        How many were linked.

    Raises:
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_link_parents(by, run_import))
    tags = RunTag.objects.filter(
        key=PARENT_TAG, run__imported__run_import=run_import
    ).select_related("run__experiment__project")
    new = new_ids(run_import, list(tags.values_list("value", flat=True)))
    changed = [tag for tag in tags if tag.value in new]
    entries = [
        Entry(
            tag.run,
            run_import.project,
            {PARENT_TAG: [tag.value, new[tag.value]]},
        )
        for tag in changed
    ]
    for tag in changed:
        tag.value = new[tag.value]
    RunTag.objects.bulk_update(changed, ["value"])
    record_many(EventType.RUN_TAGS_SET, entries=entries, by=by)
    return len(changed)


@transaction.atomic
def end_import(*, run_import: RunImport, lost: Sequence[Lost], by: User) -> RunImport:
    """End a pass over a source.

    Args:
        run_import: the import.
        lost: what could not be brought over now.
        by: who brought the rest over.

    Raises:
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_end_import(by, run_import))
    reasons: dict[tuple[ItemKind, str], Faults] = defaultdict(Faults)
    for one in lost:
        reasons[one.kind, one.source_id].note(one.reason)
    for (kind, source_id), faults in reasons.items():
        item = imported_item(run_import, kind, source_id, source_id)
        if item.experiment:  # what was said when it came is still true
            item.file_faults = list(dict.fromkeys([*item.file_faults, *faults.told]))
        else:
            item.faults = faults.told
        item.save()
    run_import.ended_at = timezone.now()
    run_import.save()
    record(
        EventType.IMPORT_ENDED,
        target=run_import,
        project=run_import.project,
        by=by,
        changes=import_counts(run_import),
    )
    return run_import


def imported_item(
    run_import: RunImport, kind: ItemKind, source_id: str, name: str
) -> ImportedItem:
    """Find what became of a thing of a source, or begin it; lock it.

    Another pass over the same thing waits until the transaction ends, and then finds
    what came over.
    """
    locked, _ = _lock_items().get_or_create(
        run_import=run_import,
        kind=kind,
        source_id=_kept_id(source_id),
        defaults={"name": name.replace("\0", "")[:500]},
    )
    return _with_what_came(locked)


def paths_of(item: ImportedItem) -> set[str]:
    """Find which files a run or a model that came over has."""
    kept: QuerySet[StoredFile] = Artifact.objects.filter(run=item.run_id)
    if item.model_id:
        kept = LoggedModelFile.objects.filter(model=item.model_id)
    return set(kept.values_list("path", flat=True))


def check_is_no_copy(item: ImportedItem, experiment: Experiment) -> None:
    """Take a thing that came over with the same experiment.

    Raises:
        Invalid: it came with another.
    """
    if item.experiment_id != experiment.pk:
        raise Invalid(
            f"It came over in another experiment; its copy in {experiment.name} is "
            "left out."
        )


def _lock_items() -> QuerySet[ImportedItem]:
    return ImportedItem.objects.select_for_update(no_key=True)


def _with_what_came(item: ImportedItem) -> ImportedItem:
    """Read a locked item again, since what it names may have come while it waited."""
    return ImportedItem.objects.select_related(
        "run__experiment__project",
        "model__experiment__project",
        "experiment__project",
        "run_import__project",
    ).get(pk=item.pk)


def _kept_id(source_id: str) -> str:
    """Shorten an id that no row can hold, so that it stays another than all others."""
    if len(source_id) <= LONGEST_ID and "\0" not in source_id:
        return source_id
    digest = hashlib.sha256(source_id.encode(errors="backslashreplace")).hexdigest()
    return f"{source_id[:SHOWN_OF_ID]}… {digest}".replace("\0", "")


def new_ids(run_import: RunImport, source_ids: Sequence[str]) -> dict[str, str]:
    """Find the ids here of runs that came over, by their ids there."""
    items = run_import.items.filter(
        kind=ItemKind.RUN, source_id__in=source_ids, run__isnull=False
    )
    return {there: pk.hex for there, pk in items.values_list("source_id", "run_id")}


def _free_name(project: Project, name: str) -> str:
    """Find a name that no experiment of the project has."""
    name = name[:LONGEST_NAME]
    proposed, count = name, 1
    while project.experiments.filter(name=proposed).exists():
        proposed = f"{name} (imported{f' {count}' if count > 1 else ''})"
        count += 1
    return proposed
