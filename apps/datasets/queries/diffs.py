"""Comparisons of versions: what a worker needs, and what people see of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.core import blobs
from apps.datasets.models import DatasetVersion, VersionDiff
from apps.jobs.models import JobStatus
from engine.spec import CompareSpec, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from apps.datasets.models import Dataset

HEAVY_DIFF_FIELDS = ("log_tail", "result", "failure_details")
MOST_VERSIONS = 200
PAIR = 2


def prepare_diff(diff: VersionDiff, folder: Path) -> dict[str, Any]:
    """Put both tables into the job folder and describe the job to the engine."""
    for name, version in (("before", diff.before), ("after", diff.after)):
        path = folder / "inputs" / f"{name}.parquet"
        blobs.copy_to(version.parquet_sha256, path)
    spec = CompareSpec(
        key=tuple(diff.key),
        same_groups=_same_groups(diff.before, diff.after),
        threads=settings.JOB_THREADS,
        limits=Limits(
            memory_bytes=settings.JOB_MEMORY_BYTES,
            cpu_seconds=settings.JOB_WALL_SECONDS,
        ),
    )
    return spec.to_json()


def _same_groups(before: DatasetVersion, after: DatasetVersion) -> tuple[int, ...]:
    """List the row groups that need no comparing: their fingerprints are equal.

    A digest covers the values of a group but not the names of its columns, so these
    must be the same, too.
    """
    old, new = before.fingerprint, after.fingerprint
    if not old or not new or before.column_names != after.column_names:
        return ()
    pairs = zip(old["row_groups"], new["row_groups"], strict=False)
    return tuple(place for place, (a, b) in enumerate(pairs) if a == b)


def numbers_to_compare(dataset: Dataset) -> list[int]:
    """List the numbers of the newest versions that were read, newest first."""
    ready = DatasetVersion.objects.ready().filter(dataset=dataset)
    return list(
        ready.order_by("-number").values_list("number", flat=True)[:MOST_VERSIONS]
    )


def chosen_pair(
    dataset: Dataset, before: str | None, after: str | None
) -> tuple[DatasetVersion, DatasetVersion] | None:
    """Find two versions that were read, by number; the newest two when none is said.

    Returns:
        None when there are not two, or a number is none of theirs.
    """
    ready = DatasetVersion.objects.ready().filter(dataset=dataset)
    ready = ready.select_related("dataset__project")
    if before or after:
        numbers = [n for n in (before, after) if n and re.fullmatch("[0-9]{1,9}", n)]
        found = {str(v.number): v for v in ready.filter(number__in=numbers)}
        pair = [found.get(before or ""), found.get(after or "")]
    else:
        pair = list(reversed(ready.order_by("-number")[:2]))
    known = [version for version in pair if version]
    return (known[0], known[1]) if len(known) == PAIR else None


def proposed_key(before: DatasetVersion, after: DatasetVersion) -> list[str]:
    """Propose the first column whose values are all there and differ, in both."""
    for name in after.column_names:
        found = [_is_unique(version, name) for version in (before, after)]
        if all(found):
            return [name]
    return []


def _is_unique(version: DatasetVersion, name: str) -> bool:
    profile = version.column_profile(name)
    if profile is None or profile["type"] == "number":
        return False
    is_full = profile["missing"] == 0
    return is_full and bool(profile["distinct"] == version.row_count)


def example_rows(diff: VersionDiff) -> Iterator[list[object]]:
    """Give the rows that a comparison shows: a head, then one line for each value."""
    yield ["kind", "row before", "row after", "column", "before", "after"]
    if diff.status != JobStatus.SUCCEEDED:
        return
    for example in diff.result["rows"]["examples"]:
        rows = example["before_row"], example["after_row"]
        for column, (before, after) in example["values"].items():
            yield [example["kind"], *rows, column, before, after]


def changed_schema(before: DatasetVersion, after: DatasetVersion) -> dict[str, Any]:
    """Say which columns came, went and changed their type, as the engine does."""
    old = {column["name"]: column["type"] for column in before.columns}
    new = {column["name"]: column["type"] for column in after.columns}
    return {
        "added": [{"name": n, "type": t} for n, t in new.items() if n not in old],
        "removed": [{"name": n, "type": t} for n, t in old.items() if n not in new],
        "retyped": [
            {"name": name, "before": old[name], "after": kind}
            for name, kind in new.items()
            if name in old and old[name] != kind
        ],
    }


def diff_figures(diff: VersionDiff) -> list[dict[str, str]]:
    """Say in four numbers how many rows changed."""
    if diff.status != JobStatus.SUCCEEDED:
        return []
    rows = diff.result["rows"]
    told_apart = ", ".join(rows["key"])
    detail = f"told apart by {told_apart}" if told_apart else "needs key columns"
    return [
        {"label": "Rows changed", "value": f"{rows['changed']:,}", "detail": detail},
        {"label": "Rows added", "value": f"{rows['added']:,}"},
        {"label": "Rows removed", "value": f"{rows['removed']:,}"},
        {
            "label": "Rows the same",
            "value": f"{rows['same']:,}",
            "detail": f"of {rows['before']:,} before and {rows['after']:,} after",
        },
    ]


def diff_result(diff: VersionDiff, *, with_rows: bool) -> dict[str, Any]:
    """Give what a comparison found, with or without the rows themselves."""
    result: dict[str, Any] = diff.result
    if not result or with_rows:
        return result
    return {**result, "rows": {**result["rows"], "examples": []}}
