"""Divide rows into training, validation and test parts, the same way every time."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from engine.features import Table
from engine.folder import EngineError
from engine.spec import TrainSpec

FEWEST_ROWS = 50
FEWEST_PER_CLASS = 10
BINARY_CLASSES = 2
MOST_CLASSES = 50
VALIDATION_RATIO = 0.2  # of the rows that are not test rows

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Positions into the table: no row is in two parts.

    Attributes:
        train: what estimators and searches learn from.
        validation: what the threshold is chosen on.
        test: what the final measures are computed on, once.
        digest: SHA-256 over the row numbers of the file, part by part.
    """

    train: Positions
    validation: Positions
    test: Positions
    digest: str


def split(table: Table, spec: TrainSpec) -> Split:
    """Divide the table's rows by the spec's seed, keeping class shares equal.

    Raises:
        EngineError: too few rows, or a target that cannot be learned.
    """
    _check_target(table.target, spec)
    everything = np.arange(len(table.rows))
    rest, test = _divide(everything, table.target, spec, spec.test_ratio)
    train, validation = _divide(rest, table.target[rest], spec, VALIDATION_RATIO)
    digest = hashlib.sha256()
    for part, positions in (
        ("train", train),
        ("validation", validation),
        ("test", test),
    ):
        digest.update(f"{part}:{len(positions)}:".encode())
        digest.update(table.rows[positions].astype("<i8").tobytes())
    return Split(train, validation, test, digest.hexdigest())


def _divide(
    positions: Positions, target: NDArray[Any], spec: TrainSpec, ratio: float
) -> tuple[Positions, Positions]:
    first, second = train_test_split(
        positions,
        test_size=ratio,
        random_state=spec.seed,
        stratify=None if spec.task == "regression" else target,
    )
    return np.sort(first), np.sort(second)


def _check_target(target: NDArray[Any], spec: TrainSpec) -> None:
    if len(target) < FEWEST_ROWS:
        raise EngineError(
            f'Only {len(target)} rows have a value in "{spec.target}"; at least '
            f"{FEWEST_ROWS} are needed, so add data."
        )
    if spec.task != "regression":
        _check_classes(*np.unique(target, return_counts=True), spec)


def _check_classes(
    classes: NDArray[Any], counts: NDArray[np.int64], spec: TrainSpec
) -> None:
    name = f'The target "{spec.target}"'
    if len(classes) == 1:
        raise EngineError(
            f'{name} is always "{classes[0]}"; choose one that has at least two values.'
        )
    if spec.task == "binary" and len(classes) != BINARY_CLASSES:
        raise EngineError(
            f"{name} has {len(classes)} values, not 2; choose the task multiclass."
        )
    if len(classes) > MOST_CLASSES:
        raise EngineError(
            f"{name} has {len(classes):,} values, more than {MOST_CLASSES}; group them "
            "or choose another column."
        )
    if counts.min() < FEWEST_PER_CLASS:
        raise EngineError(
            f'{name} has only {counts.min()} rows of "{classes[counts.argmin()]}"; at '
            f"least {FEWEST_PER_CLASS} each are needed, so add data or group values."
        )
    if spec.task == "binary" and spec.positive_label not in classes:
        raise EngineError(
            f'{name} is never "{spec.positive_label}"; the positive value must be '
            f'"{classes[0]}" or "{classes[1]}".'
        )
