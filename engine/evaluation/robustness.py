"""What is lost when values are missing, noisy or new."""

import numpy as np

from engine.evaluation import changes
from engine.evaluation.shape import Family, Figure, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.features import Table
from engine.spec.checks import MISSING_RATES

NOISE_RATIO = 0.1
UNSEEN_RATIO = 0.1
MOST_FEATURES = 30  # of which each is blanked alone
MOST_ROWS_EACH = 5_000


def compute(subject: Subject) -> Family:
    """Predict changed rows again; every figure is a loss of the main measure."""
    if not subject.takes_columns:
        raise NotTested(
            "The model takes pictures only; missing values, noise and unseen "
            "categories are tried on columns."
        )
    rows, outcomes = subject.sample
    before = subject.main_value(outcomes, outcomes.scores)
    if not np.isfinite(before):
        raise NotTested(f"{subject.main_title} cannot be computed from these rows.")
    rng = np.random.default_rng(subject.spec.seed)

    def loss(changed: Table) -> float:
        return before - subject.main_value(outcomes, subject.scores(changed))

    every = list(rows.layout.positions)
    figures = [
        figure(
            f"loss_missing_{percent}",
            loss(changes.with_missing(rows, every, percent / 100, rng)),
        )
        for percent in MISSING_RATES
    ]
    if rows.layout.numbers:
        noisy = changes.with_noise(rows, NOISE_RATIO, rng)
        figures.append(figure("loss_noise", loss(noisy)))
    if rows.layout.categories:
        new = changes.with_unseen(rows, _categories(rows), UNSEEN_RATIO, rng)
        figures.append(figure("loss_unseen", loss(new)))
    return Family(
        "robustness",
        f"{_worst(figures)} Every figure is what {subject.main_title} loses of "
        f"{before:.3g}, {subject.sampled_words}.",
        figures=figures,
        tables=[
            table(
                f"Loss of {subject.main_title} when one feature is missing",
                ("Feature", *(f"{percent} % missing" for percent in MISSING_RATES)),
                _each(subject),
            )
        ],
    )


def _categories(rows: Table) -> list[str]:
    count = len(rows.layout.numbers)
    return [n for n, p in rows.layout.positions.items() if p and p[0] >= count]


def _each(subject: Subject) -> list[list[str | float]]:
    """Blank one feature at a time; the features that matter most come first."""
    rows, outcomes = subject.sample
    places = np.arange(min(len(rows), MOST_ROWS_EACH))
    part = rows.take(places)
    known = outcomes.take(places)
    before = subject.main_value(known, known.scores)
    rng = np.random.default_rng(subject.spec.seed)
    ranked = [found["feature"] for found in subject.importance]
    found: list[list[str | float]] = []
    for feature in (ranked or list(rows.layout.positions))[:MOST_FEATURES]:
        losses = [
            before
            - subject.main_value(
                known,
                subject.scores(
                    changes.with_missing(part, [feature], percent / 100, rng)
                ),
            )
            for percent in MISSING_RATES
        ]
        found.append([feature, *losses])
    return found


def _worst(figures: list[Figure]) -> str:
    worst = max(figures, key=lambda found: found.value)
    return f"The largest loss is {worst.value:.3g} ({worst.title.lower()})."
