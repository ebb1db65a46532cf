"""Datasets and their immutable versions."""

from apps.datasets.models.datasets import Dataset
from apps.datasets.models.datasheets import (
    Datasheet,
    HintDecision,
    PersonalDataHint,
)
from apps.datasets.models.versions import (
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    DatasetVersionQuerySet,
)

__all__ = [
    "Dataset",
    "DatasetContent",
    "DatasetFormat",
    "DatasetVersion",
    "DatasetVersionQuerySet",
    "Datasheet",
    "HintDecision",
    "PersonalDataHint",
]
