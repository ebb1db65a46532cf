"""Doing a run again, saying whether it is the same, and handing out the means to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.experiments.models import Run
from apps.jobs.actions import finish_job
from apps.training import records, rules
from apps.training.bundles import Bundle, bundle_of
from apps.training.certificates import certificate_text
from apps.training.models import Regeneration, Sameness

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome

TOLERANCES = ("predictions", "metrics")
LARGEST_TOLERANCE = 1e12


@transaction.atomic
def request_regeneration(
    *, run: Run, by: User, tolerance: dict[str, float] | None = None
) -> Regeneration:
    """Have a worker do `run` again from its record and compare.

    Args:
        run: one that kept its record.
        by: somebody who may have runs regenerated.
        tolerance: largest differences of `predictions` and of `metrics` that still
            count as the same; None asks for equality byte for byte.

    Raises:
        Invalid: the tolerance is not two numbers from 0.
        Refused: the person may not.
        WrongState: there is no record, or the run is being regenerated already.
    """
    run = (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("experiment__project")
        .get(pk=run.pk)
    )
    ensure(rules.can_request_regeneration(by, run))
    kept = records.kept_files(run)
    regeneration = Regeneration.objects.create(
        run=run,
        number=run.regenerations.count() + 1,
        record_sha256=kept[records.RECORD].sha256,
        tolerance=_checked(tolerance),
        asked_by=by,
    )
    record(
        EventType.REGENERATION_REQUESTED,
        target=regeneration,
        project=run.project,
        by=by,
        changes={
            "record_sha256": regeneration.record_sha256,
            "tolerance": regeneration.tolerance,
        },
    )
    enqueue(regeneration.kind.task, pk=str(regeneration.pk))
    return regeneration


def finish_regeneration(
    *, job: Regeneration, outcome: Outcome, by: User
) -> Regeneration | None:
    """Keep how a claimed regeneration ended; a result becomes a certificate.

    The event holds the digest of the certificate: the seal of the trail is its
    signature.

    Returns:
        None when the regeneration was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """

    def keep(job: Regeneration) -> dict[str, Any]:
        result = outcome.result
        job.verdict = Sameness(result["verdict"])
        job.certificate = certificate_text(job, result)
        digest = hashlib.sha256(job.certificate.encode()).hexdigest()
        job.certificate_sha256 = digest
        job.progress_ratio, job.stage = 1.0, "Finished"
        return {
            "run": str(job.run_id),
            "verdict": job.verdict,
            "causes": [cause["kind"] for cause in result.get("causes", [])],
            "record_sha256": job.record_sha256,
            "certificate_sha256": digest,
        }

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


@transaction.atomic
def download_regeneration_bundle(*, run: Run, by: User) -> Bundle:
    """Hand out all that is needed to do `run` again elsewhere, its data too.

    Raises:
        RecordDamaged: the record is gone or was changed.
        Refused: only who may download the data and the model.
        WrongState: the run kept no record.
    """
    ensure(rules.can_download_regeneration_bundle(by, run))
    bundle = bundle_of(run)
    record(
        EventType.REGENERATION_BUNDLE_DOWNLOADED,
        target=run,
        project=run.project,
        by=by,
        changes=dict(bundle.blobs),
    )
    return bundle


def _checked(tolerance: dict[str, float] | None) -> dict[str, float] | None:
    if tolerance is None:
        return None
    faults = {
        f"tolerance_{name}": "Give a number from 0."
        for name in TOLERANCES
        if not _is_tolerance(tolerance.get(name))
    }
    if faults or set(tolerance) - set(TOLERANCES):
        raise Invalid(
            "A tolerance has two numbers from 0: predictions and metrics.",
            fields=faults,
        )
    return {name: float(tolerance[name]) for name in TOLERANCES}


def _is_tolerance(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= LARGEST_TOLERANCE
