"""Waivers of minimum practices, their end, and what was reported of both."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.approvals.practices import practices
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

# What is granted or revoked is reported within so many days.
REPORT_DAYS = 30
# A waiver is looked at anew every year.
MOST_WAIVER_DAYS = 365
# So many days before its end people are told.
ENDING_DAYS = 30


class Ground(models.TextChoices):
    """What the written finding says that the practice would do."""

    RAISES_RISK = (
        "raises_risk",
        "The practice would raise the risk to safety or rights overall",
    )
    IMPEDES = (
        "impedes_operations",
        "The practice would unacceptably impede critical operations",
    )


class Reported(models.TextChoices):
    """What a report to OMB tells of."""

    GRANTING = "granting", "Granting"
    REVOKING = "revoking", "Revoking"


class WaiverQuerySet(models.QuerySet["Waiver"]):
    """Reads of waivers."""

    def visible_to(self, user: User) -> Self:
        """Those of the projects that `user` can see."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def active(self, today: date | None = None) -> Self:
        """Those that were not revoked and are not over."""
        today = today or timezone.localdate()
        return self.filter(revocation=None, expires_on__gte=today)

    def ending_soon(self, today: date | None = None) -> Self:
        """Active ones whose last day is near."""
        today = today or timezone.localdate()
        return self.active(today).filter(
            expires_on__lte=today + timedelta(days=ENDING_DAYS)
        )

    def to_report(self) -> Self:
        """Those of which the granting or the revoking was not reported yet."""
        granting = ~Q(pk__in=_reported(Reported.GRANTING))
        revoking = ~Q(pk__in=_reported(Reported.REVOKING))
        return self.filter(granting | Q(revocation__isnull=False) & revoking)

    def with_story(self) -> Self:
        """Join what a page or a list shows of each."""
        return self.select_related(
            "project", "signer", "revocation__signer"
        ).prefetch_related("reports__recorded_by")


def _reported(what: Reported) -> models.QuerySet[WaiverReport, Any]:
    return WaiverReport.objects.filter(what=what).values("waiver")


class SignedExceptionally(models.Model):
    """What every signature outside of a stage keeps: who, when, how, and the text."""

    signer = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    # Name, title and organisation of the signer at that moment.
    signer_name = models.CharField(max_length=150)
    signer_title = models.CharField(max_length=150, blank=True)
    signer_organisation = models.CharField(max_length=150, blank=True)
    signed_at = models.DateTimeField(default=timezone.now)
    time_zone = models.CharField(max_length=64, default="UTC")
    method = models.CharField(max_length=40, default="password")
    # Canonical JSON (RFC 8785) as it was signed; the trail holds its SHA-256. Empty
    # when the signer was erased.
    record = models.TextField(blank=True)
    record_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True


class Waiver(SignedExceptionally):
    """Minimum practices that one use need not follow until a day; never edited."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The use: a project is one use of machine learning for one mission.
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="waivers"
    )
    practices = ArrayField(models.CharField(max_length=40))
    ground = models.CharField(max_length=24, choices=Ground.choices)
    # The assessment of this use, written for it.
    finding = models.TextField()
    # What the public reads of it.
    public_summary = models.TextField()
    # The last day on which it counts.
    expires_on = models.DateField()

    objects = WaiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="waiver_names_practices",
                condition=Q(practices__len__gte=1),
            ),
            models.CheckConstraint(
                name="waiver_has_finding_and_summary",
                condition=~Q(finding="") & ~Q(public_summary=""),
            ),
        ]

    def __str__(self) -> str:
        return f"waiver for {self.project}"

    def get_absolute_url(self) -> str:
        return reverse("approvals:waiver", args=[self.pk])

    @property
    def standing(self) -> str:
        """Where it stands today, in a word."""
        if hasattr(self, "revocation"):
            return "revoked"
        return "over" if self.expires_on < timezone.localdate() else "active"

    @property
    def practice_titles(self) -> list[str]:
        """The official names of what is waived."""
        return [practices()[slug].title for slug in self.practices]

    @property
    def report_due_on(self) -> date:
        """The last day to report that it was granted."""
        return _due(self)

    @property
    def duties(self) -> list[Duty]:
        """What must be reported of it, each with what was."""
        reports = {one.what: one for one in self.reports.all()}
        begun = [(Reported.GRANTING, self.report_due_on)]
        if hasattr(self, "revocation"):
            begun.append((Reported.REVOKING, self.revocation.report_due_on))
        return [Duty(what, due_on, reports.get(what)) for what, due_on in begun]


class WaiverRevocation(SignedExceptionally):
    """The end of a waiver before its day: a record of its own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    waiver = models.OneToOneField(
        Waiver, on_delete=models.PROTECT, related_name="revocation"
    )
    reason = models.TextField()

    def __str__(self) -> str:
        return f"revocation of the {self.waiver}"

    @property
    def report_due_on(self) -> date:
        """The last day to report that the waiver was revoked."""
        return _due(self)


class WaiverReport(models.Model):
    """That the granting or the revoking of a waiver was reported to OMB."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    waiver = models.ForeignKey(Waiver, on_delete=models.PROTECT, related_name="reports")
    what = models.CharField(max_length=12, choices=Reported.choices)
    reported_on = models.DateField()
    # Under which number or address it can be found.
    reference = models.CharField(max_length=200)
    recorded_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["waiver", "what"], name="one_report_per_waiver_and_deed"
            )
        ]

    def __str__(self) -> str:
        return f"report on {self.get_what_display().lower()} the {self.waiver}"


class Duty:
    """Something to be reported by a day, and the report on it.

    Args:
        what: granting or revoking.
        due_on: the last day.
        report: None while there is none.
    """

    def __init__(
        self, what: Reported, due_on: date, report: WaiverReport | None
    ) -> None:
        self.what, self.due_on, self.report = what, due_on, report

    @property
    def label(self) -> str:
        """What it tells of, for people."""
        return str(self.what.label)

    @property
    def is_overdue(self) -> bool:
        """Say whether its day passed without a report."""
        return self.report is None and self.due_on < timezone.localdate()


def forget_exceptional_signer(person: User) -> None:
    """Take the name of an erased person out of what they signed, which stays."""
    for kind in SignedExceptionally.__subclasses__():
        kind.objects.filter(signer=person).update(  # type: ignore[attr-defined]
            signer_name=person.full_name,
            signer_title="",
            signer_organisation="",
            record="",
        )


def _due(signed: SignedExceptionally) -> date:
    return timezone.localdate(signed.signed_at) + timedelta(days=REPORT_DAYS)
