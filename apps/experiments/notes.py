"""Notes of experiments and runs: the tag in which MLflow's pages keep theirs, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from apps.experiments.models import Experiment, Run

NOTE_TAG: Final = "mlflow.note.content"
CLIENT_TAGS: Final = "mlflow."  # how tags begin that clients set for themselves


def note_of(noted: Experiment | Run) -> str:
    """Read the note; empty when there is none."""
    tag = noted.tags.filter(key=NOTE_TAG).first()
    return tag.value if tag else ""
