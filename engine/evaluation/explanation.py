"""What the model leans on: features, their effect, and why single cases came out so."""

from dataclasses import replace

import numpy as np

from engine.evaluation.shape import Family, NotTested, curve, figure, line, table
from engine.evaluation.subject import Subject
from engine.features import Table
from engine.folder import Json
from engine.measures import Floats

TOP = 3
POINTS = 20
MOST_LEVELS = 15
MOST_ROWS = 500  # that each point of an effect is averaged over
CASES = 4
MOST_FEATURES = 50


def compute(subject: Subject) -> Family:
    """Give importance, the effect of the top features, and a few single cases."""
    if not subject.takes_columns:
        raise NotTested("The model takes pictures only; what is explained are columns.")
    if not subject.importance:
        raise NotTested("The model has too many features to ask for each.")
    means = [max(found["mean"], 0.0) for found in subject.importance]
    total = sum(means)
    top = subject.importance[0]["feature"]
    share = means[0] / total if total > 0 else float("nan")
    rows = subject.sample[0]
    rows = rows.take(np.arange(min(len(rows), MOST_ROWS)))
    names = [found["feature"] for found in subject.importance[:TOP]]
    effects = [_effect(subject, rows, name) for name in names]
    return Family(
        "explanation",
        f'The model leans most on "{top}". Effects are averages over {len(rows):,} '
        "rows; single cases show what changes when one feature is replaced by its "
        "usual value.",
        figures=[figure("top_feature_share", share)],
        tables=[_importance(subject), *_cases(subject)],
        curves=[effect for effect in effects if effect],
    )


def _importance(subject: Subject) -> Json:
    rows = [[f["feature"], f["mean"], f["std"]] for f in subject.importance]
    columns = ("Feature", f"Loss of {subject.main_title} when shuffled", "Spread")
    return table("Importance of features", columns, rows)


def _answers(subject: Subject, scores: Floats) -> Floats:
    """Return one number per row: probability, value, or that of the likeliest class."""
    found: Floats = scores.max(axis=1) if scores.ndim > 1 else scores
    return found


def _effect(subject: Subject, rows: Table, feature: str) -> Json | None:
    """Average the answers with the feature set to each of some values."""
    positions = rows.layout.positions[feature]
    count = rows.numbers.shape[1]
    if len(positions) != 1:
        return None
    (position,) = positions
    if position < count:
        known = rows.numbers[np.isfinite(rows.numbers[:, position]), position]
        if not known.size:
            return None
        grid = np.unique(np.quantile(known, np.linspace(0, 1, POINTS)))
        means = [_mean(subject, _set(rows, position, x)) for x in grid]
        lines = [line("Average answer", list(grid), means)]
    else:
        commonest = np.bincount(rows.codes[:, position - count]).argsort()[::-1]
        lines = [
            line(
                str(rows.levels[position - count][code]) or "(missing)",
                [place],
                [_mean(subject, _set(rows, position, code))],
            )
            for place, code in enumerate(commonest[:MOST_LEVELS])
        ]
    return curve(f"Effect of {feature}"[:120], feature[:120], "Average answer", lines)


def _mean(subject: Subject, rows: Table) -> float:
    return float(np.mean(_answers(subject, subject.scores(rows))))


def _set(rows: Table, position: int, value: float) -> Table:
    """Return the rows with one column at one value."""
    count = rows.numbers.shape[1]
    numbers, codes = rows.numbers.copy(), rows.codes.copy()
    if position < count:
        numbers[:, position] = value
    else:
        codes[:, position - count] = value
    return replace(rows, numbers=numbers, codes=codes)


def _cases(subject: Subject) -> list[Json]:
    """Explain the answers at the ends and in the middle of the sample."""
    rows, outcomes = subject.sample
    answers = _answers(subject, outcomes.scores)
    order = np.argsort(answers, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, CASES).round().astype(int)]
    picked = rows.take(np.unique(chosen))
    before = _answers(subject, subject.scores(picked))
    found = []
    for feature in [f["feature"] for f in subject.importance][:MOST_FEATURES]:
        changed = picked
        for position in rows.layout.positions[feature]:
            changed = _set(changed, position, _usual(rows, position))
        moved = before - _answers(subject, subject.scores(changed))
        found.append([feature, *moved])
    columns = [
        f"Row {row + 1:,}: {a:.3g}" for row, a in zip(picked.rows, before, strict=True)
    ]
    return [table("What moved single answers", ("Feature", *columns), found)]


def _usual(rows: Table, position: int) -> float:
    """Return the median of a number, or the code of the commonest category."""
    count = rows.numbers.shape[1]
    if position >= count:
        return float(np.bincount(rows.codes[:, position - count]).argmax())
    known = rows.numbers[np.isfinite(rows.numbers[:, position]), position]
    return float(np.median(known)) if known.size else float("nan")
