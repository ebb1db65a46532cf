"""What is trained: by the engine's own recipes, or by people's own code."""

from apps.training.models.code import CodeJob, CodeJobQuerySet
from apps.training.models.jobs import TrainingJob, TrainingJobQuerySet

__all__ = ["CodeJob", "CodeJobQuerySet", "TrainingJob", "TrainingJobQuerySet"]
