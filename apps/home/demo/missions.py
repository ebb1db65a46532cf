"""What the demonstration's models are for, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.projects.actions import ObjectiveStatement


@dataclass(frozen=True)
class Mission:
    """What a project is for."""

    slug: str
    name: str
    mission: str
    impact_reason: str
    objective: ObjectiveStatement | None = None


STRIKES = Mission(
    slug="strike-inspection",
    name="Wildlife-strike inspection",
    mission="After every reported wildlife strike a crew inspects the aircraft, yet "
    "only one strike in ten does damage. Say from the report which aircraft to inspect "
    "first, so that crews go where it matters and no damaged aircraft flies on.",
    impact_reason="Advises inspection crews; a person decides about every aircraft, "
    "and rules that require an inspection stay in force.",
    objective=ObjectiveStatement(
        measure="Crew hours per 1,000 reported strikes, missed damage included",
        unit="hours",
        direction="lower",
        # Inspecting all: 894 undamaged aircraft in 1,000 take 2 hours each.
        baseline=1788.0,
        target=1400.0,
        false_alarm_cost=2.0,
        miss_cost=30.0,
    ),
)
DIGITS = Mission(
    slug="form-digits",
    name="Form digitisation",
    mission="Read handwritten digits on paper forms, so that clerks type only what the "
    "model is unsure of.",
    impact_reason="Clerks check every field before a form counts.",
)

STRIKE_FEATURES = (
    ("Aircraft Make Model", "category"),
    ("Aircraft Airline Operator", "category"),
    ("Origin State", "category"),
    ("Phase of flight", "category"),
    ("Wildlife Size", "category"),
    ("Wildlife Species", "category"),
    ("Time of day", "category"),
    ("Speed IAS in knots", "number"),
    ("Flight Date", "date"),
)
STRIKE_CRITERIA = (
    ("mission_cost_per_1000", "<=", 1400.0, True),
    ("recall", ">=", 0.70, True),
    ("roc_auc", ">=", 0.75, True),
    ("calibration_error", "<=", 0.05, False),
    ("balanced_accuracy", ">=", 0.72, False),
)
DIGIT_CRITERIA = (
    ("accuracy", ">=", 0.95, True),
    ("balanced_accuracy", ">=", 0.95, True),
    ("macro_f1", ">=", 0.98, False),
)
STRIKE_CARD = {
    "intended_use": "Order the inspection queue after reported wildlife strikes.",
    "out_of_scope_use": "Skipping an inspection that a rule requires; strikes outside "
    "the United States; aircraft types that the data does not hold.",
    "limitations": "Reports from 1990 to 2002. Speed is missing in more than a quarter "
    "of them. Species is often a guess.",
    "human_oversight": "The duty officer sees the order and the reason, and may change "
    "it; every change is noted.",
}
DIGIT_CARD = {
    "intended_use": "Propose a digit for each box of a scanned form.",
    "out_of_scope_use": "Letters, signatures, and forms that nobody checks.",
    "limitations": "Images of 8 by 8 points; other scanners were not tried.",
    "human_oversight": "A clerk confirms every field.",
}
