"""Runs that somebody uploads as one file: taken whole, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.keeping_runs import keep_files, keep_run, told_of
from apps.experiments.models import Artifact, Experiment, Run, RunSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.accounts.models import User
    from apps.experiments.actions.recording import ArtifactFile
    from apps.experiments.importing.records import SourceRun

FILE_TAG = "portal.uploaded_file"
DIGEST_TAG = "portal.uploaded_sha256"


class UploadedRun(NamedTuple):
    """A run that was read from a file.

    Args:
        found: what the file says.
        artifacts: its files, stored.
        digest: SHA-256 of the file.
        file_name: on the machine of who uploads it.
    """

    found: SourceRun
    artifacts: Sequence[ArtifactFile]
    digest: str
    file_name: str


@transaction.atomic
def upload_run(*, experiment: Experiment, uploaded: UploadedRun, by: User) -> Run:
    """Record a run from a file; the same file a second time is the same run.

    Raises:
        Invalid: something cannot be kept; nothing is.
        Refused: only who may record runs.
        WrongState: the experiment is deleted.
    """
    rows = Experiment.objects.select_for_update(of=("self",), no_key=True)
    experiment = rows.select_related("project").get(pk=experiment.pk)
    ensure(rules.can_upload_run(by, experiment))
    if known := uploaded_before(experiment, uploaded.digest):
        return known
    found = uploaded.found
    tags = {
        **found.tags,
        FILE_TAG: uploaded.file_name,
        DIGEST_TAG: uploaded.digest,
    }
    run = keep_run(experiment, found, tags, RunSource.FILE, by)
    if found.faults.first_loss:
        sentence = f"Nothing was kept: {found.faults.first_loss}"
        raise Invalid(sentence, fields={"file": sentence})
    keep_files(Artifact, uploaded.artifacts, run=run)
    record(
        EventType.RUN_RECORDED,
        target=run,
        project=run.project,
        by=by,
        changes={
            "source": run.source,
            "file": uploaded.file_name,
            "file_sha256": uploaded.digest,
            "artifacts": {one.path: one.blob.sha256 for one in uploaded.artifacts},
        }
        | told_of(run),
    )
    return run


def uploaded_before(experiment: Experiment, digest: str) -> Run | None:
    """Find the run that a file became in an experiment."""
    # Anybody may give runs of other sources such a tag.
    return (
        Run.objects.filter(
            experiment=experiment,
            source=RunSource.FILE,
            tags__key=DIGEST_TAG,
            tags__value=digest,
        )
        .select_related("experiment__project")
        .active()
        .first()
    )
