"""Validation plans, the reports they judge, and what validators find."""

from apps.validation.models.findings import (
    FINDING_TRANSITIONS,
    Finding,
    FindingState,
    Severity,
)
from apps.validation.models.reports import (
    KIND_OF_VERDICT,
    SEALED_DECIDES,
    Rows,
    SealedLook,
    ValidationPlan,
    ValidationReport,
    Verdict,
)

__all__ = [
    "FINDING_TRANSITIONS",
    "KIND_OF_VERDICT",
    "SEALED_DECIDES",
    "Finding",
    "FindingState",
    "Rows",
    "SealedLook",
    "Severity",
    "ValidationPlan",
    "ValidationReport",
    "Verdict",
]
