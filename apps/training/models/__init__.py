"""What is trained by the engine's recipes or people's own code, and what is again."""

from apps.training.models.code import CodeJob, CodeJobQuerySet
from apps.training.models.jobs import TrainingJob, TrainingJobQuerySet
from apps.training.models.regenerations import (
    Regeneration,
    RegenerationQuerySet,
    Sameness,
)

__all__ = [
    "CodeJob",
    "CodeJobQuerySet",
    "Regeneration",
    "RegenerationQuerySet",
    "Sameness",
    "TrainingJob",
    "TrainingJobQuerySet",
]
