"""Everything that changes validation plans, reports and findings."""

from apps.validation.actions.findings import (
    NewFinding,
    accept_finding,
    answer_finding,
    close_finding,
    hand_over_finding,
    raise_finding,
    reopen_finding,
)
from apps.validation.actions.plans import write_plan
from apps.validation.actions.reports import (
    download_report,
    finish_report,
    request_report,
)
from apps.validation.actions.telling import remind_of_finding

__all__ = [
    "NewFinding",
    "accept_finding",
    "answer_finding",
    "close_finding",
    "download_report",
    "finish_report",
    "hand_over_finding",
    "raise_finding",
    "remind_of_finding",
    "reopen_finding",
    "request_report",
    "write_plan",
]
