"""Follow an estimator while it learns.

The library tells nobody how far it is, but two estimators grow something that can be
looked at from another thread: boosted trees their list of trees, networks the loss of
each pass. What is found is the same whenever it is looked at, so a chart that grew
live and the one of the record are one.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from engine import preparation
from engine.features import Table
from engine.folder import Folder, Json
from engine.measures import Floats

SECONDS = 0.5
MOST_ROWS = 2_000
MOST_STEPS = 100


class Watch:
    """Writes metrics of an estimator while it learns, and keeps them.

    Args:
        folder: told each point as soon as it is known, and how far the job is.
        table: rows that the estimator does not learn from; the first `MOST_ROWS`
            are asked.
        span: how far the job is when learning begins and when it ends.
    """

    def __init__(
        self, folder: Folder, table: Table, span: tuple[float, float] = (0, 1)
    ) -> None:
        self.history: list[Json] = []
        self._folder, self._span = folder, span
        self._table = table.take(np.arange(min(len(table), MOST_ROWS)))

    @contextmanager
    def following(self, estimator: Any, prepare: Any) -> Iterator[None]:
        """Look at `estimator` twice a second until the block ends, and once more."""
        if hasattr(estimator, "l2_regularization"):
            stages: Any = _Boosting(estimator, prepare, self._table)
        elif hasattr(estimator, "hidden_layer_sizes"):
            stages = _Network(estimator)
        else:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._look, args=(stages, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self._take(stages, is_complete=True)

    def _look(self, stages: Any, ended: threading.Event) -> None:
        while not ended.wait(SECONDS):
            self._take(stages, is_complete=False)

    def _take(self, stages: Any, *, is_complete: bool) -> None:
        (begin, end), step = self._span, 0
        for step, value in stages.new(is_complete=is_complete):
            self._folder.metric(stages.key, step, value)
            self.history.append({"key": stages.key, "step": step, "value": value})
        if step:
            ratio = begin + (end - begin) * step / stages.most
            stage = f"Learning: {stages.noun} {step:,} of {stages.most:,}"
            self._folder.progress(ratio, stage)


class _Network:
    """The training loss of a network, pass by pass."""

    key, noun = "training.loss", "pass"

    def __init__(self, estimator: Any) -> None:
        self._estimator, self._seen = estimator, 0
        self.most = estimator.max_iter

    def new(self, *, is_complete: bool) -> Iterator[tuple[int, float]]:
        losses = list(getattr(self._estimator, "loss_curve_", ()))
        every = math.ceil(self.most / MOST_STEPS)
        for place in range(self._seen, len(losses)):
            if (place + 1) % every == 0:
                yield place + 1, float(losses[place])
        self._seen = len(losses)


class _Boosting:
    """The loss of boosted trees on rows they do not learn from, tree by tree.

    What a tree adds is taken from the library's own tree, which it does not promise
    to keep; a test compares the result with what it does promise.
    """

    noun = "tree"

    def __init__(self, estimator: Any, prepare: Any, table: Table) -> None:
        self._estimator, self._table = estimator, table
        self.most = estimator.max_iter
        self._prepared = preparation.apply(prepare, table)
        self._raw: Floats | None = None
        self._seen = 0
        self._classifies = hasattr(estimator, "predict_proba")
        self.key = "validation.log_loss" if self._classifies else "validation.rmse"

    def new(self, *, is_complete: bool) -> Iterator[tuple[int, float]]:
        trees = list(getattr(self._estimator, "_predictors", ()))
        if not is_complete:
            trees = trees[:-1]  # the last may be growing
        every = math.ceil(self.most / MOST_STEPS)
        for place in range(self._seen, len(trees)):
            self._add(trees[place])
            if (place + 1) % every == 0:
                yield place + 1, self._loss()
        self._seen = len(trees)

    def _add(self, trees: list[Any]) -> None:
        if self._raw is None:
            base = np.asarray(self._estimator._baseline_prediction)
            shape = (len(self._table), base.size)
            self._raw = np.broadcast_to(base.reshape(1, -1), shape).copy()
        bits, places = self._estimator._bin_mapper.make_known_categories_bitsets()
        for place, tree in enumerate(trees):
            self._raw[:, place] += tree.predict(self._prepared, bits, places, 1)

    def _loss(self) -> float:
        assert self._raw is not None  # noqa: S101 - a tree was added
        if not self._classifies:
            gaps = self._raw[:, 0] - self._table.target
            return float(np.sqrt(np.mean(gaps**2)))
        if self._raw.shape[1] == 1:
            positive = expit(self._raw[:, 0])
            answers = np.column_stack([1 - positive, positive])
        else:
            answers = softmax(self._raw, axis=1)
        classes = range(answers.shape[1])
        return float(log_loss(self._table.target, answers, labels=list(classes)))
