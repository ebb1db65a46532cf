"""Datasets as people upload them and workers read them."""

import io
from pathlib import Path

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.datasets import actions
from apps.datasets.models import ContractRevision, Dataset, DatasetVersion, VersionDiff
from apps.jobs.actions import start_job
from apps.jobs.models import JobStatus

CSV = b"species,speed\nGull,140\nHawk,\nGull,90\n"
PARQUET = b"PAR1 stands for Parquet PAR1"  # nothing in the apps looks inside
RESULT = {
    "row_count": 3,
    "schema": [
        {"name": "species", "type": "text", "nullable": False},
        {"name": "speed", "type": "integer", "nullable": True},
    ],
    "profile": {
        "columns": [
            {
                "name": "species",
                "type": "text",
                "missing": 0,
                "distinct": 2,
                "min": None,
                "max": None,
                "mean": None,
                "std": None,
                "quantiles": None,
                "histogram": None,
                "top": [{"value": "Gull", "count": 2}, {"value": "Hawk", "count": 1}],
            },
            {
                "name": "speed",
                "type": "integer",
                "missing": 1,
                "distinct": 2,
                "min": 90,
                "max": 140,
                "mean": 115.0,
                "std": 35.4,
                "quantiles": {"0.25": 102.5, "0.5": 115, "0.75": 127.5},
                "histogram": {
                    "edges": [90 + 5 * n for n in range(11)],
                    "counts": [1, *[0] * 8, 1],
                },
                "top": [{"value": "140", "count": 1}, {"value": "90", "count": 1}],
            },
        ]
    },
}


DIFF = {
    "schema": {
        "added": [{"name": "airport", "type": "text"}],
        "removed": [],
        "retyped": [{"name": "height", "before": "integer", "after": "number"}],
    },
    "rows": {
        "before": 3,
        "after": 4,
        "key": ["species"],
        "same": 1,
        "added": 1,
        "removed": 0,
        "changed": 2,
        "by_column": [{"name": "speed", "rows": 2}],
        "examples": [
            {
                "kind": "changed",
                "before_row": 1,
                "after_row": 1,
                "values": {"species": ["Gull", "Gull"], "speed": ["140", "=1+1"]},
            },
            {
                "kind": "added",
                "before_row": None,
                "after_row": 4,
                "values": {"species": [None, "Owl"], "speed": [None, "70"]},
            },
        ],
    },
    "columns": [
        {
            "name": "species",
            "type": "text",
            "missing": [0.0, 0.0],
            "psi": 0.3,
            "test": "chi2",
            "statistic": 2.5,
            "p_value": 0.2,
            "bins": {"labels": ["Gull", "Hawk"], "before": [2, 1], "after": [1, 2]},
        },
        {
            "name": "speed",
            "type": "integer",
            "missing": [0.333, 0.25],
            "psi": 0.02,
            "test": "ks",
            "statistic": 0.1,
            "p_value": 0.9,
            "bins": {"edges": [0, 50, 100], "before": [1, 1], "after": [2, 1]},
        },
        {
            "name": "note",
            "type": "text",
            "missing": [1.0, 1.0],
            "psi": None,
            "test": "chi2",
            "statistic": None,
            "p_value": None,
            "bins": None,
        },
    ],
}


def dataset(project, by, name: str = "strikes") -> Dataset:
    """A dataset without a version."""
    return actions.create_dataset(
        project=project, name=name, title=name.title(), description="", by=by
    )


def version(dataset: Dataset, by, content: bytes = CSV) -> DatasetVersion:
    """An uploaded version that waits to be read."""
    return actions.upload_version(
        dataset=dataset, content=io.BytesIO(content), original_name="rows.csv", by=by
    )


def running_version(dataset: Dataset, by, content: bytes = CSV) -> DatasetVersion:
    """A version that a worker is reading."""
    waiting = version(dataset, by, content)
    return start_job(model=DatasetVersion, pk=waiting.pk, by=service_account())


def ready_version(
    dataset: Dataset,
    by,
    content: bytes = CSV,
    parquet: bytes = PARQUET,
    result: dict = RESULT,
) -> DatasetVersion:
    """A version that can be used; the engine's part is given, not computed."""
    running = running_version(dataset, by, content)
    return finish(running, parquet=parquet, result=result)


def contract(dataset: Dataset, by, content=None) -> ContractRevision:
    """The next revision of a data contract."""
    content = content or {"columns": [{"name": "speed", "range": {"low": 0}}]}
    return actions.save_contract(
        dataset=dataset, content=content, note="Seen before.", by=by
    )


def requested_diff(dataset: Dataset, by, key=()) -> VersionDiff:
    """A comparison of two new versions that waits for a worker."""
    before = ready_version(dataset, by)
    after = ready_version(dataset, by, content=CSV + b"Owl,70\n")
    return actions.request_diff(before=before, after=after, key=list(key), by=by)


def ready_diff(dataset: Dataset, by, result=None) -> VersionDiff:
    """A comparison that was made; the engine's part is given, not computed."""
    waiting = requested_diff(dataset, by, ["species"])
    running = start_job(model=VersionDiff, pk=waiting.pk, by=service_account())
    outcome = Outcome("succeeded", folder_of(running), result=result or DIFF)
    return actions.finish_diff(job=running, outcome=outcome, by=service_account())


def finish(running: DatasetVersion, parquet: bytes = PARQUET, result: dict = RESULT):
    """End a running version well."""
    folder = folder_of(running)
    (folder / "outputs" / "data.parquet").write_bytes(parquet)
    outcome = Outcome("succeeded", folder, result=result)
    return _finish(running, outcome)


def fail(running: DatasetVersion, message: str, details: list) -> DatasetVersion:
    """End a running version because of its content."""
    outcome = Outcome(
        "failed",
        folder_of(running),
        code="bad_input",
        message=message,
        details=details,
    )
    return _finish(running, outcome)


def cancel(running: DatasetVersion) -> DatasetVersion:
    """End a running version because somebody asked for it."""
    return _finish(running, Outcome(JobStatus.CANCELLED, folder_of(running)))


def _finish(running: DatasetVersion, outcome: Outcome) -> DatasetVersion:
    return actions.finish_ingest(job=running, outcome=outcome, by=service_account())


def folder_of(running: DatasetVersion) -> Path:
    folder = settings.JOBS_DIR / str(running.pk)
    (folder / "outputs").mkdir(parents=True, exist_ok=True)
    return folder
