"""People ask for their own code to be run, and a worker does it."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core import blobs
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.experiments.actions import MetricPoint, RunContent, record_run
from apps.experiments.models import Experiment, RunSource
from apps.jobs.actions import finish_job
from apps.training import rules
from apps.training.actions.launch import check_dataset, check_name
from apps.training.actions.work import store_files
from apps.training.checking import MAX_OUTPUT_BYTES
from apps.training.code_bundles import SentCode, as_zip
from apps.training.code_projects import CodeProject, read_project
from apps.training.models import CodeJob
from engine.spec import Limits, RunCodeSpec, SpecError

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.core.sandbox import Outcome
    from apps.datasets.models import DatasetVersion


def launch_code(
    *,
    experiment: Experiment,
    dataset_version: DatasetVersion,
    wish: dict[str, Any],
    code: IO[bytes],
    by: User,
) -> CodeJob:
    """Queue a job that runs somebody's own code.

    Args:
        experiment: where its run will be recorded.
        dataset_version: of the same project, visible to `by`, read completely.
        wish: `name` of the job and of its run; `parameters` and `seed` for the code;
            `ref`, which branch or tag of a git bundle is meant; `submission_key`, with
            which the same wish sent twice launches one job.
        code: the zip or git bundle of the project, seekable.
        by: somebody who may launch training, where the project allows own code.

    Raises:
        Invalid: the code, the data or the parameters do not fit; `fields` says what.
        Refused: only who may launch training.
        WrongState: the project does not allow people's own code.
    """
    ensure(rules.can_launch_code(by, experiment.project))
    # Before the transaction: a bundle takes seconds, and no row shall be locked for it.
    sent = as_zip(code, wish.get("ref") or "")
    with transaction.atomic():
        return _queue(experiment, dataset_version, wish, sent, by)


def _queue(
    experiment: Experiment,
    dataset_version: DatasetVersion,
    wish: dict[str, Any],
    sent: SentCode,
    by: User,
) -> CodeJob:
    # The experiment's row serialises launches: a double click finds the first job.
    experiment = (
        Experiment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=experiment.pk)
    )
    ensure(rules.can_launch_code(by, experiment.project))
    if first := _launched_before(experiment, wish.get("submission_key"), by):
        return first
    check_name(wish["name"])
    check_dataset(dataset_version, experiment.project, by)
    project = read_project(sent.archive)
    spec = _spec(project, wish)
    blob = blobs.store(sent.archive)
    job = CodeJob.objects.create(
        experiment=experiment,
        dataset_version=dataset_version,
        name=wish["name"],
        code_sha256=blob.sha256,
        code_bytes=blob.size_bytes,
        tree_digest=project.tree_digest,
        commit_id=sent.commit,
        spec=spec.to_json(),
        launched_by=by,
        submission_key=wish.get("submission_key"),
    )
    record(
        EventType.CODE_LAUNCHED,
        target=job,
        project=experiment.project,
        by=by,
        changes={
            "experiment": experiment.name,
            "dataset_version": str(dataset_version),
            "entry": spec.entry,
            "code_sha256": blob.sha256,
            "tree_digest": project.tree_digest,
            **({"commit": sent.commit} if sent.commit else {}),
        },
    )
    enqueue(job.kind.task, pk=str(job.pk))
    return job


def _launched_before(
    experiment: Experiment, key: UUID | None, by: User
) -> CodeJob | None:
    first = CodeJob.objects.filter(submission_key=key).first() if key else None
    if first and (first.experiment_id, first.launched_by_id) != (experiment.pk, by.pk):
        raise Invalid(
            "This form was used before for another job. Open it anew.",
            fields={"submission_key": "Used before."},
        )
    return first


def _spec(project: CodeProject, wish: dict[str, Any]) -> RunCodeSpec:
    limits = Limits(
        memory_bytes=settings.JOB_MEMORY_BYTES,
        wall_seconds=settings.JOB_WALL_SECONDS,
        cpu_seconds=settings.JOB_CPU_SECONDS,
        file_bytes=MAX_OUTPUT_BYTES,
    )
    wanted = {
        "entry": project.entry,
        "parameters": wish.get("parameters") or {},
        "seed": wish.get("seed") or 0,
        "requirements": project.requirements,
        "threads": settings.JOB_THREADS,
        "limits": vars(limits),
    }
    try:
        return RunCodeSpec.from_json(wanted)
    except SpecError as error:
        known = error.field.partition(".")[0] in {"parameters", "seed"}
        raise Invalid(
            f"The code cannot be launched: {error}",
            fields={error.field.partition(".")[0] if known else "code": error.problem},
        ) from error


def finish_code(*, job: CodeJob, outcome: Outcome, by: User) -> CodeJob | None:
    """Keep how a claimed job ended; a success becomes a run.

    Returns:
        None when the job was given to another worker meanwhile.

    Raises:
        Invalid: figures or files are too many, or a name is too long.
        OutsideOutputs: a file is named that is not among the outputs.
        Refused: only workers may.
    """
    # Files first: storing them takes time, and the row shall not be locked for it.
    artifacts = store_files(outcome)

    def keep(job: CodeJob) -> dict[str, Any]:
        result = outcome.result
        history = [MetricPoint(**point) for point in result["metric_history"]]
        measured = {(point.key, point.step) for point in history}
        content = RunContent(
            name=job.name,
            source=RunSource.CODE,
            parameters={"seed": job.spec["seed"], **job.spec["parameters"]},
            metrics=[
                *history,
                *(
                    MetricPoint(key, value)
                    for key, value in result["metrics"].items()
                    if (key, 0) not in measured
                ),
            ],
            artifacts=artifacts,
            dataset_version=job.dataset_version,
            summary=_summary(job, result),
        )
        job.run = record_run(experiment=job.experiment, content=content, by=by)
        job.progress_ratio, job.stage = 1.0, "Finished"
        return {"run": str(job.run.pk)}

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


def _summary(job: CodeJob, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": {
            "entry": job.spec["entry"],
            "sha256": job.code_sha256,
            "tree_digest": job.tree_digest,
            **({"commit": job.commit_id} if job.commit_id else {}),
            "requirements": job.spec["requirements"],
        },
        "environment": result["environment"],
        "note": result["note"],
        **({"signature": result["signature"]} if result["signature"] else {}),
    }
