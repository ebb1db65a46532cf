"""The one way a task carries a job out, in the sandbox or in the worker itself."""

from __future__ import annotations

import errno
import json
import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.accounts.actions import service_account
from apps.core import sandbox
from apps.core.errors import PortalError
from apps.core.sandbox import Outcome, Progress, Watch
from apps.jobs.actions import hand_back_job, start_job
from apps.jobs.models import BackgroundJob
from apps.jobs.presence import is_time_to_stop

if TYPE_CHECKING:
    from apps.accounts.models import User

logger = logging.getLogger(__name__)

AWAY_SECONDS = 0.5
DATABASE_AWAY = (OperationalError, InterfaceError)
UNEXPECTED = (
    "Something went wrong in the portal itself. It was reported; try again or ask an "
    "operator."
)
FULL = (
    "There was no room to keep the files of this job. Ask an operator for room, then "
    "start it again."
)
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

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
    return sandbox.run(
        folder,
        verb,
        wall_seconds=spec["limits"].get("wall_seconds"),
        memory_bytes=spec["limits"].get("memory_bytes"),
        watch=watch,
    )


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
            if outcome.status == "interrupted":
                _patiently(hand_back_job, job=job, by=worker)
            elif outcome.status != "lost":
                _patiently(finish, job=job, outcome=outcome, by=worker)
        except PortalError as error:  # said in words already, such as a full disk
            told = Outcome("failed", folder, code=error.code, message=error.message)
            _patiently(finish, job=job, outcome=told, by=worker)
        except Exception as error:
            _patiently(finish, job=job, outcome=_unexpected(folder, error), by=worker)
            raise


def _patiently(store: Callable[..., object], **what: Any) -> None:
    """Call an action; while the database is away, wait as long as the claim lasts.

    Once the database is back, the action finds out whether the claim still holds.
    """
    deadline = time.monotonic() + settings.JOB_STALE_SECONDS
    while True:
        try:
            store(**what)
        except DATABASE_AWAY:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database is away; trying again")
            connection.close()
            time.sleep(AWAY_SECONDS)
        else:
            return


def _watch(job: BackgroundJob) -> sandbox.Watch:
    """Make what notes the progress of a claimed job and says whether to go on.

    A database that is away for a moment stops no job: nobody else can claim it then.
    """
    note = _note(job)
    noted_at = time.monotonic()

    def watch(progress: Progress) -> str:
        nonlocal noted_at
        try:
            answer = note(progress)
        except DATABASE_AWAY:
            connection.close()
            is_lost = time.monotonic() > noted_at + settings.JOB_STALE_SECONDS
            return "lost" if is_lost else "go on"
        noted_at = time.monotonic()
        return answer

    return watch


def _note(job: BackgroundJob) -> sandbox.Watch:
    row = job.rows().filter(pk=job.pk)
    claim_id = cast("UUID", job.claim_id)  # a running row has one: constraint

    def watch(progress: Progress) -> str:
        held = row.note_progress(claim_id=claim_id, progress=progress)
        if not held:
            logger.warning("job %s was given to another worker", job.pk)
            return "lost"
        if row.is_cancel_requested(claim_id=claim_id):
            return "cancel"
        return "interrupt" if is_time_to_stop() else "go on"

    return watch


def _unexpected(folder: Path, error: Exception) -> Outcome:
    details = traceback.format_exc()[-4000:]
    code, message = "internal", UNEXPECTED
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        code, message = "disk_full", FULL
    return Outcome("failed", folder, code=code, message=message, details=[details])
