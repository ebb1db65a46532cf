"""What a registered model elsewhere consists of, whatever it is read from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from apps.experiments.importing.records import Faults
from apps.registry.models import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from apps.experiments.importing.records import Lost
    from apps.experiments.models import ItemKind

LONGEST_ID = 250
PROMPT_TAG = "mlflow.prompt.is_prompt"
PROMPT = "It is a prompt of MLflow and no model; the portal keeps none."


@dataclass(frozen=True)
class SourceRegistered:
    """A registered model, where it lies now.

    Args:
        name: which is also its id there.
        description: what it does.
        tags: by key.
        aliases: the version that each name stands for.
        created_at: as the source says; None where it does not.
        faults: what could not be read of it.
    """

    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    created_at: datetime | None = None
    faults: Faults = field(default_factory=Faults)

    @property
    def source_id(self) -> str:
        """Its id in the report."""
        return short_id(self.name)


def _nowhere() -> str:
    return ""


@dataclass(frozen=True)
class SourceVersion:
    """A version of a registered model, where it lies now.

    Args:
        model: the name of its model.
        number: its own.
        source: where its files are, as who registered it said.
        stored_at: gives where they are in the source's own words.
        run: the id there of the run that it names; empty for none.
        logged_model: the id there of the logged model that it names, as `run`.
        description: what is special about it.
        run_link: an address of its run.
        tags: by key.
        aliases: names that stand for it.
        stage: in MLflow's words.
        status: whether its files were all there; empty where the source does not say.
        user: who registered it, as the source says.
        created_at: when, as the source says.
        faults: what could not be read of it.
    """

    model: str
    number: int
    source: str = ""
    stored_at: Callable[[], str] = _nowhere
    run: str = ""
    logged_model: str = ""
    description: str = ""
    run_link: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Sequence[str] = ()
    stage: Stage = Stage.NONE
    status: str = ""
    user: str = ""
    created_at: datetime | None = None
    faults: Faults = field(default_factory=Faults)

    @property
    def source_id(self) -> str:
        """Its id in the report."""
        return version_id(self.model, self.number)


class Place(NamedTuple):
    """Where files may be, in the ids of the source.

    Args:
        kind: of a run, a logged model or another version.
        source_id: its id there.
        root: the folder or file in it; empty for all.
    """

    kind: ItemKind
    source_id: str
    root: str = ""


class RegistrySource(Protocol):
    """A place that registered models come from."""

    def registered_models(self) -> Iterator[SourceRegistered | Lost]:
        """Give its registered models."""

    def versions(
        self, model: SourceRegistered, done: Container[str]
    ) -> Iterator[SourceVersion | Lost]:
        """Give the versions of a registered model, by number.

        Args:
            model: one of this source.
            done: ids of versions that nobody needs any more.
        """

    def paths(self, place: Place, faults: Faults) -> Iterator[str]:
        """Give the paths of the files that lie at or below a place."""


def short_id(name: str) -> str:
    """Write an id so that it can be kept, and differs from every other."""
    if len(name) <= LONGEST_ID:
        return name
    digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()
    return f"{name[: LONGEST_ID - len(digest) - 1]}…{digest}"


def version_id(model: str, number: int) -> str:
    """Write the id of a version in the report."""
    return short_id(f"{model}/{number}")


def stage_of(given: object, faults: Faults) -> Stage:
    """Read a stage; what is none becomes a fault."""
    if given in (None, ""):
        return Stage.NONE
    if given not in Stage.values:
        faults.add(f"the stage {str(given)[:40]!r}: there is none of this name.")
        return Stage.NONE
    return Stage(given)
