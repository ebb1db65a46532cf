"""Who scores the trials of a search: this process, or the workers of a Dask cluster.

A cluster is asked only when `ENGINE_DASK_ADDRESS` names its scheduler. Scores do not
depend on who computed them: each fold is fitted by the same code, by the spec's seed
and on the spec's number of threads.
"""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from engine import objective, split
from engine.estimators import Parameters
from engine.features import Table
from engine.folder import EngineError, Folder
from engine.pipeline import fit
from engine.predictions import judge
from engine.spec import TrainSpec
from engine.split import Fold

ADDRESS = "ENGINE_DASK_ADDRESS"
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Scored:
    """The score of one fold, and who computed it; empty for this process."""

    value: float
    worker: str = ""


@dataclass(frozen=True)
class Task:
    """What all trials of a round have in common."""

    spec: TrainSpec
    table: Table
    folds: list[Fold]


class Crew(Protocol):
    """Scores settings on the folds of a task.

    Attributes:
        width: settings to hand over at once, so that no worker idles.
    """

    width: int

    def take_up(self, task: Task) -> None:
        """Prepare for trials of `task`."""

    def score(self, wanted: Sequence[Parameters]) -> Iterator[list[Scored]]:
        """Yield the scores of the folds of each setting, in the order given."""


def score_fold(task: Task, parameters: Parameters, place: int) -> Scored:
    """Learn from one fold's training rows and measure on those held out.

    The score is NaN when the training rows lack a class, as early rows may.
    """
    spec, (train, held_out) = task.spec, task.folds[place]
    if spec.task != "regression" and not split.has_every_class(task.table, train):
        return Scored(math.nan)
    with threadpool_limits(spec.threads):
        pipeline = fit(spec, parameters, task.table.take(train), _unheard)
        rows = task.table.take(held_out)
        outcomes = judge(pipeline, rows, spec.task, spec.positive_label, cost=spec.cost)
    return Scored(objective.value(spec, outcomes))


@contextmanager
def hire(folder: Folder) -> Iterator[Crew]:
    """Open the crew that the environment asks for.

    Raises:
        EngineError: a cluster is asked for and is not there.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        yield Alone()
        return
    with _connect(address) as client:
        team = Cluster(client)
        folder.log(f"The cluster's workers make the trials: {', '.join(team.names)}.")
        yield team


class Alone:
    """This process, one setting after the other."""

    width = 1

    def take_up(self, task: Task) -> None:
        self._task = task

    def score(self, wanted: Sequence[Parameters]) -> Iterator[list[Scored]]:
        for parameters in wanted:
            yield [
                score_fold(self._task, parameters, place)
                for place in range(len(self._task.folds))
            ]


class Cluster:
    """The workers of a Dask cluster, all folds of several settings at once."""

    def __init__(self, client: Any) -> None:
        self._client = client
        # It would soon remove all copies of the rows but one, and every later trial
        # would go to the one worker that still has them.
        client.amm.stop()
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        self.names = sorted(str(worker["name"]) for worker in workers)
        self._hands = sum(worker["nthreads"] for worker in workers)
        self.width = 1

    def take_up(self, task: Task) -> None:
        self._folds = len(task.folds)
        self.width = -(-self._hands // self._folds)
        (self._task,) = self._client.scatter([task], broadcast=True, hash=False)

    def score(self, wanted: Sequence[Parameters]) -> Iterator[list[Scored]]:
        futures = [
            [
                self._client.submit(
                    _score_there, self._task, parameters, place, pure=False
                )
                for place in range(self._folds)
            ]
            for parameters in wanted
        ]
        for found in futures:
            yield self._client.gather(found)


def _score_there(task: Task, parameters: Parameters, place: int) -> Scored:
    """Score a fold in a worker of the cluster, and sign with its name and process."""
    name = import_module("distributed").get_worker().name
    scored = score_fold(task, parameters, place)
    return Scored(scored.value, f"{name} (process {os.getpid()})")


def _connect(address: str) -> Any:
    try:
        distributed = import_module("distributed")
    except ImportError as error:
        raise EngineError(
            "A cluster is set up for searches, but Dask is not installed here; ask an "
            'administrator for the extra "cluster".',
            code="internal",
        ) from error
    try:
        client = distributed.Client(address, timeout=PATIENCE_SECONDS)
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except (OSError, TimeoutError) as error:
        raise EngineError(
            f"The cluster at {address} does not answer or has no workers; ask an "
            "administrator to start it.",
            code="internal",
        ) from error
    return client


def _unheard(_line: str) -> None:
    """Drop a warning: a trial that did not settle shows in its score."""
