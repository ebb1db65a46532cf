"""Whether the answers were known before: duplicates, and features that tell all."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import math

import numpy as np
from scipy.stats import rankdata

from engine import tables
from engine.evaluation import training_rows
from engine.evaluation.shape import Family, Figure, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.features import Table
from engine.measures import Floats

SUSPICIOUS = 0.98


def compute(subject: Subject) -> Family:
    """Count duplicates, and rank the target by each feature alone."""
    powers = _powers(subject)
    strongest, power = max(powers, key=lambda pair: pair[1], default=("", math.nan))
    repeated, shared, said = _duplicates(subject)
    figures: list[Figure] = [figure("repeated_share", repeated)]
    if not math.isnan(shared):
        figures.append(figure("duplicate_share", shared))
    if powers:
        figures.append(figure("single_feature_power", power))
        alone = f'"{strongest}" alone ranks the target with {power:.3g}'
        many = sum(found > SUSPICIOUS for _, found in powers)
        said += (
            f" {alone}; {many} feature(s) exceed {SUSPICIOUS}, {subject.sampled_words}."
        )
    rows = sorted(powers, key=lambda pair: -pair[1])
    return Family(
        "leakage",
        said,
        figures=figures,
        tables=[table("Power of single features", ("Feature", "Power"), rows)],
    )


def _duplicates(subject: Subject) -> tuple[float, float, str]:
    """Return the shares of repeated and of shared rows, and a sentence on them."""
    names = [*(found.name for found in subject.signature.inputs), subject.spec.target]
    columns = ", ".join(tables.name(column) for column in names)
    known = f"{tables.name(subject.spec.target)} IS NOT NULL"
    run = subject.database.execute
    run(
        f"CREATE OR REPLACE TEMP TABLE evaluated AS SELECT hash({columns}) AS digest "
        f"FROM read_parquet({tables.text(subject.path)}) WHERE {known}"
    )
    counted = "SELECT count(*), count(DISTINCT digest) FROM evaluated"
    total, distinct = run(counted).fetchall()[0]
    repeated = (total - distinct) / total
    said = f"{total - distinct:,} of {total:,} rows repeat an earlier one."
    try:
        source = training_rows.source(subject)
    except NotTested as error:
        return repeated, math.nan, f"{said} Not compared with training rows: {error}"
    ((shared,),) = run(
        "SELECT count(*) FROM evaluated WHERE digest IN "
        f"(SELECT hash({columns}) FROM {source})"
    ).fetchall()
    return repeated, shared / total, f"{said} {shared:,} equal a training row."


def _powers(subject: Subject) -> list[tuple[str, float]]:
    rows, outcomes = subject.sample
    regression = subject.spec.task == "regression"
    count = rows.numbers.shape[1]
    found = []
    for name, positions in rows.layout.positions.items():
        if not positions or len(positions) > 3:  # noqa: PLR2004  # parts of a date
            continue  # the numbers of a text or picture mean little one by one
        powers = []
        for position in positions:
            if position < count:
                values = [_filled(rows.numbers[:, position])]
            else:
                values = _encoded(rows, position - count, outcomes.actual, regression)
            powers += _each(values, outcomes.actual, regression)
        known = [power for power in powers if np.isfinite(power)]
        if known:
            found.append((name, max(known)))
    return found


def _filled(values: Floats) -> Floats:
    """Put missing below everything, so that being missing counts as a value."""
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, known.min() - 1 if known.size else 0)


def _each(values: list[Floats], actual: Floats, regression: bool) -> list[float]:
    if regression:
        return [_spearman(column, actual) for column in values]
    classes = np.unique(actual)
    if len(classes) < 2:  # noqa: PLR2004  # nothing to rank
        return []
    # Of two classes, both say the same.
    asked = classes[1:] if len(classes) == 2 else classes  # noqa: PLR2004
    columns = values if len(values) == len(asked) else values * len(asked)
    return [auc(c, actual == k) for c, k in zip(columns, asked, strict=True)]


def auc(values: Floats, is_positive: Floats) -> float:
    """Return how well values rank, in either direction: 0.5 to 1."""
    positive = int(is_positive.sum())
    negative = len(is_positive) - positive
    if not positive or not negative:
        return math.nan
    above = rankdata(values)[is_positive].sum() - positive * (positive + 1) / 2
    area = above / (positive * negative)
    return float(max(area, 1 - area))


def _spearman(values: Floats, actual: Floats) -> float:
    if np.ptp(values) == 0 or np.ptp(actual) == 0:
        return math.nan
    return float(abs(np.corrcoef(rankdata(values), rankdata(actual))[0, 1]))


def _encoded(rows: Table, place: int, actual: Floats, regression: bool) -> list[Floats]:
    """Replace each category by the mean target of its other rows, for each class.

    Rows do not count for themselves, so that a name of its own for each row, which
    tells nothing about new rows, is not taken for a leak.
    """
    codes = rows.codes[:, place]
    counts = np.bincount(codes)
    found = []
    for truth in _truths(actual, regression):
        others = np.bincount(codes, truth)[codes] - truth
        among = counts[codes] - 1
        overall = (truth.sum() - truth) / max(len(truth) - 1, 1)
        # Without other rows, nothing is known: the same for all rows.
        constant = np.full(len(truth), overall.mean())
        found.append(np.where(among > 0, others / np.maximum(among, 1), constant))
    return found


def _truths(actual: Floats, regression: bool) -> list[Floats]:
    if regression:
        return [actual.astype(float)]
    classes = np.unique(actual)
    asked = classes[1:] if len(classes) == 2 else classes  # noqa: PLR2004
    return [(actual == number).astype(float) for number in asked]
