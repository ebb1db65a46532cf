"""Experiments and their runs, with everything that is logged to them."""

from apps.experiments.models.artifacts import Artifact, StoredFile
from apps.experiments.models.column_choices import ColumnChoice
from apps.experiments.models.experiments import (
    DEFAULT_NAME,
    Experiment,
    ExperimentTag,
)
from apps.experiments.models.imports import (
    REGISTRY_KINDS,
    ImportedItem,
    ItemKind,
    RunImport,
)
from apps.experiments.models.keyed import KeyedValue
from apps.experiments.models.logged import (
    DatasetInput,
    LatestMetric,
    LogSegment,
    Metric,
    Parameter,
    RunTag,
)
from apps.experiments.models.logged_models import (
    LoggedModel,
    LoggedModelFile,
    LoggedModelMetric,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    ModelUse,
    RunModel,
)
from apps.experiments.models.runs import ENDED, GROWING, Run, RunSource, RunStatus

__all__ = [
    "DEFAULT_NAME",
    "ENDED",
    "GROWING",
    "REGISTRY_KINDS",
    "Artifact",
    "ColumnChoice",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "ImportedItem",
    "ItemKind",
    "KeyedValue",
    "LatestMetric",
    "LogSegment",
    "LoggedModel",
    "LoggedModelFile",
    "LoggedModelMetric",
    "LoggedModelParameter",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Metric",
    "ModelUse",
    "Parameter",
    "Run",
    "RunImport",
    "RunModel",
    "RunSource",
    "RunStatus",
    "RunTag",
    "StoredFile",
]
