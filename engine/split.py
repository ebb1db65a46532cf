"""Divide rows into training, validation and test parts, the same way every time."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from engine.features import Positions, Table
from engine.folder import EngineError
from engine.spec import TrainSpec

FEWEST_ROWS = 50
FEWEST_PER_CLASS = 10
FEWEST_GROUPS = 5
BINARY_CLASSES = 2
MOST_CLASSES = 50

Fold = tuple[Positions, Positions]
Divide = Callable[[Positions, float], Fold]


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
    """Divide the table's rows as the spec says: by its seed, in time or by groups.

    Raises:
        EngineError: too few rows, a target that cannot be learned, or rows that
            cannot be divided in that way.
    """
    _check_target(table, spec)
    divide = _divider(table, spec)
    everything = np.arange(len(table))
    rest, test = divide(everything, spec.test_ratio)
    train, validation = divide(rest, spec.split.validation_ratio)
    _check_parts(table, spec, [train, validation, test])
    digest = hashlib.sha256()
    for part, positions in (
        ("train", train),
        ("validation", validation),
        ("test", test),
    ):
        digest.update(f"{part}:{len(positions)}:".encode())
        digest.update(table.rows[positions].astype("<i8").tobytes())
    return Split(train, validation, test, digest.hexdigest())


def folds(
    table: Table, spec: TrainSpec, count: int, *, every_row: bool = False
) -> list[Fold]:
    """Divide training rows for cross-validation, in the manner of the split.

    In time, every fold learns from the rows before those it is judged on; so the
    earliest are never judged, unless `every_row` asks for blocks of time instead.
    """
    nothing = np.empty((len(table), 0))
    if spec.split.method == "time":
        order = np.argsort(table.division, kind="stable")
        parts = (KFold if every_row else TimeSeriesSplit)(count).split(nothing)
        return [(np.sort(order[a]), np.sort(order[b])) for a, b in parts]
    if spec.split.method == "group":
        count = min(count, len(np.unique(table.division)))
        groups = GroupKFold(count, shuffle=True, random_state=spec.seed)
        return list(groups.split(nothing, groups=table.division))
    kind = KFold if spec.task == "regression" else StratifiedKFold
    shuffled = kind(count, shuffle=True, random_state=spec.seed)
    return list(shuffled.split(nothing, table.target))


def has_every_class(table: Table, positions: Positions) -> bool:
    """Say whether every class of the table is among the rows at `positions`."""
    every, some = np.unique(table.target), np.unique(table.target[positions])
    return len(every) == len(some)


def sample(table: Table, spec: TrainSpec, count: int) -> Positions:
    """Return `count` positions to learn from, the latest when rows are timed.

    Shares of the classes are kept when rows are divided at random.
    """
    if count >= len(table):
        return np.arange(len(table))
    if spec.split.method == "time":
        return np.sort(np.argsort(table.division, kind="stable")[-count:])
    stratify = None if spec.task == "regression" else table.target
    kept, _ = train_test_split(
        np.arange(len(table)),
        train_size=count,
        random_state=spec.seed,
        stratify=stratify,
    )
    return np.sort(kept)


def _divider(table: Table, spec: TrainSpec) -> Divide:
    match spec.split.method:
        case "time":
            return _InTime(table.division, str(spec.split.column))
        case "group":
            return _ByGroup(table.division, str(spec.split.column), spec.seed)
    stratify = None if spec.task == "regression" else table.target
    return _AtRandom(stratify, spec.seed)


@dataclass(frozen=True)
class _AtRandom:
    """Keeps the shares of the classes."""

    stratify: NDArray[Any] | None
    seed: int

    def __call__(self, positions: Positions, ratio: float) -> Fold:
        first, second = train_test_split(
            positions,
            test_size=ratio,
            random_state=self.seed,
            stratify=None if self.stratify is None else self.stratify[positions],
        )
        return np.sort(first), np.sort(second)


@dataclass(frozen=True)
class _InTime:
    """Holds the latest rows out; rows of one moment stay together."""

    moments: Positions
    column: str

    def __call__(self, positions: Positions, ratio: float) -> Fold:
        moments = self.moments[positions]
        place = min(round(len(moments) * (1 - ratio)), len(moments) - 1)
        cut = np.partition(moments, place)[place]
        is_later = moments >= cut
        if is_later.all():
            raise EngineError(
                f'Most rows have the same "{self.column}", so that past and future '
                "cannot be told apart; choose another column."
            )
        return positions[~is_later], positions[is_later]


@dataclass(frozen=True)
class _ByGroup:
    """Holds whole groups out, drawn by the seed until they have the rows asked for."""

    groups: Positions
    column: str
    seed: int

    def __call__(self, positions: Positions, ratio: float) -> Fold:
        groups, sizes = np.unique(self.groups[positions], return_counts=True)
        if len(groups) < FEWEST_GROUPS:
            raise EngineError(
                f'"{self.column}" has only {len(groups)} groups to divide; at least '
                f"{FEWEST_GROUPS} are needed, so choose another column."
            )
        order = np.random.default_rng(self.seed).permutation(len(groups))
        filled = np.cumsum(sizes[order])
        count = int(np.argmin(np.abs(filled - ratio * len(positions)))) + 1
        drawn = groups[order[: min(count, len(groups) - 1)]]
        is_drawn = np.isin(self.groups[positions], drawn)
        return positions[~is_drawn], positions[is_drawn]


def _check_target(table: Table, spec: TrainSpec) -> None:
    if len(table) < FEWEST_ROWS:
        raise EngineError(
            f'Only {len(table)} rows have a value in "{spec.target}"; at least '
            f"{FEWEST_ROWS} are needed, so add data."
        )
    if spec.task != "regression":
        _check_classes(table.classes, np.bincount(table.target), spec)
    if isinstance(spec.class_weight, dict):
        for label in spec.class_weight:
            if label not in table.classes:
                raise EngineError(
                    f'class_weight names "{label}", which "{spec.target}" never is; '
                    "remove it."
                )


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


def _check_parts(table: Table, spec: TrainSpec, parts: list[Positions]) -> None:
    """Make sure that time or groups left every class in every part."""
    if spec.task == "regression":
        return
    names = ("to learn from", "to choose the threshold on", "held out for the test")
    for name, positions in zip(names, parts, strict=True):
        present = np.bincount(table.target[positions], minlength=len(table.classes))
        if not present.all():
            label = table.classes[present.argmin()]
            raise EngineError(
                f'Divided by "{spec.split.column}", the rows {name} have no '
                f'"{label}" in "{spec.target}"; hold out more, or divide otherwise.'
            )
