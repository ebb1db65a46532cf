"""The one way a task carries a job through the sandbox."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings

from apps.core import sandbox
from apps.core.models import BackgroundJob, JobQuerySet
from apps.core.sandbox import Outcome, Progress

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=BackgroundJob)


def execute(
    *,
    verb: str,
    start: Callable[[], J | None],
    prepare: Callable[[J, Path], dict[str, Any]],
    finish: Callable[[J, Outcome], Any],
) -> None:
    """Claim a job, run the engine on it, and hand the outcome to its action.

    Args:
        verb: what the engine does.
        start: the action that claims the row; None when it is already taken.
        prepare: writes the inputs into the folder and returns the engine's spec, with
            its limits.
        finish: the action that records the outcome, whatever it is.
    """
    job = start()
    if job is None:
        return
    with sandbox.job_folder(str(job.pk)) as folder:
        try:
            spec = prepare(job, folder)
            (folder / "spec.json").write_text(json.dumps(spec))
            outcome = sandbox.run(
                folder,
                verb,
                wall_seconds=spec["limits"].get("wall_seconds")
                or settings.JOB_WALL_SECONDS,
                watch=_watch(job),
            )
            if outcome.status != "lost":
                finish(job, outcome)
        except Exception:
            finish(job, _unexpected(folder))
            raise


def _watch(job: BackgroundJob) -> sandbox.Watch:
    manager: JobQuerySet[Any] = type(job)._default_manager.filter(pk=job.pk)  # type: ignore[assignment]
    claim_id = cast("UUID", job.claim_id)  # a running row has one: constraint

    def watch(progress: Progress) -> str:
        held = manager.note_progress(
            claim_id=claim_id,
            ratio=progress.ratio,
            stage=progress.stage,
            log_tail=progress.log,
        )
        if not held:
            logger.warning("job %s was given to another worker", job.pk)
            return "lost"
        return "cancel" if manager.is_cancel_requested(claim_id=claim_id) else "go on"

    return watch


def _unexpected(folder: Path) -> Outcome:
    return Outcome(
        "failed",
        folder,
        code="internal",
        message="Something went wrong in the portal itself. It was reported; try again "
        "or ask an operator.",
        details=[traceback.format_exc()[-4000:]],
    )
