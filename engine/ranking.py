"""The order of the scores of a binary target, and what is measured from it.

Rows are sorted once. A resample is then measured by running sums over that order,
without sorting again, which is what makes a bootstrap of a million rows bearable.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Ranking:
    """Positive rows, then negative rows, each with the highest score first.

    Attributes:
        order: shape (n,), the place of each of these rows among the rows given.
        positives: shape (p,), scores of positive rows, falling.
        negatives: shape (n - p,), scores of negative rows, falling.
    """

    order: Places
    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, actual: NDArray[Any], scores: Floats) -> Self:
        """Sort rows of which `actual`, shape (n,), is 1 for positive ones."""
        parts = []
        for number in (1, 0):
            places = np.flatnonzero(actual == number)
            parts.append(places[np.argsort(-scores[places], kind="stable")])
        return cls(np.concatenate(parts), scores[parts[0]], scores[parts[1]])

    def confusion(self, weights: Floats | None, threshold: float) -> Floats:
        """Count as `Outcomes.confusion` does."""
        positive, negative = self._split(weights)
        caught = np.searchsorted(-self.positives, -threshold, side="right")
        flagged = np.searchsorted(-self.negatives, -threshold, side="right")
        return np.array(
            [
                [negative[flagged:].sum(), negative[:flagged].sum()],
                [positive[caught:].sum(), positive[:caught].sum()],
            ]
        )

    def measures(self, weights: Floats | None) -> dict[str, float]:
        """Measure how rows are ranked, and how far probabilities are off.

        Args:
            weights: shape (n,), of the rows as they were given; without, all are 1.

        Returns:
            Area under the ROC curve and average precision (rows of equal score
            together), Brier score, and calibration error; NaN without the rows needed.
        """
        positive, negative = self._split(weights)
        found, alarms = _sums(positive), _sums(negative)
        p, n = found[-1], alarms[-1]
        above, up_to, ties = self._places
        # A tie counts half: the mean of the alarms before it and with it.
        ranked = p * n - positive @ (alarms[above] + alarms[up_to]) / 2
        caught = found[ties]
        flagged = caught + alarms[up_to]
        precision = np.divide(
            caught, flagged, out=np.zeros_like(caught), where=flagged > 0
        )
        return {
            "roc_auc": float(ranked / (p * n)),
            "average_precision": float(positive @ precision / p),
            "brier": float(
                (positive @ self._squares[0] + negative @ self._squares[1]) / (p + n)
            ),
            "calibration_error": self._calibration_error(positive, negative),
        }

    def _split(self, weights: Floats | None) -> tuple[Floats, Floats]:
        """Return the weights of positive and of negative rows, in our order."""
        count = len(self.positives)
        if weights is None:
            return np.ones(count), np.ones(len(self.negatives))
        if not self._is_sorted:
            weights = np.take(weights, self.order)
        return weights[:count], weights[count:]

    @cached_property
    def _is_sorted(self) -> bool:
        return bool((self.order == np.arange(len(self.order))).all())

    @cached_property
    def _places(self) -> tuple[Places, Places, Places]:
        """Say for each positive row how many rows come before it.

        Returns:
            Each of shape (p,): how many negative rows have a higher score, how many a
            score as high, and how many positive rows a score as high.
        """
        asked, negatives = -self.positives, -self.negatives
        return (
            np.searchsorted(negatives, asked, side="left"),
            np.searchsorted(negatives, asked, side="right"),
            np.searchsorted(asked, asked, side="right"),
        )

    @cached_property
    def _gaps(self) -> tuple[Floats, Floats]:
        return self.positives - 1, self.negatives

    @cached_property
    def _squares(self) -> tuple[Floats, Floats]:
        return self._gaps[0] ** 2, self._gaps[1] ** 2

    @cached_property
    def _bins(self) -> tuple[list[tuple[int, slice]], list[tuple[int, slice]]]:
        """Name the rows of each bin of equal width; in order of scores they adjoin."""
        return _adjoining(self.positives), _adjoining(self.negatives)

    def _calibration_error(self, positive: Floats, negative: Floats) -> float:
        sums = np.zeros(CALIBRATION_BINS)
        for weights, gaps, bins in zip(
            (positive, negative), self._gaps, self._bins, strict=True
        ):
            for number, part in bins:
                sums[number] += weights[part] @ gaps[part]
        return float(np.abs(sums).sum() / (positive.sum() + negative.sum()))


def _sums(weights: Floats) -> Floats:
    """Return the running sums of shape (n,) as shape (n + 1,), from 0."""
    found = np.zeros(len(weights) + 1)
    np.cumsum(weights, out=found[1:])
    return found


def _adjoining(scores: Floats) -> list[tuple[int, slice]]:
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    if not len(bins):
        return []
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    ends = [*starts[1:], len(bins)]
    return [
        (int(bins[a]), slice(int(a), int(b))) for a, b in zip(starts, ends, strict=True)
    ]
