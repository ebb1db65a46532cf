"""What is known of the demonstration's data, and what is expected of it."""

from typing import Any, Final

STRIKES: Final = {
    "source": "Wildlife strike reports to the Federal Aviation Administration, 1990 to "
    "2002, as published by the agency and shipped with the package vega-datasets.",
    "collection": "Pilots, airports and mechanics report strikes of their own accord. "
    "Whether there was damage is judged from the reported amount of damage.",
    "update_rhythm": "Once; later years are another dataset.",
    "authority": "Published by the agency for any use.",
    "licence": "U.S. Government work, public domain in the United States.",
    "retention": "Kept as long as a model that learned from it is in use.",
    "intended_use": "Order the inspection of aircraft after reported strikes.",
    "unfit_use": "Estimating how often strikes happen: many are never reported.",
    "known_bias": "Strikes with damage are reported more often than those without. "
    "Speed is missing in more than a quarter of the reports.",
}
# Not everything is answered, so that the portal has something to ask for.
DIGITS: Final = {
    "source": "Forms printed by the National Institute of Standards and Technology, "
    "reduced to 8 by 8 points, as shipped with scikit-learn.",
    "licence": "CC BY 4.0, with credit to the authors.",
}
NOBODY_NAMED: Final = "Names of airports, operators and species; no person is named."
# Of each digit the same share, which nobody sees.
DIGIT_SEAL: Final = {
    "method": "stratified",
    "ratio": 0.15,
    "column": "digit",
    "seed": 7,
}
CONTRACT_NOTE: Final = (
    "As proposed from the first delivery; nothing may be lost in a later one."
)


def expectations(rows: int) -> dict[str, Any]:
    """Give what the steward expects of the table beyond the proposal.

    Args:
        rows: how many the delivery before held; later ones hold no fewer.
    """
    return {
        "rows": {"low": rows, "severity": "block"},
        "no_others": {"severity": "warn"},
    }
