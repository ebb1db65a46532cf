"""Everything that changes validation plans and reports."""

from apps.validation.actions.plans import write_plan
from apps.validation.actions.reports import (
    cancel_report,
    finish_report,
    request_report,
    requeue_report,
    resend_report,
    start_report,
)

__all__ = [
    "cancel_report",
    "finish_report",
    "request_report",
    "requeue_report",
    "resend_report",
    "start_report",
    "write_plan",
]
