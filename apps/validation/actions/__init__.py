"""Everything that changes validation plans and reports."""

from apps.validation.actions.plans import write_plan
from apps.validation.actions.reports import finish_report, request_report

__all__ = [
    "finish_report",
    "request_report",
    "write_plan",
]
