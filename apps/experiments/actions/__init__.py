"""Everything that changes an experiment or a run, or hands out what a run left."""

from apps.experiments.actions.recording import (
    ArtifactFile,
    MetricPoint,
    RunContent,
    create_experiment,
    download_artifact,
    record_run,
)

__all__ = [
    "ArtifactFile",
    "MetricPoint",
    "RunContent",
    "create_experiment",
    "download_artifact",
    "record_run",
]
