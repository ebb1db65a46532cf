"""What is trained, and what is trained again to see whether it comes out the same."""

from apps.training.models.jobs import TrainingJob, TrainingJobQuerySet
from apps.training.models.regenerations import (
    KIND_OF_SAMENESS,
    Regeneration,
    RegenerationQuerySet,
    Sameness,
)

__all__ = [
    "KIND_OF_SAMENESS",
    "Regeneration",
    "RegenerationQuerySet",
    "Sameness",
    "TrainingJob",
    "TrainingJobQuerySet",
]
