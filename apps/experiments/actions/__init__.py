"""Everything that changes an experiment or a run, or hands out what a run left."""

from apps.experiments.actions.artifacts import (
    PathTaken,
    delete_artifact,
    log_artifact,
)
from apps.experiments.actions.experiments import (
    NameTaken,
    create_experiment,
    delete_experiment,
    delete_experiment_tag,
    rename_experiment,
    restore_experiment,
    set_experiment_tag,
)
from apps.experiments.actions.logging import (
    LogBatch,
    LoggedDataset,
    LoggedPoint,
    ParameterChanged,
    log_batch,
    log_inputs,
)
from apps.experiments.actions.recording import (
    ArtifactFile,
    MetricPoint,
    RunContent,
    download_artifact,
    preview_artifact,
    record_run,
)
from apps.experiments.actions.runs import (
    RunChange,
    RunStart,
    delete_run,
    delete_run_tag,
    restore_run,
    set_run_tags,
    start_run,
    update_run,
)
from apps.experiments.actions.segments import close_old_segments

__all__ = [
    "ArtifactFile",
    "LogBatch",
    "LoggedDataset",
    "LoggedPoint",
    "MetricPoint",
    "NameTaken",
    "ParameterChanged",
    "PathTaken",
    "RunChange",
    "RunContent",
    "RunStart",
    "close_old_segments",
    "create_experiment",
    "delete_artifact",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_run",
    "delete_run_tag",
    "download_artifact",
    "log_artifact",
    "log_batch",
    "log_inputs",
    "preview_artifact",
    "record_run",
    "rename_experiment",
    "restore_experiment",
    "restore_run",
    "set_experiment_tag",
    "set_run_tags",
    "start_run",
    "update_run",
]
