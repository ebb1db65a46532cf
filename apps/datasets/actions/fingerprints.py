"""Fingerprints of versions that were read before there were any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.datasets import rules
from apps.datasets.models import DatasetVersion

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def keep_fingerprint(
    *, version: DatasetVersion, fingerprint: dict[str, Any], by: User
) -> DatasetVersion:
    """Add the fingerprint to a version that has none, or the part it lacks.

    Args:
        version: one that is ready.
        fingerprint: as the engine computed it from the version's Parquet file.
        by: a worker.

    Raises:
        Refused: only workers may.
        WrongState: the version is not ready, or nothing is missing.
    """
    version = DatasetVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    ensure(rules.can_keep_fingerprint(by, version))
    version.fingerprint = fingerprint
    version.save(update_fields=["fingerprint"])
    record(
        EventType.DATASET_VERSION_FINGERPRINTED,
        target=version,
        project=version.project,
        by=by,
        changes={"fingerprint": fingerprint["digest"]},
    )
    return version
