"""Keeping a run that was made elsewhere, without what cannot be kept of it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.core.errors import Invalid
from apps.experiments.actions.checks import (
    LONGEST_KEY,
    LONGEST_TAG,
    LONGEST_VALUE,
    check_key,
    check_text,
)
from apps.experiments.actions.logging import (
    CONTEXT_TAG,
    add_metrics,
    check_dataset,
    check_points,
)
from apps.experiments.actions.runs import NAME_TAG
from apps.experiments.actions.segments import close_segment, count_rows, open_segment
from apps.experiments.models import DatasetInput, Parameter, Run, RunTag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from apps.accounts.models import User
    from apps.experiments.actions.logging import LoggedPoint
    from apps.experiments.actions.recording import ArtifactFile
    from apps.experiments.importing.records import Faults, SourceRun
    from apps.experiments.models import (
        Artifact,
        Experiment,
        LoggedModel,
        LoggedModelFile,
        RunSource,
    )

# Points that are held at once. A segment takes so many, since each is counted again
# over all rows of its run.
BATCH = 50_000
_ROWS = 2_000


def keep_run(
    experiment: Experiment,
    found: SourceRun,
    tags: Mapping[str, str],
    source: RunSource,
    by: User,
) -> Run:
    """Keep a run with all but its files, in bounded memory, and seal what it logged.

    Args:
        experiment: gets it.
        found: the run; what cannot be kept is added to its faults.
        tags: in place of those of `found`.
        source: how it came here.
        by: who brought it.
    """
    faults = found.faults
    name = (found.name.replace("\0", "").strip() or found.source_id)[:LONGEST_KEY]
    parameters = kept_parameters(found.parameters, faults)
    tags = kept_tags({**tags, NAME_TAG: name}, faults, LONGEST_TAG)
    now = timezone.now()
    run = Run.objects.create(
        experiment=experiment,
        name=name,
        source=source,
        status=found.status,
        started_at=found.started_at or now,
        ended_at=found.ended_at,
        claimed_user=found.claimed_user[:LONGEST_KEY].replace("\0", ""),
        deleted_at=now if found.is_deleted else None,
        recorded_by=by,
        recorded_at=now,
    )
    RunTag.objects.bulk_create(
        (RunTag(run=run, key=key, value=value) for key, value in tags.items()),
        batch_size=_ROWS,
    )
    _keep_inputs(run, found)
    segment = open_segment(run, by)
    Parameter.objects.bulk_create(
        (
            Parameter(run=run, key=key, value=value, segment=segment.number)
            for key, value in parameters.items()
        ),
        batch_size=_ROWS,
    )
    count_rows(segment, metrics=0, model_metrics=0, parameters=len(parameters), by=by)
    good = _good(found.points(), faults)
    while points := list(islice(good, BATCH)):
        segment = open_segment(run, by)
        added = add_metrics(run, points, segment.number)
        count_rows(segment, metrics=added, model_metrics=0, parameters=0, by=by)
    close_segment(run, by)
    return run


def keep_files(
    kind: type[Artifact] | type[LoggedModelFile],
    files: Sequence[ArtifactFile],
    **owner: Run | LoggedModel | None,
) -> None:
    """Name stored files in their owner, each path once."""
    rows: list[Any] = [
        kind(
            **owner,
            path=file.path,
            sha256=file.blob.sha256,
            size_bytes=file.blob.size_bytes,
            media_type=file.media_type,
        )
        for file in files
    ]
    kind.objects.bulk_create(rows)


def told_of(run: Run) -> dict[str, Any]:
    """Tell how a run that was kept looks, for the trail."""
    return {
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "deleted_at_source": run.deleted_at is not None,
        "parameters": run.parameters.count(),
        "metrics": run.latest_metrics.count(),
        "tags": run.tags.count(),
        "datasets": list(
            run.dataset_inputs.order_by("pk").values_list("name", flat=True)
        ),
    }


def kept_parameters(given: Mapping[str, str], faults: Faults) -> dict[str, str]:
    """Take the parameters that can be kept."""

    def check(key: str, value: str) -> None:
        check_key("parameters", key)
        check_text(f"parameter {key}", value, LONGEST_VALUE, may_be_empty=True)

    return _without_faults(given, check, faults)


def kept_tags(given: Mapping[str, str], faults: Faults, longest: int) -> dict[str, str]:
    """Take the tags that can be kept."""

    def check(key: str, value: str) -> None:
        check_key("tags", key)
        check_text(f"tag {key}", value, longest, may_be_empty=True)

    return _without_faults(given, check, faults)


def _without_faults(
    given: Mapping[str, str], check: Callable[[str, str], None], faults: Faults
) -> dict[str, str]:
    kept = {}
    for key, value in given.items():
        try:
            check(key, value)
        except Invalid as error:
            faults.add(error.message)
        else:
            kept[key] = value
    return kept


def _good(points: Iterable[LoggedPoint], faults: Faults) -> Iterator[LoggedPoint]:
    for point in points:
        try:
            check_points([point])
        except Invalid as error:
            faults.add(error.message)
        else:
            yield point


def _keep_inputs(run: Run, found: SourceRun) -> None:
    kept = {}
    for one in found.inputs:
        try:
            check_dataset(one)
        except Invalid as error:
            found.faults.add(f"dataset {one.name[:80]}: {error.message}")
        else:
            kept[one.name, one.digest] = one
    DatasetInput.objects.bulk_create(
        DatasetInput(
            run=run,
            context=one.tags.get(CONTEXT_TAG),
            **one._replace(tags=dict(one.tags))._asdict(),
        )
        for one in kept.values()
    )
