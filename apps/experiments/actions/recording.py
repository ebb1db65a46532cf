"""Finished runs, recorded whole, and what runs hand out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.experiments import rules
from apps.experiments.actions.artifacts import check_path
from apps.experiments.actions.checks import (
    LONGEST_KEY,
    LONGEST_VALUE,
    STEP_LIMIT,
    check_text,
    invalid,
)
from apps.experiments.models import (
    Artifact,
    LatestMetric,
    Metric,
    Parameter,
    Run,
    RunSource,
)

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.blobs import Blob
    from apps.datasets.models import DatasetVersion
    from apps.experiments.models import Experiment

MOST_PARAMETERS = 1_000
MOST_METRICS = 10_000
MOST_ARTIFACTS = 1_000
LONGEST_NAME = 120
_BATCH = 2_000


class MetricPoint(NamedTuple):
    """A figure measured in a run; `step` counts up when it was measured again."""

    key: str
    value: float
    step: int = 0


class ArtifactFile(NamedTuple):
    """A stored file that a run left behind, and what to call it."""

    path: str
    blob: Blob
    media_type: str


@dataclass(frozen=True)
class RunContent:
    """What a finished run consists of.

    Args:
        name: as people call it.
        source: how it came here.
        parameters: what was set before, by key; values are kept as text.
        metrics: what was measured, each key at most once per step.
        artifacts: files, each path once.
        dataset_version: what it learned from, of the same project.
        summary: the engine's account: figures, signature, split, environment.
    """

    name: str
    source: RunSource
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[MetricPoint] = ()
    artifacts: Sequence[ArtifactFile] = ()
    dataset_version: DatasetVersion | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def record_run(*, experiment: Experiment, content: RunContent, by: User) -> Run:
    """Keep a finished run as it was; it never changes afterwards.

    Args:
        experiment: the group it belongs to.
        content: what it consists of.
        by: who ran it: a person, or the worker for a training job.

    Raises:
        Invalid: something is too long, too many, given twice or not finite; the
            sentence names the key.
        Refused: only who may record runs.
    """
    ensure(rules.can_record_run(by, experiment))
    parameters = {key: str(value) for key, value in content.parameters.items()}
    _check_content(experiment, content, parameters)
    now = timezone.now()
    run = Run.objects.create(
        experiment=experiment,
        name=content.name,
        source=content.source,
        started_at=now,
        ended_at=now,
        recorded_at=now,
        dataset_version=content.dataset_version,
        summary=dict(content.summary),
        recorded_by=by,
    )
    Parameter.objects.bulk_create(
        Parameter(run=run, key=key, value=value) for key, value in parameters.items()
    )
    _keep_metrics(run, content.metrics)
    Artifact.objects.bulk_create(
        Artifact(
            run=run,
            path=file.path,
            sha256=file.blob.sha256,
            size_bytes=file.blob.size_bytes,
            media_type=file.media_type,
        )
        for file in content.artifacts
    )
    record(
        EventType.RUN_RECORDED,
        target=run,
        project=experiment.project,
        by=by,
        changes={
            "source": content.source.value,
            "dataset_version": str(content.dataset_version or ""),
            "parameters": len(parameters),
            "metrics": len(content.metrics),
            "artifacts": {file.path: file.blob.sha256 for file in content.artifacts},
        },
    )
    return run


@transaction.atomic
def download_artifact(*, artifact: Artifact, by: User) -> Artifact:
    """Hand out a file of a run, and keep who took it.

    Raises:
        Refused: only who may download models, or data where it holds data.
    """
    ensure(rules.can_download_artifact(by, artifact))
    record(
        EventType.RUN_ARTIFACT_DOWNLOADED,
        target=artifact.run,
        project=artifact.run.project,
        by=by,
        changes={"path": artifact.path, "sha256": artifact.sha256},
    )
    return artifact


@transaction.atomic
def preview_artifact(*, artifact: Artifact, by: User) -> Artifact:
    """Show what is in a file of a run, and keep who saw it.

    Raises:
        Refused: only who may download it.
    """
    ensure(rules.can_preview_artifact(by, artifact))
    record(
        EventType.RUN_ARTIFACT_PREVIEWED,
        target=artifact.run,
        project=artifact.run.project,
        by=by,
        changes={"path": artifact.path, "sha256": artifact.sha256},
    )
    return artifact


def _keep_metrics(run: Run, points: Sequence[MetricPoint]) -> None:
    at = int(run.recorded_at.timestamp() * 1000)
    last = {point.key: point for point in sorted(points, key=lambda one: one.step)}
    Metric.objects.bulk_create(
        (Metric(run=run, timestamp=at, **point._asdict()) for point in points),
        batch_size=_BATCH,
    )
    LatestMetric.objects.bulk_create(
        (LatestMetric(run=run, timestamp=at, **one._asdict()) for one in last.values()),
        batch_size=_BATCH,
    )


def _check_content(
    experiment: Experiment, content: RunContent, parameters: Mapping[str, str]
) -> None:
    check_text("name", content.name, LONGEST_NAME)
    _check_dataset_version(experiment, content.dataset_version)
    _check_count("parameters", parameters, MOST_PARAMETERS)
    _check_count("metrics", content.metrics, MOST_METRICS)
    _check_count("artifacts", content.artifacts, MOST_ARTIFACTS)
    for key, value in parameters.items():
        check_text("parameters", key, LONGEST_KEY)
        if "\x00" in value or len(value) > LONGEST_VALUE:
            raise invalid(
                "parameters",
                f"The value of parameter {key} holds a NUL character or more than "
                f"{LONGEST_VALUE:,} characters; shorten it.",
            )
    for point in content.metrics:
        _check_metric(point)
    _check_once("metrics", ((point.key, point.step) for point in content.metrics))
    for file in content.artifacts:
        check_path(file.path)
    _check_once("artifacts", (file.path for file in content.artifacts))


def _check_dataset_version(
    experiment: Experiment, version: DatasetVersion | None
) -> None:
    if version and version.dataset.project_id != experiment.project_id:
        raise invalid(
            "dataset_version", "The dataset version belongs to another project."
        )


def _check_metric(point: MetricPoint) -> None:
    check_text("metrics", point.key, LONGEST_KEY)
    if not math.isfinite(point.value):
        raise invalid(
            "metrics",
            f"The value of metric {point.key} is not a finite number; leave it out.",
        )
    if not -STEP_LIMIT <= point.step < STEP_LIMIT:
        raise invalid("metrics", f"The step of metric {point.key} is out of range.")


def _check_count(where: str, items: Sized, most: int) -> None:
    if len(items) > most:
        raise invalid(
            where, f"A run takes up to {most:,} {where}; this one has {len(items):,}."
        )


def _check_once(where: str, keys: Iterable[Hashable]) -> None:
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise invalid(where, f"{twice[0]!r} is given twice in {where}; keep one.")
