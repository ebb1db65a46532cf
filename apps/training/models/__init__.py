"""What is trained, and what is trained again to see whether it comes out the same."""

from apps.training.models.jobs import TrainingJob, TrainingJobQuerySet
from apps.training.models.regenerations import (
    Regeneration,
    RegenerationQuerySet,
    Sameness,
)

__all__ = [
    "Regeneration",
    "RegenerationQuerySet",
    "Sameness",
    "TrainingJob",
    "TrainingJobQuerySet",
]
