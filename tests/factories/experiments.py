"""Experiments and finished runs."""

import io

from apps.core import blobs
from apps.experiments import actions
from apps.experiments.actions import ArtifactFile, MetricPoint, RunContent
from apps.experiments.models import Experiment, Run, RunSource

MODEL = b"a model file"
SUMMARY = {
    "figures": {
        "roc": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]],
        "precision_recall": [[0.0, 1.0], [0.7, 0.5], [1.0, 0.1]],
        "importance": [
            {"feature": "speed", "mean": 0.2, "std": 0.01},
            {"feature": "species", "mean": 0.1, "std": 0.02},
        ],
    },
    "rows": {"train": 60, "validation": 20, "test": 20, "dropped": 0},
    "threshold": 0.31,
    "environment": {"python": "3.11.2", "packages": {"scikit-learn": "1.9.1"}},
}
METRICS = (
    MetricPoint("test.roc_auc", 0.81),
    MetricPoint("test.recall", 0.7),
    MetricPoint("baseline.roc_auc", 0.5),
    MetricPoint("baseline.recall", 0.4),
)


def experiment(project, by, name: str = "First look") -> Experiment:
    """An experiment without runs."""
    return actions.create_experiment(project=project, name=name, description="", by=by)


def artifact(path: str = "model.skops", content: bytes = MODEL) -> ArtifactFile:
    """A stored file."""
    blob = blobs.store(io.BytesIO(content))
    return ArtifactFile(path, blob, "application/octet-stream")


def run(experiment: Experiment, by, **content) -> Run:
    """A finished run; `content` are fields of `RunContent`."""
    given = {"name": "Run", "source": RunSource.API, **content}
    return actions.record_run(experiment=experiment, content=RunContent(**given), by=by)


def trained_run(experiment: Experiment, by, **content) -> Run:
    """A run with everything a training job leaves behind."""
    given = {
        "parameters": {"estimator": "decision_tree", "max_depth": 4},
        "metrics": METRICS,
        "artifacts": [artifact(), artifact("test.parquet", b"held-out rows")],
        "summary": SUMMARY,
        **content,
    }
    return run(experiment, by, **given)
