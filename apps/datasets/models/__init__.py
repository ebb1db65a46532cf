"""Datasets and their immutable versions."""

from apps.datasets.models.contracts import ContractRevision
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.datasheets import (
    Datasheet,
    HintDecision,
    PersonalDataHint,
)
from apps.datasets.models.diffs import VersionDiff
from apps.datasets.models.sealed import (
    DEFAULT_LOOKS,
    MOST_LOOKS,
    SealedBudget,
    SealedPart,
    seal_in_words,
)
from apps.datasets.models.uploads import UPLOAD_TRANSITIONS, Upload, UploadState
from apps.datasets.models.versions import (
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    DatasetVersionQuerySet,
    ErrorListFormat,
)

__all__ = [
    "DEFAULT_LOOKS",
    "MOST_LOOKS",
    "UPLOAD_TRANSITIONS",
    "ContractRevision",
    "Dataset",
    "DatasetContent",
    "DatasetFormat",
    "DatasetVersion",
    "DatasetVersionQuerySet",
    "Datasheet",
    "ErrorListFormat",
    "HintDecision",
    "PersonalDataHint",
    "SealedBudget",
    "SealedPart",
    "Upload",
    "UploadState",
    "VersionDiff",
    "seal_in_words",
]
