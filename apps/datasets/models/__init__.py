"""Datasets and their immutable versions."""

from apps.datasets.models.contracts import ContractRevision
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.diffs import VersionDiff
from apps.datasets.models.versions import (
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    DatasetVersionQuerySet,
)

__all__ = [
    "ContractRevision",
    "Dataset",
    "DatasetContent",
    "DatasetFormat",
    "DatasetVersion",
    "DatasetVersionQuerySet",
    "VersionDiff",
]
