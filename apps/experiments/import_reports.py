"""What of a source came over, told for pages, programs and the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q

from apps.experiments.models import ImportedItem, ItemKind
from apps.projects.rules import sees

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

    from apps.accounts.models import User
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
    "registered_models": "Registered models that came over",
    "registered_models_in_part": "Registered models with remarks",
    "registered_models_lost": "Registered models that are not here",
    "versions": "Versions that came over",
    "versions_in_part": "Versions with remarks",
    "versions_lost": "Versions that are not here",
}
# What each kind counts as, and the relation that says that it is here. Registered
# models and their versions are asked over a relation: the registry stands above and
# cannot be imported.
_COUNTED = {
    "runs": (ItemKind.RUN, "run"),
    "models": (ItemKind.MODEL, "model"),
    "registered_models": (ItemKind.REGISTERED_MODEL, "entry"),
    "versions": (ItemKind.MODEL_VERSION, "entry"),
}
_ENTRY = {
    "registered_model_id": F("entry__model"),
    "model_version_id": F("entry__version"),
    "as_the_source_says": F("entry__said"),
}
# Either list of faults is not empty, or files are missing.
INCOMPLETE = ~Q(faults=[]) | ~Q(file_faults=[]) | Q(is_whole=False)


def import_counts(run_import: RunImport) -> dict[str, int]:
    """Count what came over whole, in part and not at all."""
    asked = {"experiments": Count("pk", filter=Q(kind=ItemKind.EXPERIMENT))}
    for name, (kind, relation) in _COUNTED.items():
        is_one, is_here = Q(kind=kind), Q(**{f"{relation}__isnull": False})
        asked[name] = Count("pk", filter=is_one & is_here)
        asked[f"{name}_in_part"] = Count("pk", filter=is_one & is_here & INCOMPLETE)
        asked[f"{name}_lost"] = Count("pk", filter=is_one & ~is_here)
    return run_import.items.aggregate(**asked)


def counts_in_words(run_import: RunImport) -> list[tuple[str, int]]:
    """Tell the counts as pages do; what is zero beyond experiments and runs is not."""
    counts = import_counts(run_import)
    return [
        (words, counts[name])
        for name, words in _WORDS.items()
        if counts[name] or name in ("experiments", "runs")
    ]


def items_for(run_import: RunImport, viewer: User) -> QuerySet[ImportedItem]:
    """Find what `viewer` may be told of: nothing of models that were restricted."""
    restricted = run_import.items.filter(
        kind=ItemKind.REGISTERED_MODEL, entry__model__is_restricted=True
    ).select_related("entry__model")
    hidden = [
        item.entry.model_id for item in restricted if not sees(viewer, item.entry.model)
    ]
    return run_import.items.exclude(entry__model__in=hidden)


def incomplete_items(run_import: RunImport, viewer: User) -> QuerySet[ImportedItem]:
    """Find what did not come over whole, and what there is to say of the rest."""
    found = items_for(run_import, viewer).filter(INCOMPLETE)
    here = "experiment", "run", "model", "entry__model__project"
    return found.select_related(*here, "entry__version__model__project")


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


def report_lines(run_import: RunImport, viewer: User) -> Iterator[dict[str, Any]]:
    """Tell of each thing what became of it, few of them in memory at once."""
    rows = items_for(run_import, viewer).order_by("pk").values(*_SHOWN, **_ENTRY)
    yield from rows.iterator(chunk_size=1_000)
