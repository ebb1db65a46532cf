"""Regenerations as people ask for them and workers end them."""

import time
from pathlib import Path
from typing import Any

import duckdb

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.experiments.models import Run
from apps.jobs.actions import start_job
from apps.jobs.models import JobStatus
from apps.training import actions, tasks
from apps.training.models import Regeneration
from tests.factories import datasets, training

ROWS = """
    SELECT CASE WHEN i % 2 = 0 THEN 'Gull' ELSE 'Hawk' END AS species,
           40 + (i * 37) % 100 AS speed,
           CASE WHEN (i * 37) % 100 > 80 THEN 'yes' ELSE 'no' END AS damaged
    FROM range(600) AS rows(i)
"""
SAME = "e" * 64
PATIENCE_SECONDS = 20
RESULT: dict[str, Any] = {
    "verdict": "identical",
    "sentence": "Identical: model and predictions are equal byte for byte.",
    "causes": [],
    "other_differences": [],
    "first_step": None,
    "steps": [{"step": "model", "expected": SAME, "found": SAME}],
    "files": [{"name": "model.skops", "expected": SAME, "found": SAME}],
    "metrics": [
        {"key": "test.roc_auc", "expected": 0.81, "found": 0.81, "difference": 0.0}
    ],
    "predictions": {"rows": 1000, "unmatched": 0, "changed": 0, "largest": 0.0},
    "tolerance": None,
    "records": {"expected": SAME, "found": SAME},
}
DIFFERENT: dict[str, Any] = {
    **RESULT,
    "verdict": "different",
    "sentence": "Different, because the seed changed from 0 to 5.",
    "causes": [{"kind": "seed", "sentence": "the seed changed", "names": ["seed"]}],
    "first_step": "split",
    "steps": [{"step": "split", "expected": SAME, "found": "d" * 64}],
}


def run(project, by) -> Run:
    """A run that kept a record, as the engine is said to have left it."""
    return training.finished_job(project, by).run


def trained_run(project, by, folder: Path, **spec) -> Run:
    """A run that the real engine trained in this process's worker."""
    path = folder / "rows.parquet"
    with duckdb.connect() as database:
        database.execute(f"COPY ({ROWS}) TO '{path}' (FORMAT parquet)")
    version = datasets.ready_version(
        datasets.dataset(project, by),
        by,
        parquet=path.read_bytes(),
        result=training.CONTENT,
    )
    job = training.launched_job(
        project, by, dataset_version=version, spec=training.spec(**spec)
    )
    tasks.run_training(pk=str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED, job.failure_message
    return job.run


def requested(project, by, of: Run | None = None) -> Regeneration:
    """A regeneration that waits for a worker."""
    return actions.request_regeneration(run=of or run(project, by), by=by)


def certified(project, by, of: Run | None = None, **result) -> Regeneration:
    """A regeneration with its certificate; `result` replaces what the engine said."""
    return ended(requested(project, by, of), **result)


def ended(waiting: Regeneration, **result) -> Regeneration:
    """End a waiting regeneration as a worker would."""
    running = start_job(model=Regeneration, pk=waiting.pk, by=service_account())
    outcome = Outcome(JobStatus.SUCCEEDED, Path(), result={**RESULT, **result})
    return actions.finish_regeneration(
        job=running, outcome=outcome, by=service_account()
    )


def end_first(**result) -> Regeneration:
    """Wait for somebody else to ask, then end what they asked for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (waiting := Regeneration.objects.first()) is None:
        assert time.monotonic() < deadline, "Nobody asked."
        time.sleep(0.05)
    return ended(waiting, **result)


def done_again(of: Run, by, **asked) -> Regeneration:
    """A regeneration that the real engine carried out."""
    waiting = actions.request_regeneration(run=of, by=by, **asked)
    tasks.run_regeneration(pk=str(waiting.pk))
    waiting.refresh_from_db()
    return waiting
