"""Everything that changes a training job."""

from apps.training.actions.code import finish_code, launch_code
from apps.training.actions.launch import launch_training, relaunch_training
from apps.training.actions.work import OutsideOutputs, finish_training

__all__ = [
    "OutsideOutputs",
    "finish_code",
    "finish_training",
    "launch_code",
    "launch_training",
    "relaunch_training",
]
