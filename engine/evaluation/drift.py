"""How far the evaluated rows have moved from the training rows."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from engine import reading, tables
from engine.evaluation import training_rows
from engine.evaluation.shape import Family, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.features import Table
from engine.measures import Floats

MOST_ROWS = 100_000  # of training rows compared with, drawn by the seed
BINS = 10
DRIFTED = 0.2
_LEAST_SHARE = 1e-4  # an empty bin counts as this, so that its logarithm is finite
_PLACES = 1_000_000
MOST_SHOWN = 100
MOST_PARTS = 3  # of a date; the numbers of a text or picture mean little one by one


def compute(subject: Subject) -> Family:
    """Compare number, date and category columns with those of the training rows.

    Source:
        Population stability index: N. Siddiqi, "Credit Risk Scorecards" (2006),
        chapter 8; 0.2 as the usual limit is from there, too.
    """
    if not subject.takes_columns:
        raise NotTested("The model takes pictures only; drift is measured of columns.")
    then, total = _training(subject)
    if not len(then):
        raise NotTested("No training row has a value of the target.")
    now = subject.table
    rows = [
        *_numbers(then, now),
        *_categories(then, now),
    ]
    if not rows:
        raise NotTested("The model takes no column that can be compared.")
    rows.sort(key=lambda row: -row[1])
    psi = [row[1] for row in rows]
    distances = [row[2] for row in rows if row[2] is not None]
    drifted = sum(value >= DRIFTED for value in psi)
    figures = [figure("largest_psi", psi[0]), figure("drifted_columns", drifted)]
    if distances:
        figures.append(figure("largest_ks", max(distances)))
    return Family(
        "drift",
        f"{drifted} of {len(rows)} columns have moved by {DRIFTED} or more; "
        f'"{rows[0][0]}" the most, by {psi[0]:.3g}. {len(now):,} evaluated rows were '
        f"compared with {len(then):,} of {total:,} training rows.",
        figures=figures,
        tables=[
            table(
                "Drift by column",
                ("Column", "Population stability index", "Kolmogorov-Smirnov"),
                rows[:MOST_SHOWN],
            )
        ],
    )


def _training(subject: Subject) -> tuple[Table, int]:
    """Read a sample of the training rows, and say how many there are."""
    source = training_rows.source(subject)
    run = subject.database.execute
    ((total,),) = run(f"SELECT count(*) FROM {source}").fetchall()
    drawn = subject.folder.path / "scratch" / "training.parquet"
    drawn.parent.mkdir(exist_ok=True)
    kept = ""
    if total > MOST_ROWS:
        # The digest of place and seed decides, so that the draw can be repeated.
        share = round(_PLACES * MOST_ROWS / total)
        kept = f" WHERE hash(place, {subject.spec.seed}) % {_PLACES} < {share}"
    read = subject.signature.reading().features
    names = [*(found.name for found in read), subject.spec.target]
    columns = ", ".join(tables.name(column) for column in names)
    run(
        f"COPY (SELECT {columns} FROM (SELECT {columns}, row_number() OVER () AS place "
        f"FROM {source}){kept}) TO {tables.text(drawn)} (FORMAT parquet)"
    )
    try:
        return reading.read(subject.database, drawn, subject.signature.reading()), total
    finally:
        drawn.unlink()


_Row = list[Any]  # name, index, distance or None


def _numbers(then: Table, now: Table) -> list[_Row]:
    found: list[_Row] = []
    dated = {
        p
        for places in then.layout.positions.values()
        if len(places) <= MOST_PARTS
        for p in places
    }
    for place, name in enumerate(then.layout.numbers):
        if place in dated:
            pair = then.numbers[:, place], now.numbers[:, place]
            found.append([name, number_psi(*pair), _distance(*pair)])
    return found


def _categories(then: Table, now: Table) -> list[_Row]:
    found: list[_Row] = []
    for place, name in enumerate(then.layout.categories):
        shares = [_shares(rows, place) for rows in (then, now)]
        levels = sorted(set(shares[0]) | set(shares[1]))
        old, new = ([part.get(level, 0.0) for level in levels] for part in shares)
        found.append([name, psi(old, new), None])
    return found


def number_psi(then: Floats, now: Floats) -> float:
    """Return the index over tenths of the old values, and missing as one bin more."""
    known = then[np.isfinite(then)]
    edges = (
        np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
        if known.size
        else np.empty(0)
    )
    old, new = (_bins(values, edges) for values in (then, now))
    return psi(old, new)


def psi(then: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index of shares in the same order."""
    old = np.maximum(np.asarray(then, float), _LEAST_SHARE)
    new = np.maximum(np.asarray(now, float), _LEAST_SHARE)
    return float(((new - old) * np.log(new / old)).sum())


def _bins(values: Floats, edges: Floats) -> list[float]:
    is_known = np.isfinite(values)
    places = np.searchsorted(edges, values[is_known], side="left")
    counts = np.bincount(places, minlength=len(edges) + 1)
    return [*(counts / len(values)), 1 - is_known.mean()]


def _distance(then: Floats, now: Floats) -> float | None:
    old, new = (values[np.isfinite(values)] for values in (then, now))
    if not old.size or not new.size:
        return None
    return float(ks_2samp(old, new, method="asymp").statistic)


def _shares(rows: Table, place: int) -> dict[str, float]:
    levels = rows.levels[place]
    counts = np.bincount(rows.codes[:, place], minlength=len(levels)) / len(rows)
    return {
        str(level): float(share)
        for level, share in zip(levels, counts, strict=True)
        if share
    }
