"""What the portal knew when the report was asked for."""

import math

from engine.evaluation.shape import Family, Figure, NotTested, figure, table
from engine.evaluation.subject import Subject
from engine.spec import CHECKS, Fact


def compute(subject: Subject) -> Family:
    """List the facts with what they rest on."""
    facts = subject.spec.facts
    if not facts:
        raise NotTested("The portal gave no facts with this report.")
    known = sum(fact.value is not None for fact in facts)
    rows = [
        [_title(fact), fact.value, fact.reason, fact.source, fact.digest]
        for fact in facts
    ]
    return Family(
        "portal",
        f"The portal knew {known} of {len(facts)} facts when the report was asked for.",
        figures=[_figure(fact) for fact in facts],
        tables=[
            table("Facts", ("Fact", "Value", "Reason", "Source", "SHA-256"), rows),
        ],
    )


def _figure(fact: Fact) -> Figure:
    value = math.nan if fact.value is None else fact.value
    if fact.slug in CHECKS:
        return figure(fact.slug, value)
    return Figure(fact.slug, fact.slug, value, "")


def _title(fact: Fact) -> str:
    return CHECKS[fact.slug].title if fact.slug in CHECKS else fact.slug
