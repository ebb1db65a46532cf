"""What a run made elsewhere consists of, whatever it is read from."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from apps.experiments.models import (
    ItemKind,
    LoggedModelStatus,
    ModelUse,
    RunStatus,
)

if TYPE_CHECKING:
    from datetime import datetime

    from apps.core.blobs import Readable
    from apps.experiments.actions.logging import LoggedDataset, LoggedPoint

MOST_FAULTS = 100  # that are told of one thing; more are counted only


class Faults:
    """What could not be taken over, and why, in sentences."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._more = 0
        self.first_loss = ""

    def add(self, sentence: str) -> None:
        """Tell what is not taken over; beyond the most, it is only counted."""
        self.first_loss = self.first_loss or sentence
        self.note(f"Left out: {sentence}")

    def note(self, sentence: str) -> None:
        """Tell something about what was taken over."""
        # Names of files may hold what no text in the database can.
        sentence = sentence.encode(errors="backslashreplace").decode()
        sentence = sentence.replace("\0", "\\0")
        if len(self._told) < MOST_FAULTS:
            self._told.append(sentence)
        else:
            self._more += 1

    @property
    def told(self) -> list[str]:
        """The sentences, and how many more there were."""
        more = [f"… and {self._more:,} more."] if self._more else []
        return [*self._told, *more]


class SourceFile(NamedTuple):
    """A file of a run, where it lies now.

    Args:
        path: in the run.
        open: gives its content from the beginning.
    """

    path: str
    open: Callable[[], AbstractContextManager[Readable]]


@dataclass(frozen=True)
class SourceExperiment:
    """An experiment, where it lies now.

    Args:
        source_id: its id there.
        name: its name there.
        tags: words about it.
        is_deleted: it was put aside there.
        faults: what could not be read of it.
    """

    source_id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    is_deleted: bool = False
    faults: Faults = field(default_factory=Faults)


def _none() -> Iterator[LoggedPoint]:
    return iter(())


def _no_figures() -> Iterator[ModelFigure]:
    return iter(())


def _no_files() -> Iterator[SourceFile]:
    return iter(())


@dataclass(frozen=True)
class SourceRun:
    """A run, where it lies now; points and files are read when they are asked for.

    Args:
        source_id: its id there.
        name: as people call it.
        status: how far it is.
        started_at: when; None where nobody said.
        ended_at: when; None where nobody said.
        claimed_user: whom the client named.
        parameters: by key.
        tags: by key.
        inputs: data that it says it used.
        models: that it used or made.
        is_deleted: it was put aside there.
        points: gives every point of every metric.
        files: gives its files, always in the same order.
        faults: what could not be read of it; reading points and files adds to them.
    """

    source_id: str
    name: str
    status: RunStatus = RunStatus.FINISHED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    claimed_user: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[LoggedDataset] = ()
    models: Sequence[ModelUsed] = ()
    is_deleted: bool = False
    points: Callable[[], Iterator[LoggedPoint]] = _none
    files: Callable[[], Iterator[SourceFile]] = _no_files
    faults: Faults = field(default_factory=Faults)


class ModelUsed(NamedTuple):
    """A logged model that a run used or made there; `step` is of the training."""

    model: str
    use: ModelUse
    step: int = 0


class ModelFigure(NamedTuple):
    """A point of a run that speaks of a logged model, measured on some data."""

    run: str
    point: LoggedPoint
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass(frozen=True)
class SourceModel:
    """A logged model, where it lies now.

    Args:
        source_id: its id there.
        name: as people call it.
        model_type: in the client's words.
        status: whether its files were all there.
        source_run: the id there of the run that saved it; empty for none.
        parameters: by key.
        tags: by key.
        is_deleted: it was put aside there.
        figures: gives what was measured of it.
        files: gives its files, always in the same order.
        faults: what could not be read of it.
    """

    source_id: str
    name: str
    model_type: str = ""
    status: LoggedModelStatus = LoggedModelStatus.READY
    source_run: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    is_deleted: bool = False
    figures: Callable[[], Iterator[ModelFigure]] = _no_figures
    files: Callable[[], Iterator[SourceFile]] = _no_files
    faults: Faults = field(default_factory=Faults)


class Lost(NamedTuple):
    """An experiment, run or model that cannot be brought over now, and why."""

    source_id: str
    reason: str
    kind: ItemKind = ItemKind.RUN


class Source(Protocol):
    """A place that runs come from."""

    @property
    def label(self) -> str:
        """What tells it from every other place."""

    def experiments(self) -> Iterator[SourceExperiment | Lost]:
        """Give its experiments, deleted ones too."""

    def runs(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceRun | Lost]:
        """Give the runs of an experiment, deleted ones too, oldest first.

        Args:
            experiment: one of this source.
            done: ids of runs that nobody needs any more.
        """

    def models(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceModel | Lost]:
        """Give the logged models of an experiment, as `runs`."""

    def close(self) -> None:
        """Leave it."""


class Unreadable(Exception):
    """Something at the source cannot be read; says what and why."""


class Malformed(Unreadable):
    """A server answers with something else than MLflow's servers do."""


class SourceGone(Unreadable):
    """The source no longer answers, so that nothing else of it can be read either."""


class TooManyPoints(Unreadable):
    """A run has more points than one file may bring.

    Args:
        where: the first that is too many.
        most: how many may come.
    """

    def __init__(self, where: str, most: int):
        super().__init__(
            f"{where}: a run in a file may have {most:,} points, and this one has "
            "more. Log the run with MLflow's client instead."
        )
