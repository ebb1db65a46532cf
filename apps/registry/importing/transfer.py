"""Bringing registered models over, after the runs and models that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import DataError

from apps.core.errors import Invalid, WrongState
from apps.experiments.actions import end_import
from apps.experiments.importing.records import Lost, SourceGone, Unreadable
from apps.experiments.importing.transfer import bring_over
from apps.experiments.models import (
    ItemKind,
)
from apps.registry import actions
from apps.registry.importing.origins import Missing, Waiting, origin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.accounts.models import User
    from apps.experiments.importing.records import Source
    from apps.experiments.models import RunImport
    from apps.registry.importing.records import (
        RegistrySource,
        SourceRegistered,
        SourceVersion,
    )
    from apps.registry.models import RegisteredModel


class Places(NamedTuple):
    """A source, as two apps read it."""

    source: Source
    registry: RegistrySource


def bring_all_over(
    *, run_import: RunImport, places: Places, by: User, tell: Callable[[str], None]
) -> None:
    """Bring over what is not here yet, registered models last, and end the pass.

    Args:
        run_import: an open import of this source.
        places: the source.
        by: whose rights count.
        tell: gets a sentence about each step.

    Raises:
        NoRoom: the store is full; a later pass goes on.
        Refused: only who may import runs and register models.
        Unreadable: the source no longer answers; a later pass goes on.
    """
    lost = bring_over(run_import=run_import, source=places.source, by=by, tell=tell)
    bringing = _Bringing(run_import, places.registry, by, tell)
    bringing.bring()
    end_import(run_import=run_import, lost=[*lost, *bringing.lost], by=by)


@dataclass(frozen=True)
class _Bringing:
    """The registered models of a source on their way."""

    run_import: RunImport
    source: RegistrySource
    by: User
    tell: Callable[[str], None]
    lost: list[Lost] = field(default_factory=list)

    def bring(self) -> None:
        """Bring all of them; copies of versions after what they were copied from."""
        waiting: list[tuple[RegisteredModel, SourceVersion]] = []
        for found in self.source.registered_models():
            if isinstance(found, Lost):
                self._lose(found)
                continue
            try:
                item = actions.import_registered_model(
                    run_import=self.run_import, found=found, by=self.by
                )
            except (DataError, Invalid) as error:
                self._lose_model(found, str(error))
                continue
            if item.entry.model.deleted_at:
                self._lose_versions(found, "Its model was put aside here.")
                continue
            waiting += self._bring_versions(item.entry.model, found)
        self._bring_copies(waiting)

    def _bring_versions(
        self, model: RegisteredModel, found: SourceRegistered
    ) -> list[tuple[RegisteredModel, SourceVersion]]:
        """Bring the versions of a model; give those that wait for what they copy."""
        waiting, count = [], 0
        done = self._whole()
        for version in self.source.versions(found, done):
            if isinstance(version, Lost):
                self._lose(version)
                continue
            try:
                count += self._bring_version(model, version)
            except Waiting:
                waiting.append((model, version))
        self.tell(f"{found.name}: {count} versions came over.")
        return waiting

    def _bring_copies(
        self, waiting: list[tuple[RegisteredModel, SourceVersion]]
    ) -> None:
        """Bring copies, and copies of copies, as long as that brings another over."""
        while waiting:
            still = []
            for model, version in waiting:
                try:
                    self._bring_version(model, version)
                except Waiting:
                    still.append((model, version))
            if len(still) == len(waiting):
                for _, version in still:
                    self._lose_version(version, "What it is a copy of is not here.")
                return
            waiting = still

    def _bring_version(self, model: RegisteredModel, found: SourceVersion) -> bool:
        """Bring one version, or keep why not; say whether it came.

        Raises:
            SourceGone: nothing else can be read either.
            Waiting: it is a copy of a version that is not here yet.
        """
        try:
            item = actions.import_version(
                run_import=self.run_import,
                model=model,
                found=found,
                origin=origin_of(self.run_import, self.source, found),
                by=self.by,
            )
        except (SourceGone, Waiting):
            raise
        except (DataError, Invalid, Missing, Unreadable, WrongState) as error:
            self._lose_version(found, str(error))
            return False
        told = f"; remarks: {len(item.faults)}" if item.faults else ""
        self.tell(f"  {found.source_id}: came over{told}.")
        return True

    def _whole(self) -> frozenset[str]:
        items = self.run_import.items.filter(kind=ItemKind.MODEL_VERSION, is_whole=True)
        return frozenset(items.values_list("source_id", flat=True))

    def _lose_model(self, found: SourceRegistered, reason: str) -> None:
        self._lose(Lost(found.source_id, reason, ItemKind.REGISTERED_MODEL))
        self._lose_versions(found, "Its model is not here.")

    def _lose_versions(self, found: SourceRegistered, reason: str) -> None:
        for version in self.source.versions(found, self._whole()):
            if isinstance(version, Lost):
                self._lose(version)
            else:
                self._lose_version(version, reason)

    def _lose_version(self, found: SourceVersion, reason: str) -> None:
        self._lose(Lost(found.source_id, reason, ItemKind.MODEL_VERSION))

    def _lose(self, lost: Lost) -> None:
        self.lost.append(lost)
        self.tell(f"  {lost.source_id}: {lost.reason}")
