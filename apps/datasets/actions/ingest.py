"""A worker reads what was uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.datasets.actions.sealed import keep_split
from apps.datasets.models import PersonalDataHint
from apps.jobs.actions import finish_job
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome
    from apps.datasets.models import DatasetVersion


def finish_ingest(
    *, job: DatasetVersion, outcome: Outcome, by: User
) -> DatasetVersion | None:
    """Keep how the reading of a claimed version ended.

    Returns:
        None when the version was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """
    # The file first: storing it takes time, and the row shall not be locked for it.
    if outcome.status == JobStatus.SUCCEEDED:
        parquet = blobs.store_path(outcome.folder / "outputs" / "data.parquet")

    def keep(version: DatasetVersion) -> dict[str, Any]:
        version.parquet_sha256 = parquet.sha256
        version.parquet_bytes = parquet.size_bytes
        version.row_count = outcome.result["row_count"]
        version.columns = outcome.result["schema"]
        version.profile = outcome.result["profile"]
        version.fingerprint = outcome.result.get("fingerprint")
        version.contract_check = outcome.result.get("contract")
        _keep_hints(version, outcome.result.get("hints") or [])
        sealed = keep_split(version, outcome) if version.seal else {}
        return {
            "rows": version.row_count,
            "parquet_sha256": parquet.sha256,
            **_verdicts(version),
            **sealed,
        }

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


def _keep_hints(version: DatasetVersion, hints: list[dict[str, Any]]) -> None:
    PersonalDataHint.objects.bulk_create(
        PersonalDataHint(
            version=version,
            column=hint["column"],
            kind=hint["kind"],
            matches=hint["matches"],
            share=hint["share"],
            example_masked=hint["example_masked"],
        )
        for hint in hints
    )


def _verdicts(version: DatasetVersion) -> dict[str, Any]:
    facts = {}
    if version.fingerprint:
        facts["fingerprint"] = version.fingerprint["digest"]
    if found := version.contract_check:
        facts["contract"] = f"revision {found['revision']}: {found['verdict']}"
    return facts
