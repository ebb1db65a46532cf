"""Everything that changes a training job or does a run again."""

from apps.training.actions.code import finish_code, launch_code
from apps.training.actions.launch import launch_training, relaunch_training
from apps.training.actions.regenerations import (
    download_regeneration_bundle,
    finish_regeneration,
    request_regeneration,
)
from apps.training.actions.work import OutsideOutputs, finish_training

__all__ = [
    "OutsideOutputs",
    "download_regeneration_bundle",
    "finish_code",
    "finish_regeneration",
    "finish_training",
    "launch_code",
    "launch_training",
    "relaunch_training",
    "request_regeneration",
]
