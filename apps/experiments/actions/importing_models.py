"""Logged models that were made elsewhere, with what was measured of them."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import transaction

from apps.access.checks import ensure
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.checks import LONGEST_MODEL_NAME, LONGEST_TAG
from apps.experiments.actions.importing import (
    FROM_TAG,
    ID_TAG,
    check_is_no_copy,
    imported_item,
)
from apps.experiments.actions.keeping_runs import kept_parameters, kept_tags
from apps.experiments.actions.logged_models import (
    LoggedModelStart,
    create_logged_model,
    log_run_models,
)
from apps.experiments.actions.logging import (
    LogBatch,
    ModelPoint,
    check_points,
    log_batch,
)
from apps.experiments.actions.segments import close_segment
from apps.experiments.models import (
    Experiment,
    ImportedItem,
    ItemKind,
    LoggedModel,
    ModelUse,
    Run,
    RunImport,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.experiments.importing.records import ModelFigure, SourceModel

_NOT_IN_NAMES = re.compile(r"""[/:.%"'\0]""")


@transaction.atomic
def import_logged_model(
    *, run_import: RunImport, experiment: Experiment, found: SourceModel, by: User
) -> ImportedItem:
    """Bring a logged model over with all but its files, unless it is there.

    What cannot be kept is left out, and told as a fault of the item.

    Raises:
        Invalid: it is a copy of a model of another experiment.
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_import_logged_model(by, run_import))
    item = imported_item(run_import, ItemKind.MODEL, found.source_id, found.name)
    if item.model:
        check_is_no_copy(item, experiment)
        return item
    runs = _runs(run_import, [found.source_run])
    tags = kept_tags(found.tags, found.faults, LONGEST_TAG)
    item.experiment = experiment
    item.model = create_logged_model(
        experiment=experiment,
        start=LoggedModelStart(
            name=_NOT_IN_NAMES.sub("_", found.name)[:LONGEST_MODEL_NAME].strip(),
            model_type=found.model_type[:LONGEST_MODEL_NAME].replace("\0", ""),
            source_run=runs.get(found.source_run),
            parameters=kept_parameters(found.parameters, found.faults),
            tags=tags | {FROM_TAG: run_import.source, ID_TAG: found.source_id},
        ),
        by=by,
    )
    if found.source_run and not runs:
        found.faults.note(f"The run that saved it, {found.source_run}, is not here.")
    _keep_figures(run_import, item.model, found, by)
    item.faults = found.faults.told
    item.save()
    return item


@transaction.atomic
def link_models(*, run_import: RunImport, by: User) -> int:
    """Say of runs that came over which models they used and made.

    Returns:
        How many runs were linked.

    Raises:
        Refused: only who may create experiments and record runs.
    """
    ensure(rules.can_link_models(by, run_import))
    waiting = run_import.items.filter(
        kind=ItemKind.RUN, run__deleted_at__isnull=True, run__isnull=False
    ).exclude(uses=[])
    items = list(waiting.select_related("run__experiment__project"))
    asked = {model for item in items for model, _, _ in item.uses}
    models = _models(run_import, asked)
    for item in items:
        _link(item, models, by)
    ImportedItem.objects.bulk_update(items, ["uses"])
    return len(items)


def _link(item: ImportedItem, models: dict[str, LoggedModel], by: User) -> None:
    """Link the models of one run that came over; the others go on waiting."""
    run = item.run
    for use in ModelUse:
        steps = {
            models[model]: int(step)
            for model, kind, step in item.uses
            if kind == use and model in models
        }
        if steps and run:
            log_run_models(run=run, use=use, steps=steps, by=by)
    item.uses = [one for one in item.uses if one[0] not in models]


def _keep_figures(
    run_import: RunImport, model: LoggedModel, found: SourceModel, by: User
) -> None:
    """Add what was measured of a model to the runs that measured it."""
    by_run: dict[str, list[ModelFigure]] = defaultdict(list)
    for figure in found.figures():
        by_run[figure.run].append(figure)
    runs = _runs(run_import, list(by_run))
    for source_id, figures in by_run.items():
        if source_id not in runs:
            found.faults.add(f"metrics of run {source_id}, which is not here")
            continue
        points = [
            ModelPoint(model.pk, one.point, one.dataset_name, one.dataset_digest)
            for one in figures
        ]
        try:
            for one in points:
                check_points([one.point])
            run = log_batch(
                run=runs[source_id],
                batch=LogBatch([one.point for one in points], points),
                by=by,
            )
            close_segment(run, by)
        except Invalid as error:
            found.faults.add(error.message)


def _runs(run_import: RunImport, source_ids: Sequence[str]) -> dict[str, Run]:
    """Find runs that came over and are not deleted, by their ids there."""
    items = run_import.items.filter(
        kind=ItemKind.RUN, source_id__in=source_ids, run__deleted_at__isnull=True
    ).exclude(run=None)
    found = items.select_related("run__experiment__project")
    return {item.source_id: item.run for item in found if item.run}


def _models(run_import: RunImport, source_ids: set[str]) -> dict[str, LoggedModel]:
    items = run_import.items.filter(kind=ItemKind.MODEL, source_id__in=source_ids)
    found = items.exclude(model=None).select_related("model__experiment__project")
    return {item.source_id: item.model for item in found if item.model}
