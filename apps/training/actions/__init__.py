"""Everything that changes a training job."""

from apps.training.actions.launch import launch_training, relaunch_training
from apps.training.actions.work import OutsideOutputs, finish_training

__all__ = [
    "OutsideOutputs",
    "finish_training",
    "launch_training",
    "relaunch_training",
]
