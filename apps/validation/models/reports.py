"""Validation plans, written before results are seen, and the reports they judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.core.ids import new_id
from apps.core.status import Kind
from apps.datasets.models import Dataset, SealedPart
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project
from apps.registry.models import ModelVersion, RegisteredModel
from apps.validation.criteria import in_words

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User


class ValidationPlanQuerySet(models.QuerySet["ValidationPlan"]):
    """Reads of validation plans."""

    def visible_to(self, user: User) -> Self:
        """Plans of the models that `user` can see."""
        return self.filter(model__in=RegisteredModel.objects.visible_to(user))

    def with_reports_seen(self) -> Self:
        """Add `reports_seen`: those on the model that were finished by then."""
        earlier = ValidationReport.objects.finished().filter(
            version__model=OuterRef("model"), finished_at__lt=OuterRef("written_at")
        )
        counted = earlier.order_by().values("version__model").annotate(n=Count("pk"))
        number = Subquery(counted.values("n"), output_field=models.IntegerField())
        return self.annotate(reports_seen=Coalesce(number, 0))


class ValidationPlan(models.Model):
    """Acceptance criteria for the versions of one model; a change is a new plan."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="validation_plans"
    )
    number = models.PositiveIntegerField()
    # [{"measure", "operator": ">=" or "<=", "threshold", "blocking"}]
    criteria = models.JSONField()
    subgroup_columns = models.JSONField(default=list)
    # Whether only a report on the sealed rows can make a version validated.
    sealed_decides = models.BooleanField(default=False)
    # Compared with this version; None: with the champion when a report is asked for.
    champion = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The objective of the project as it was stated then: measure, unit, direction,
    # baseline, target, false_alarm_cost and miss_cost. Empty when none was.
    mission = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    written_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)
    # Of `with_reports_seen`.
    reports_seen: int

    objects = ValidationPlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "number"], name="one_plan_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"validation plan {self.number} of {self.model}"

    def get_absolute_url(self) -> str:
        return reverse("validation:plan", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the model."""
        return self.model.project

    @property
    def title(self) -> str:
        """Its name beside its model."""
        return f"Validation plan {self.number}"

    @property
    def criteria_in_words(self) -> list[str]:
        """Each criterion as a person would say it."""
        return [in_words(criterion) for criterion in self.criteria]

    @property
    def terms(self) -> dict[str, Any]:
        """What it fixes beside criteria and columns; only what somebody chose."""
        chosen: dict[str, Any] = {}
        if self.sealed_decides:
            chosen["sealed_decides"] = True
        if self.champion:
            chosen["champion"] = self.champion.number
        if self.mission:
            chosen["mission"] = self.mission
        return chosen

    @property
    def terms_in_words(self) -> list[str]:
        """Each of its terms as a person would say it."""
        said = []
        if self.sealed_decides:
            said.append(SEALED_DECIDES)
        if self.champion:
            said.append(f"Versions are compared with version {self.champion.number}.")
        if self.mission:
            said.append(_mission_in_words(self.mission))
        return said


SEALED_DECIDES = "Only a report on the sealed rows can make a version validated."


def _mission_in_words(mission: dict[str, Any]) -> str:
    unit = mission["unit"]
    return (
        f"A false alarm costs {mission['false_alarm_cost']:,g} {unit} and a miss "
        f"{mission['miss_cost']:,g}; {mission['measure']} is "
        f"{mission['baseline']:,g} {unit} today, and the target is "
        f"{mission['target']:,g}."
    )


class Verdict(models.TextChoices):
    """What a check or a report says."""

    PASS = "pass", "Pass"  # not a password
    WARN = "warn", "Warning"
    FAIL = "fail", "Fail"
    NOT_TESTED = "not_tested", "Not tested"


# What was not tested is shown as plainly as what failed.
KIND_OF_VERDICT: dict[str, Kind] = {
    Verdict.PASS: Kind.SUCCESS,
    Verdict.WARN: Kind.WARNING,
    Verdict.FAIL: Kind.ERROR,
    Verdict.NOT_TESTED: Kind.WARNING,
}


class ValidationReportQuerySet(JobQuerySet["ValidationReport"]):
    """Reads of validation reports."""

    def visible_to(self, user: User) -> Self:
        """Reports of the model versions that `user` can see."""
        return self.filter(version__in=ModelVersion.objects.visible_to(user))

    def under_way(self) -> Self:
        """Reports that a worker has or will take."""
        return self.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])

    def finished(self) -> Self:
        """Reports that say something, newest first."""
        return self.filter(status=JobStatus.SUCCEEDED).order_by("-number")

    def with_standing(self) -> Self:
        """Add `current_id`: of the newest report on its version that says something."""
        same = ValidationReport.objects.filter(version=OuterRef("version"))
        return self.annotate(current_id=Subquery(same.finished().values("pk")[:1]))


class Rows(models.TextChoices):
    """Which rows a version is measured on; its run has seen neither."""

    HELD_OUT = "held_out", "Rows held out by its training"
    SEALED = "sealed", "Sealed rows of its dataset"


class ValidationReport(BackgroundJob):
    """What a worker measured on held-out data, judged by the plan of that moment."""

    kind = JobKind(
        task="validation.compute_report",
        events={
            JobStatus.QUEUED: EventType.REPORT_REQUEUED,
            JobStatus.RUNNING: EventType.REPORT_STARTED,
            JobStatus.SUCCEEDED: EventType.REPORT_FINISHED,
            JobStatus.FAILED: EventType.REPORT_FAILED,
            JobStatus.CANCELLED: EventType.REPORT_CANCELLED,
        },
        cancel_requested=EventType.REPORT_CANCEL_REQUESTED,
        cancel_permission=Permission.REPORT_REQUEST,
        lost_message="Attempts made: {attempts}; each time the worker stopped "
        "unexpectedly. The data may be too large for it; ask an operator before you "
        "try again.",
    )

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="validation_reports"
    )
    number = models.PositiveIntegerField()
    plan = models.ForeignKey(
        ValidationPlan, on_delete=models.PROTECT, related_name="reports"
    )
    # The version that held the champion alias when the report was asked for.
    champion = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # What the engine gets: engine.spec.EvaluateSpec as JSON, fixed at the request.
    spec = models.JSONField()
    evaluated_on = models.CharField(
        max_length=16, choices=Rows.choices, default=Rows.HELD_OUT
    )
    # The unit of every cost in spec and result; empty when no objective was stated.
    cost_unit = models.CharField(max_length=60, blank=True)
    verdict = models.CharField(max_length=16, choices=Verdict.choices, blank=True)
    result = models.JSONField(default=dict)
    # SHA-256 of the result as canonical JSON (RFC 8785).
    result_digest = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Of `with_standing`.
    current_id: UUID | None

    objects = ValidationReportQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["version", "number"], name="one_report_per_number"
            ),
            models.CheckConstraint(
                name="report_succeeded_has_verdict",
                condition=~Q(status="succeeded")
                | (~Q(verdict="") & ~Q(result_digest="")),
            ),
        ]

    def __str__(self) -> str:
        return f"validation report {self.number} of {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("validation:report", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the model version."""
        return self.version.project

    @property
    def title(self) -> str:
        """Its name beside its version."""
        return f"Validation report {self.number}"

    @property
    def decides(self) -> bool:
        """Say whether it can make its version validated, by its plan."""
        return self.evaluated_on == Rows.SEALED or not self.plan.sealed_decides

    @property
    def verdict_kind(self) -> Kind:
        """What the verdict means to the reader."""
        return KIND_OF_VERDICT.get(self.verdict, Kind.NEUTRAL)

    @property
    def is_current(self) -> bool:
        """Say whether it is the newest that says something; needs `with_standing`."""
        return self.current_id == self.pk

    @property
    def superseded_by(self) -> UUID | None:
        """Name the report that took its place, if one did; needs `with_standing`."""
        is_old = self.status == JobStatus.SUCCEEDED and not self.is_current
        return self.current_id if is_old else None


class SealedLookQuerySet(models.QuerySet["SealedLook"]):
    """Reads of looks."""

    def visible_to(self, user: User) -> Self:
        """Looks of the models that `user` can see."""
        return self.filter(model__in=RegisteredModel.objects.visible_to(user))


class SealedLook(models.Model):
    """One measuring of a model family on sealed rows, counted when it is asked for.

    It counts whatever becomes of the report: nobody can tell afterwards what was seen.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    report = models.OneToOneField(
        ValidationReport, on_delete=models.PROTECT, related_name="look"
    )
    part = models.ForeignKey(SealedPart, on_delete=models.PROTECT, related_name="looks")
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="sealed_looks"
    )
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="sealed_looks"
    )
    # Among the looks of its model family at the sealed data of its dataset, from 1.
    number = models.PositiveIntegerField()
    # The budget of the moment.
    allowed = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    objects = SealedLookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "dataset", "number"], name="one_look_per_number"
            ),
            models.CheckConstraint(
                name="look_within_its_budget",
                condition=Q(number__gte=1, number__lte=F("allowed")),
            ),
        ]

    def __str__(self) -> str:
        return f"look {self.number} of {self.model} at {self.dataset}"

    @property
    def project(self) -> Project:
        """The project of the model."""
        return self.model.project
