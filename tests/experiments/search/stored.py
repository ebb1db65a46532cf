"""Random runs and experiments set down in the tables that searches read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import transaction

from apps.experiments.models import (
    DatasetInput,
    Experiment,
    ExperimentTag,
    LatestMetric,
    Parameter,
    Run,
    RunTag,
)
from apps.experiments.search.runs import search_runs
from tests.experiments.search.evaluator import Thing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Undo(Exception):
    """Takes the rows of one example away again."""


@contextmanager
def undone():
    try:
        with transaction.atomic():
            yield
            raise Undo
    except Undo:
        pass


def moment(milliseconds):
    if milliseconds is None:
        return None
    return EPOCH + timedelta(milliseconds=milliseconds)


def paged(by, search, size):
    """The ids of all pages, one after another."""
    names, token = [], ""
    while True:
        keys, token = search_runs(user=by, search=search, token=token, size=size)
        assert len(keys) <= size
        names += [key.hex for key in keys]
        if not token:
            return names


def stored_runs(experiment, by, drawn) -> list[Thing]:
    """Store drawn runs; tell them as plain values with the ids that they got."""
    runs = [
        Run(
            experiment=experiment,
            recorded_by=by,
            source="api",
            name=one["run_name"],
            claimed_user=one["user_id"],
            status=one["status"],
            started_at=moment(one["start_time"]),
            ended_at=moment(one["end_time"]),
        )
        for one in drawn
    ]
    Run.objects.bulk_create(runs)
    pairs = list(zip(runs, drawn, strict=True))
    LatestMetric.objects.bulk_create(
        LatestMetric(run=run, key=key, value=value, step=0, timestamp=0)
        for run, one in pairs
        for key, value in one["metrics"].items()
    )
    for model, kind in ((Parameter, "params"), (RunTag, "tags")):
        model.objects.bulk_create(
            model(run=run, key=key, value=value)
            for run, one in pairs
            for key, value in one[kind].items()
        )
    DatasetInput.objects.bulk_create(
        DatasetInput(run=run, source_type="local", source="{}", **dataset)
        for run, one in pairs
        for dataset in one["datasets"]
    )
    return [thing(run, one) for run, one in pairs]


def thing(run, drawn) -> Thing:
    names = ("run_name", "user_id", "status", "start_time", "end_time")
    folder = f"{run.experiment_id.hex}/{run.pk.hex}"
    attributes = {
        **{name: drawn[name] for name in names},
        "run_id": run.pk.hex,
        "artifact_uri": f"mlflow-artifacts:/{folder}/artifacts",
    }
    return Thing(
        run.pk.hex,
        attributes,
        drawn["metrics"],
        drawn["params"],
        drawn["tags"],
        tuple(drawn["datasets"]),
    )


def stored_experiments(project, by, drawn) -> list[Thing]:
    """Store drawn experiments; tell them as plain values with the ids they got."""
    rows = [
        Experiment(
            project=project,
            created_by=by,
            name=name,
            created_at=moment(one["creation_time"]),
            updated_at=moment(one["last_update_time"]),
        )
        for name, one in drawn.items()
    ]
    Experiment.objects.bulk_create(rows)
    pairs = list(zip(rows, drawn.values(), strict=True))
    ExperimentTag.objects.bulk_create(
        ExperimentTag(experiment=row, key=key, value=value)
        for row, one in pairs
        for key, value in one["tags"].items()
    )
    return [
        Thing(
            row.pk.hex,
            {**one, "name": row.name, "experiment_id": row.pk.hex},
            tags=one["tags"],
        )
        for row, one in pairs
    ]
