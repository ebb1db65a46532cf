"""Datasets and their immutable versions."""

from apps.datasets.models.contracts import ContractRevision
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.diffs import VersionDiff
from apps.datasets.models.uploads import UPLOAD_TRANSITIONS, Upload, UploadState
from apps.datasets.models.versions import (
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    DatasetVersionQuerySet,
    ErrorListFormat,
)

__all__ = [
    "UPLOAD_TRANSITIONS",
    "ContractRevision",
    "Dataset",
    "DatasetContent",
    "DatasetFormat",
    "DatasetVersion",
    "DatasetVersionQuerySet",
    "ErrorListFormat",
    "Upload",
    "UploadState",
    "VersionDiff",
]
