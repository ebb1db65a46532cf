"""How good predictions are, with intervals."""

from engine.evaluation.shape import Family, Figure
from engine.evaluation.subject import Subject
from engine.spec import family_of, measures_for


def compute(subject: Subject) -> Family:
    """List the measures that belong to no other family."""
    return Family(
        "performance",
        f"{subject.main_title} is {subject.values[subject.main]:.3g} on "
        f"{len(subject.table):,} rows that the model has not learned from.",
        figures=measured(subject, "performance"),
    )


def measured(subject: Subject, family: str) -> list[Figure]:
    """Return the measures of one family as figures with their intervals."""
    return [
        Figure(
            measure.slug,
            measure.title,
            subject.values[measure.slug],
            measure.unit,
            *subject.intervals[measure.slug],
        )
        for measure in measures_for(subject.spec.task)
        if measure.slug in subject.values and family_of(measure.slug) == family
    ]
