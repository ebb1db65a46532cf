"""The rule of sensitivity, stated once: what it demands of access and of hints.

1. Data stated to be CUI or PII is restricted: stating it restricts the dataset and
   shows it to its steward, and while it stands nobody can open the dataset to all
   members.
2. Data is not public while a hint at personal data waits for the steward, or once the
   steward confirmed one.
3. Where the steward confirmed personal data, the sensitivity is PII, or CUI.
"""

from __future__ import annotations

from django.db import models


class Sensitivity(models.TextChoices):
    """How sensitive the most sensitive value of a dataset is."""

    PUBLIC = "public", "Public"
    INTERNAL = "internal", "Internal"
    CUI = "cui", "Controlled unclassified information (CUI)"
    PII = "pii", "Personally identifiable information (PII)"


RESTRICTING = frozenset({Sensitivity.CUI, Sensitivity.PII})
RULE = (
    "CUI and PII restrict the dataset: only people granted it, program managers and "
    "readers of every project see it. It can be public only when the steward "
    "dismissed every hint at personal data, and must be PII or CUI once the steward "
    "confirmed one."
)


def fault(sensitivity: str, *, undecided: int, confirmed: int) -> str:
    """Say why data with these hints cannot be of this sensitivity; empty when it can.

    Args:
        sensitivity: a value of `Sensitivity`, or empty when nothing is stated.
        undecided: hints that wait for the steward, over all versions.
        confirmed: hints that the steward confirmed, over all versions.
    """
    if not sensitivity or sensitivity in RESTRICTING:
        return ""
    if confirmed:
        return (
            "The steward confirmed that a column holds personal data, so choose PII "
            "or CUI."
        )
    if undecided and sensitivity == Sensitivity.PUBLIC:
        hints = "hint waits" if undecided == 1 else "hints wait"
        return (
            f"{undecided} {hints} for the steward to say whether a column holds "
            "personal data; until then this cannot be public."
        )
    return ""
