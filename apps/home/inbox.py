"""What waits for one person, from facts, and what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from apps.approvals.models import ApprovalRequest, ApprovalStatus, Condition
from apps.approvals.queries import owned_conditions, with_stages
from apps.approvals.waiting import waiting_for
from apps.core.rest import Page, keyset_page
from apps.datasets.models import DatasetVersion
from apps.home.queries import LIST_LENGTH, RECENT
from apps.jobs.models import JobStatus
from apps.notices.models import Notice
from apps.training.models import CodeJob, Regeneration, TrainingJob
from apps.validation.findings import to_answer, to_close
from apps.validation.models import Finding, ValidationReport

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import QueryDict

    from apps.accounts.models import User

NEWS_SHOWN = 20
MOST_COUNTED = 100


@dataclass(frozen=True)
class Failure:
    """A piece of work of mine that ended badly."""

    kind: str
    title: str
    url: str
    message: str
    at: datetime


@dataclass(frozen=True)
class Inbox:
    """What waits for one person, and what of their work failed lately."""

    to_sign: list[ApprovalRequest]
    conditions: list[Condition]
    findings: list[Finding]
    failures: list[Failure]


@dataclass(frozen=True)
class News:
    """What somebody was told: a page of what waits to be read, and one of the rest."""

    unread: Page
    earlier: Page


def inbox(user: User) -> Inbox:
    """Gather what `user` can do now, computed from how things stand."""
    return Inbox(
        to_sign=list(with_stages(waiting_for(user)).order_by("-pk")[:LIST_LENGTH]),
        conditions=list(owned_conditions(user)[:LIST_LENGTH]),
        findings=[*to_answer(user)[:LIST_LENGTH], *to_close(user)[:LIST_LENGTH]],
        failures=_failures(user, timezone.now() - RECENT),
    )


def decided(user: User) -> list[ApprovalRequest]:
    """List what was decided lately of what `user` asked for."""
    found = with_stages(ApprovalRequest.objects.visible_to(user)).filter(
        requested_by=user, status_at__gte=timezone.now() - RECENT
    )
    own_doing = [ApprovalStatus.IN_REVIEW, ApprovalStatus.WITHDRAWN]
    return list(
        found.exclude(status__in=own_doing).order_by("-closed_at")[:LIST_LENGTH]
    )


def news(user: User, query: QueryDict) -> News:
    """Take the pages of news that a query string asks for, each by its own key."""
    told = Notice.objects.visible_to(user)
    return News(
        unread=keyset_page(told.unread(), after=query.get("after"), limit=NEWS_SHOWN),
        earlier=keyset_page(told.read(), after=query.get("earlier"), limit=NEWS_SHOWN),
    )


def count_of_news(user: User) -> int:
    """Count what waits to be read, up to a hundred; one look at one index."""
    return Notice.objects.visible_to(user).unread()[:MOST_COUNTED].count()


def _failures(user: User, since: datetime) -> list[Failure]:
    trained = TrainingJob.objects.visible_to(user).filter(launched_by=user)
    coded = CodeJob.objects.visible_to(user).filter(launched_by=user)
    read = DatasetVersion.objects.visible_to(user).filter(uploaded_by=user)
    measured = ValidationReport.objects.visible_to(user).filter(requested_by=user)
    repeated = Regeneration.objects.visible_to(user).filter(asked_by=user)
    found = [
        *_failed("Training job", trained.select_related("experiment"), since),
        *_failed("Own code", coded.select_related("experiment"), since),
        *_failed("Dataset version", read.select_related("dataset__project"), since),
        *_failed(
            "Validation report",
            measured.select_related("version__model__project"),
            since,
        ),
        *_failed(
            "Regeneration", repeated.select_related("run__experiment__project"), since
        ),
    ]
    return sorted(found, key=lambda failure: failure.at, reverse=True)


def _failed(kind: str, jobs: QuerySet[Any], since: datetime) -> list[Failure]:
    failed = jobs.filter(status=JobStatus.FAILED, finished_at__gte=since)
    return [
        Failure(
            kind, str(job), job.get_absolute_url(), job.failure_message, job.finished_at
        )
        for job in failed.order_by("-finished_at")[:LIST_LENGTH]
    ]
