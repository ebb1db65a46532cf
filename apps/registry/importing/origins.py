"""Where the files of a version lie here: in what came over before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.experiments.importing.records import Faults, SourceGone, Unreadable
from apps.experiments.models import Artifact, ItemKind, LoggedModelFile
from apps.registry.actions import Origin
from apps.registry.importing.addresses import places_in
from apps.registry.manifests import path_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.experiments.models import ImportedItem, Run, RunImport
    from apps.registry.importing.records import Place, RegistrySource, SourceVersion

READY = "READY"
PATHS_TOLD = 3


class Missing(Exception):
    """A version cannot be registered; says what is missing."""


class Waiting(Missing):
    """It is a copy of a version that is not here yet."""


def origin_of(
    run_import: RunImport, source: RegistrySource, found: SourceVersion
) -> Origin:
    """Find the files of a version among what came over.

    Raises:
        Missing: they are not here, or not all of them.
        Unreadable: the source cannot tell what they are.
        Waiting: they are those of another version, which is not here yet.
    """
    if found.status not in ("", READY):
        raise Missing(f"It never became ready at the source: {found.status[:40]}.")
    is_copy = False
    for place in _places(found):
        is_copy = is_copy or place.kind == ItemKind.MODEL_VERSION
        item = item_of(run_import, place.kind, place.source_id)
        if item and place.kind == ItemKind.MODEL_VERSION:
            return Origin(copied=item.entry.version)
        paths = _paths_below(item, place.root) if item else frozenset()
        if item and paths:
            _check_whole(source, place, paths)
            return _origin_in(item, place, found)
    if is_copy:
        raise Waiting("What it is a copy of is not here.")
    shown = found.source[:200] or "a place that it does not name"
    sentence = f"Its files lie at {shown}, in no run or logged model that is here."
    if found.run and not _run(run_import, found.run):
        sentence += f" Its run, {found.run[:80]}, did not come over."
    raise Missing(sentence)


def item_of(
    run_import: RunImport, kind: ItemKind, source_id: str
) -> ImportedItem | None:
    """Find what came over under an id of the source."""
    relation = {ItemKind.RUN: "run", ItemKind.MODEL: "model"}.get(kind, "entry")
    items = run_import.items.filter(
        kind=kind, source_id=source_id, **{f"{relation}__isnull": False}
    )
    joined = items.select_related(
        "run__experiment__project",
        "model__experiment__project",
        "model__source_run__experiment__project",
        "entry__version__model__project",
    )
    return joined.first()


def _places(found: SourceVersion) -> Iterator[Place]:
    """Give where its files may be: as it says, then as the source stores them."""
    yield from places_in(found.source)
    try:
        stored_at = found.stored_at()
    except SourceGone:
        raise
    except Unreadable:  # then what it says is all there is
        return
    yield from places_in(stored_at)


def _origin_in(item: ImportedItem, place: Place, found: SourceVersion) -> Origin:
    run = item.run
    if item.model:
        run = item.model.source_run
        if found.run and not run:
            found.faults.note("The run that it names did not save its files.")
    return Origin(run=run, logged_model=item.model, root=place.root)


def _run(run_import: RunImport, source_id: str) -> Run | None:
    item = item_of(run_import, ItemKind.RUN, source_id)
    return item.run if item else None


def _check_whole(source: RegistrySource, place: Place, paths: frozenset[str]) -> None:
    """See that every file that lies there is here.

    Raises:
        Missing: one is not.
        Unreadable: the source cannot list them.
    """
    faults = Faults()
    there = set(source.paths(place, faults))
    if faults.told:
        raise Missing(f"Not all of its files are here. {faults.told[0]}")
    if missing := sorted(there - paths):
        shown = ", ".join(missing[:PATHS_TOLD])
        raise Missing(
            f"{len(missing):,} of its {len(there):,} files did not come over, such as "
            f"{shown[:300]}. It is registered when they have."
        )


def _paths_below(item: ImportedItem, root: str) -> frozenset[str]:
    """Find the files at or below a folder that came over with a run or a model."""
    if item.model:
        kept = LoggedModelFile.objects.filter(model=item.model)
        paths = list(kept.values_list("path", flat=True))
    else:
        left = Artifact.objects.filter(run=item.run)
        paths = list(left.values_list("path", flat=True))
    return frozenset(path for path in paths if path_below(path, root) is not None)
