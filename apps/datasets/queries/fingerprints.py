"""Fingerprints as people look at them, and what a worker needs to compute one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q

from apps.core import blobs
from apps.datasets.models import DatasetVersion
from engine.spec import FingerprintSpec, Limits

if TYPE_CHECKING:
    from pathlib import Path

    from django.db.models import QuerySet


def without_fingerprint(*, unordered: bool) -> QuerySet[DatasetVersion]:
    """Find the versions that lack their fingerprint.

    Args:
        unordered: also those that lack the digest for any order of rows.
    """
    lacking = Q(fingerprint__isnull=True)
    if unordered:
        lacking |= Q(fingerprint__unordered=None)
    return DatasetVersion.objects.ready().filter(lacking).order_by("pk")


def prepare_fingerprint(
    version: DatasetVersion, folder: Path, *, unordered: bool
) -> dict[str, Any]:
    """Put the Parquet file into the job folder and describe the job to the engine."""
    blobs.copy_to(version.parquet_sha256, folder / "inputs" / "data.parquet")
    spec = FingerprintSpec(
        unordered=unordered or None,
        threads=settings.JOB_THREADS,
        limits=Limits(cpu_seconds=settings.JOB_WALL_SECONDS),
    )
    return spec.to_json()


def changed_groups(
    before: DatasetVersion, after: DatasetVersion
) -> dict[str, Any] | None:
    """Compare two versions by their fingerprints alone, at once.

    Returns:
        `is_same`: not one value differs; `is_same_bag`: the same rows in another
        order, or None when that was not computed; `groups`: the row groups of either
        that differ, each with `first_row`, `last_row` and `kind` (changed, added or
        removed); `columns`: names of those that differ, when there are as many
        rows as before. None when a version has no fingerprint.
    """
    old, new = before.fingerprint, after.fingerprint
    if not old or not new:
        return None
    bags = old.get("unordered"), new.get("unordered")
    return {
        "is_same": old["digest"] == new["digest"],
        "is_same_bag": bags[0] == bags[1] if all(bags) else None,
        "groups": _groups(old["row_groups"], new["row_groups"]),
        # Where rows came or went, the digest of every column differs.
        "columns": _columns(old["columns"], new["columns"])
        if old["rows"] == new["rows"]
        else [],
    }


def _groups(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    found = []
    for place in range(max(len(old), len(new))):
        pair = [groups[place] if place < len(groups) else None for groups in (old, new)]
        if pair[0] == pair[1]:
            continue
        kind = "removed" if not pair[1] else "added" if not pair[0] else "changed"
        longest = max((group for group in pair if group), key=lambda g: int(g["rows"]))
        found.append(
            {
                "first_row": longest["first_row"],
                "last_row": longest["first_row"] + longest["rows"] - 1,
                "kind": kind,
            }
        )
    return found


def _columns(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    known = {column["name"]: column["digest"] for column in old}
    return [
        column["name"]
        for column in new
        if known.get(column["name"], column["digest"]) != column["digest"]
    ]
