"""The one way a task carries a job out, in the sandbox or in the worker itself."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID

from django.conf import settings

from apps.accounts.actions import service_account
from apps.core import sandbox
from apps.core.errors import PortalError
from apps.core.sandbox import Outcome, Progress, Watch
from apps.jobs.actions import start_job
from apps.jobs.models import BackgroundJob

if TYPE_CHECKING:
    from apps.accounts.models import User

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=BackgroundJob)
J_contra = TypeVar("J_contra", bound=BackgroundJob, contravariant=True)


class Finish(Protocol[J_contra]):
    """The action that stores the outcome of a claimed job, whatever it is."""

    def __call__(self, *, job: J_contra, outcome: Outcome, by: User) -> object: ...


def execute(
    model: type[J],
    pk: str,
    *,
    verb: str,
    prepare: Callable[[J, Path], dict[str, Any]],
    finish: Finish[J],
) -> None:
    """Claim a job, run the engine on it, and hand the outcome to its action.

    Args:
        model: the kind of job.
        pk: of the job; nothing happens when another worker has it.
        verb: what the engine does.
        prepare: writes the inputs into the folder and returns the engine's spec, with
            its limits.
        finish: stores the outcome.
    """

    def work(job: J, folder: Path, watch: Watch) -> Outcome:
        return run_engine(job, folder, watch, verb=verb, prepare=prepare)

    carry_out(model, pk, work=work, finish=finish)


def run_engine(
    job: J,
    folder: Path,
    watch: Watch,
    *,
    verb: str,
    prepare: Callable[[J, Path], dict[str, Any]],
) -> Outcome:
    """Run the engine on a claimed job; the arguments are those of `execute`."""
    spec = prepare(job, folder)
    (folder / "spec.json").write_text(json.dumps(spec))
    wall_seconds = spec["limits"].get("wall_seconds") or settings.JOB_WALL_SECONDS
    return sandbox.run(folder, verb, wall_seconds=wall_seconds, watch=watch)


def carry_out(
    model: type[J],
    pk: str,
    *,
    work: Callable[[J, Path, Watch], Outcome],
    finish: Finish[J],
) -> None:
    """Claim a job, do its work, and hand the outcome to its action.

    Args:
        model: the kind of job.
        pk: of the job; nothing happens when another worker has it.
        work: does it in a folder of its own, telling every few seconds how far it is.
        finish: stores the outcome.
    """
    worker = service_account()
    job = start_job(model=model, pk=pk, by=worker)
    if job is None:
        return
    with sandbox.job_folder(str(job.pk)) as folder:
        try:
            outcome = work(job, folder, _watch(job))
            if outcome.status != "lost":
                finish(job=job, outcome=outcome, by=worker)
        except PortalError as error:  # said in words already, such as a full disk
            told = Outcome("failed", folder, code=error.code, message=error.message)
            finish(job=job, outcome=told, by=worker)
        except Exception:
            finish(job=job, outcome=_unexpected(folder), by=worker)
            raise


def _watch(job: BackgroundJob) -> sandbox.Watch:
    row = job.rows().filter(pk=job.pk)
    claim_id = cast("UUID", job.claim_id)  # a running row has one: constraint

    def watch(progress: Progress) -> str:
        held = row.note_progress(
            claim_id=claim_id,
            ratio=progress.ratio,
            stage=progress.stage,
            log_tail=progress.log,
        )
        if not held:
            logger.warning("job %s was given to another worker", job.pk)
            return "lost"
        return "cancel" if row.is_cancel_requested(claim_id=claim_id) else "go on"

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
