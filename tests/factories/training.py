"""Training jobs as people launch them and workers end them."""

import hashlib
import json
from pathlib import Path

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.actions import start_job
from apps.jobs.models import JobStatus
from apps.training import actions
from apps.training.models import TrainingJob
from tests.factories import datasets, experiments


def _column(name: str, kind: str, values: list[str]) -> dict:
    numeric = kind in {"integer", "number"}
    return {
        "name": name,
        "type": kind,
        "missing": 0,
        "distinct": len(values),
        "min": 0 if numeric else None,
        "max": 100 if numeric else None,
        "mean": 50.0 if numeric else None,
        "std": 9.0 if numeric else None,
        "quantiles": None,
        "histogram": None,
        "top": [{"value": value, "count": 10} for value in values],
    }


PROFILE = [
    _column("species", "text", ["Gull", "Hawk"]),
    {**_column("speed", "integer", ["90", "140"]), "distinct": 300},
    {**_column("seen_on", "date", ["2020-01-01"]), "distinct": 900},
    {**_column("report_id", "text", ["a", "b"]), "distinct": 5_000},
    _column("damaged", "text", ["no", "yes"]),
]
CONTENT = {
    "row_count": 5_000,
    "schema": [
        {"name": column["name"], "type": column["type"], "nullable": False}
        for column in PROFILE
    ],
    "profile": {"columns": PROFILE},
}
SPEC = {
    "task": "binary",
    "target": "damaged",
    "positive_label": "yes",
    "features": [
        {"name": "species", "kind": "category"},
        {"name": "speed", "kind": "number"},
    ],
    "estimator": "logistic_regression",
}
SIGNATURE = {
    "task": "binary",
    "target": "damaged",
    "positive_label": "yes",
    "threshold": 0.3,
    "inputs": [
        {"name": "species", "kind": "category", "type": "text"},
        {"name": "speed", "kind": "number", "type": "integer"},
    ],
    "outputs": ["label", "probabilities"],
    "classes": ["no", "yes"],
}
RECORD = {
    "format": "portal-record-1",
    "verb": "train",
    "spec": SPEC,
    "code": {"version": "1.0", "digest": "c" * 64, "files": {}},
    "inputs": {"data.parquet": "d" * 64},
    "fingerprint": None,
    "seeds": {"seed": 0},
    "environment": {
        "python": "3.11.2",
        "threads": 1,
        "thread_settings": {"OMP_NUM_THREADS": "1"},
        "cpu": {"model": "Abacus"},
        "system": "Linux",
        "lock": [{"name": "numpy", "version": "2.0", "digest": ""}],
    },
    "steps": [{"step": "model", "digest": "e" * 64}],
    "metrics": {"test.roc_auc": 0.81},
    "outputs": {"model.skops": "e" * 64},
}
FILES = {
    "model.skops": b"a model",
    "model.onnx": b"the same model",
    "signature.json": json.dumps(SIGNATURE).encode(),
    "engine.zip": b"the engine",
    "predictions.parquet": b"predictions",
    "record.json": b"",  # written for each job
    "test.parquet": b"held-out rows",
}
RESULT = {
    "status": "succeeded",
    "parameters": {"estimator": "logistic_regression", "C": 1.0, "seed": 0},
    "metrics": {
        "test.roc_auc": 0.81,
        "test.recall": 0.7,
        "test.mission_cost_per_1000": 900.0,
        "validation.roc_auc": 0.83,
        "baseline.roc_auc": 0.5,
        "baseline.mission_cost_per_1000": 1800.0,
    },
    "metric_history": [
        {"key": "search.roc_auc", "step": step, "value": 0.7 + step / 100}
        for step in (1, 2, 3)
    ],
    "files": [
        {"path": f"outputs/{name}", "media_type": "application/octet-stream"}
        for name in FILES
    ],
    "signature": SIGNATURE,
    "threshold": 0.3,
    "rows": {"train": 3_000, "validation": 1_000, "test": 1_000, "dropped": 0},
    "split_digest": "5" * 64,
    "search": {
        "planned": 5,
        "trials": [{"score": score} for score in (0.71, 0.73, 0.72)],
        "best": 2,
    },
    "trials_done": 3,
    "onnx": {"exported": True, "reason": "", "max_gap": 1e-7},
    "figures": experiments.SUMMARY["figures"],
}


def data(project, by, name: str = "strikes") -> DatasetVersion:
    """A version that is ready to train on; the same one when asked again."""
    found = DatasetVersion.objects.ready().filter(
        dataset__project=project, dataset__name=name
    )
    if first := found.first():
        return first
    return datasets.ready_version(
        datasets.dataset(project, by, name), by, result=CONTENT
    )


def experiment(project, by, name: str = "Damage") -> Experiment:
    """An experiment; the same one when asked again."""
    found = project.experiments.filter(name=name).first()
    return found or experiments.experiment(project, by, name)


def spec(**changes) -> dict:
    """What a person asks for."""
    return {**SPEC, **changes}


def launched_job(project, by, **asked) -> TrainingJob:
    """A job that waits for a worker."""
    given = {
        "experiment": experiment(project, by),
        "dataset_version": data(project, by),
        "name": "First training",
        "spec": spec(),
        **asked,
    }
    return actions.launch_training(**given, by=by)


def running_job(project, by, **asked) -> TrainingJob:
    """A job that the worker has claimed."""
    job = launched_job(project, by, **asked)
    return start_job(model=TrainingJob, pk=job.pk, by=service_account())


def finish(running: TrainingJob, outcome: Outcome) -> TrainingJob:
    """Hand `outcome` to the action as the worker does."""
    return actions.finish_training(job=running, outcome=outcome, by=service_account())


def success(running: TrainingJob, **changes) -> Outcome:
    """A good end: the result, and the files it names."""
    outputs = folder(running) / "outputs"
    outputs.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (outputs / name).write_bytes(content)
    (outputs / "record.json").write_text(json.dumps(record_of(running)))
    return Outcome(JobStatus.SUCCEEDED, folder(running), result={**RESULT, **changes})


def record_of(job: TrainingJob) -> dict:
    """The record that the engine would write for `job`."""
    predictions = hashlib.sha256(FILES["predictions.parquet"]).hexdigest()
    return {
        **RECORD,
        "spec": job.spec,
        "inputs": {"data.parquet": job.dataset_version.parquet_sha256},
        "outputs": {**RECORD["outputs"], "predictions.parquet": predictions},
    }


def folder(running: TrainingJob) -> Path:
    """Where the engine would have worked."""
    return Path(settings.JOBS_DIR) / str(running.pk)


def finished_job(project, by, **asked) -> TrainingJob:
    """A job with its run; `result` replaces parts of the engine's answer."""
    result = asked.pop("result", {})
    running = running_job(project, by, **asked)
    return finish(running, success(running, **result))


def failed_job(project, by, **asked) -> TrainingJob:
    """A job that ended because of its data."""
    running = running_job(project, by, **asked)
    outcome = Outcome(
        JobStatus.FAILED,
        folder(running),
        code="bad_input",
        message="The target damaged has one value only. Choose another.",
    )
    return finish(running, outcome)
