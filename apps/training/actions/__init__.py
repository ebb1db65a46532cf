"""Everything that changes a training job."""

from apps.training.actions.launch import cancel_training, launch_training
from apps.training.actions.work import (
    OutsideOutputs,
    finish_training,
    requeue_training,
    resend_training,
    start_training,
)

__all__ = [
    "OutsideOutputs",
    "cancel_training",
    "finish_training",
    "launch_training",
    "requeue_training",
    "resend_training",
    "start_training",
]
