"""Answers against the truth, as a table that stays small."""

from collections.abc import Sequence

import numpy as np

from engine.folder import Json
from engine.measures import Floats, Outcomes

MOST_CLASSES = 50  # with more, the rarest are put together
MOST_TEXT = 120
OTHER = "(other classes)"


def table(
    outcomes: Outcomes, classes: Sequence[str], positive_label: str | None
) -> Json | None:
    """Count by actual (row) and predicted (column) class; binary: positive last.

    Args:
        outcomes: of which regression has no such table.
        classes: in any order.
        positive_label: of a binary target.
    """
    if outcomes.task == "regression":
        return None
    labels = sorted(classes, key=lambda label: (label == positive_label, label))
    counts = outcomes.confusion()
    if len(labels) > MOST_CLASSES:
        labels, counts = _merged(labels, counts)
    return {
        "labels": [label[:MOST_TEXT] for label in labels],
        "matrix": counts.astype(int).tolist(),
    }


def _merged(labels: list[str], counts: Floats) -> tuple[list[str], Floats]:
    """Keep the commonest classes, and make one of the others."""
    rows = counts.sum(axis=0) + counts.sum(axis=1)
    kept = np.sort(np.argsort(-rows, kind="stable")[: MOST_CLASSES - 1])
    into = np.full(len(labels), len(kept))
    into[kept] = np.arange(len(kept))
    merged = np.zeros((len(kept) + 1, len(kept) + 1))
    np.add.at(merged, (into[:, None], into[None, :]), counts)
    return [*(labels[place] for place in kept), OTHER], merged
