"""Registered models in a folder `mlruns`, as MLflow's file store keeps them.

`models/<name>/meta.yaml`, beside it `tags`, `aliases` with one file for each name, and
`version-<number>/meta.yaml` with its own `tags`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import partial
from typing import Any

from apps.experiments.importing.mlruns import MlrunsFolder
from apps.experiments.importing.records import Faults, Lost, Unreadable
from apps.experiments.importing.run_folders import (
    META,
    moment,
    read_meta,
    read_values,
)
from apps.experiments.models import ItemKind
from apps.registry.importing.records import (
    PROMPT,
    PROMPT_TAG,
    Place,
    SourceRegistered,
    SourceVersion,
    short_id,
    stage_of,
    version_id,
)

ABOVE = "models"
DELETED = "Deleted_Internal"  # the stage of what was deleted, and stays in the folder
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_VERSION = re.compile(r"version-([1-9][0-9]{0,8})", re.ASCII)


class FolderRegistry:
    """The registered models of a folder.

    Args:
        folder: the folder `mlruns`.
    """

    def __init__(self, folder: MlrunsFolder):
        self._folder, self._tree = folder, folder.tree

    def registered_models(self) -> Iterator[SourceRegistered | Lost]:
        """Give its registered models."""
        for name in self._tree.folders(ABOVE):
            try:
                found = self._registered(name)
            except Unreadable as error:
                yield Lost(short_id(name), str(error), ItemKind.REGISTERED_MODEL)
                continue
            if PROMPT_TAG in found.tags:
                yield Lost(found.source_id, PROMPT, ItemKind.REGISTERED_MODEL)
            else:
                yield found

    def versions(
        self, model: SourceRegistered, done: Container[str]
    ) -> Iterator[SourceVersion | Lost]:
        """Give the versions of a registered model, by number; not deleted ones."""
        folders = self._tree.folders(f"{ABOVE}/{model.name}")
        numbers = [int(m[1]) for one in folders if (m := _VERSION.fullmatch(one))]
        for number in sorted(numbers):
            told = version_id(model.name, number)
            if told in done:
                continue
            try:
                meta = read_meta(
                    self._tree, f"{ABOVE}/{model.name}/version-{number}/{META}"
                )
            except Unreadable as error:
                yield Lost(told, str(error), ItemKind.MODEL_VERSION)
                continue
            if meta.get("current_stage") != DELETED:
                yield self._version(model, number, meta)

    def paths(self, place: Place, faults: Faults) -> Iterator[str]:
        """Give the paths of the files that lie at or below a place."""
        is_run = place.kind == ItemKind.RUN
        of = self._folder.folder_of_run if is_run else self._folder.folder_of_model
        above = f"{of(place.source_id)}/artifacts"
        inside = f"{place.root}/" if place.root else ""
        for path in self._tree.files(f"{above}/{place.root}".rstrip("/"), faults):
            yield f"{inside}{path}"

    def _registered(self, name: str) -> SourceRegistered:
        folder, faults = f"{ABOVE}/{name}", Faults()
        meta = read_meta(self._tree, f"{folder}/{META}")
        aliases = {}
        for alias, text in read_values(self._tree, f"{folder}/aliases", faults).items():
            if _NUMBER.fullmatch(text.strip()):
                aliases[alias] = int(text)
            else:
                faults.add(f"the alias {alias[:80]}: it names no version.")
        return SourceRegistered(
            name=name,
            description=str(meta.get("description") or ""),
            tags=read_values(self._tree, f"{folder}/tags", faults),
            aliases=aliases,
            created_at=moment(meta.get("creation_timestamp"), faults),
            faults=faults,
        )

    def _version(
        self, model: SourceRegistered, number: int, meta: dict[str, Any]
    ) -> SourceVersion:
        folder, faults = f"{ABOVE}/{model.name}/version-{number}", Faults()
        return SourceVersion(
            model=model.name,
            number=number,
            source=_text(meta, "source"),
            stored_at=partial(_text, meta, "storage_location"),
            run=_text(meta, "run_id"),
            logged_model=_text(meta, "model_id"),
            description=_text(meta, "description"),
            run_link=_text(meta, "run_link"),
            tags=read_values(self._tree, f"{folder}/tags", faults),
            aliases=[name for name, at in model.aliases.items() if at == number],
            stage=stage_of(meta.get("current_stage"), faults),
            status=_text(meta, "status"),
            user=_text(meta, "user_id"),
            created_at=moment(meta.get("creation_timestamp"), faults),
            faults=faults,
        )


def _text(meta: dict[str, Any], name: str) -> str:
    return str(meta.get(name) or "")
