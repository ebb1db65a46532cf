"""What of a source came over, told for pages, programs and the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from apps.experiments.models import ImportedItem, ItemKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

    from apps.experiments.models import Run, RunImport

_SHOWN = (
    *("kind", "source_id", "name", "experiment_id", "run_id", "model_id"),
    *("is_whole", "faults", "file_faults"),
)
_WORDS = {
    "experiments": "Experiments",
    "runs": "Runs that came over",
    "runs_in_part": "Runs with remarks",
    "runs_lost": "Runs that could not be read",
    "models": "Logged models that came over",
    "models_in_part": "Models with remarks",
    "models_lost": "Models that could not be read",
}
# Either list of faults is not empty, or files are missing.
INCOMPLETE = ~Q(faults=[]) | ~Q(file_faults=[]) | Q(is_whole=False)


def import_counts(run_import: RunImport) -> dict[str, int]:
    """Count what came over whole, in part and not at all."""
    runs, is_run = Q(kind=ItemKind.RUN), Q(run__isnull=False)
    models, is_model = Q(kind=ItemKind.MODEL), Q(model__isnull=False)
    return run_import.items.aggregate(
        experiments=Count("pk", filter=Q(kind=ItemKind.EXPERIMENT)),
        runs=Count("pk", filter=runs & is_run),
        runs_in_part=Count("pk", filter=runs & is_run & INCOMPLETE),
        runs_lost=Count("pk", filter=runs & ~is_run),
        models=Count("pk", filter=models & is_model),
        models_in_part=Count("pk", filter=models & is_model & INCOMPLETE),
        models_lost=Count("pk", filter=models & ~is_model),
    )


def counts_in_words(run_import: RunImport) -> list[tuple[str, int]]:
    """Tell the counts as pages do; what is zero beyond experiments and runs is not."""
    counts = import_counts(run_import)
    return [
        (words, counts[name])
        for name, words in _WORDS.items()
        if counts[name] or name in ("experiments", "runs")
    ]


def incomplete_items(run_import: RunImport) -> QuerySet[ImportedItem]:
    """Find what did not come over whole."""
    return run_import.items.filter(INCOMPLETE).select_related(
        "experiment", "run", "model"
    )


def head_of(run_import: RunImport) -> dict[str, Any]:
    """Tell of an import as a whole."""
    return {
        "source": run_import.source,
        "project": run_import.project.slug,
        "imported_by": run_import.imported_by.email,
        "started_at": run_import.started_at,
        "ended_at": run_import.ended_at,
    } | import_counts(run_import)


def said_of_upload(file_name: str, run: Run, remarks: Sequence[str]) -> str:
    """Say in a sentence what a file became."""
    kept = (
        f"Parameters: {run.parameters.count():,}. "
        f"Metrics: {run.latest_metrics.count():,}. Files: {run.artifacts.count():,}."
    )
    notes = " ".join(remarks)
    return f"{file_name[:200]} is the run {run.name}. {kept} {notes}".strip()


def report_lines(run_import: RunImport) -> Iterator[dict[str, Any]]:
    """Tell of each thing what became of it, few of them in memory at once."""
    rows = run_import.items.order_by("pk").values(*_SHOWN)
    yield from rows.iterator(chunk_size=1_000)
