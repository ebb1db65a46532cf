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
from apps.datasets.models.versions import (
    DatasetContent,
    DatasetFormat,
    DatasetVersion,
    DatasetVersionQuerySet,
)

__all__ = [
    "DEFAULT_LOOKS",
    "MOST_LOOKS",
    "ContractRevision",
    "Dataset",
    "DatasetContent",
    "DatasetFormat",
    "DatasetVersion",
    "DatasetVersionQuerySet",
    "Datasheet",
    "HintDecision",
    "PersonalDataHint",
    "SealedBudget",
    "SealedPart",
    "VersionDiff",
    "seal_in_words",
]
