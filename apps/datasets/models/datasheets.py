"""What people state about a dataset, and what they decide about personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import new_id
from apps.datasets.datasheet_fields import definition
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.versions import DatasetVersion
from apps.datasets.sensitivity import Sensitivity
from apps.projects.models import Membership, Project

if TYPE_CHECKING:
    from collections.abc import Iterable


class DatasheetQuerySet(models.QuerySet["Datasheet"]):
    """Reads of datasheets."""

    def newest_of(self, datasets: Iterable[Dataset]) -> Self:
        """The newest revision of each dataset, with whether its steward is a member."""
        steward = Membership.objects.filter(
            project=OuterRef("dataset__project"), user=OuterRef("steward")
        )
        return (
            self.filter(dataset__in=[dataset.pk for dataset in datasets])
            .order_by("dataset_id", "-number")
            .distinct("dataset_id")
            .select_related("steward", "written_by")
            .annotate(has_steward=Exists(steward))
        )


class Datasheet(models.Model):
    """One revision of what is stated about a dataset; a change is a new one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="datasheets"
    )
    number = models.PositiveIntegerField()
    # Version of the file of questions it was written under.
    definition_version = models.PositiveIntegerField()
    steward = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    sensitivity = models.CharField(
        max_length=16, choices=Sensitivity.choices, blank=True
    )
    # Slug of a question -> text.
    answers = models.JSONField(default=dict)
    # Slugs of the questions answered otherwise than in the revision before.
    changed = models.JSONField(default=list)
    written_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)

    if TYPE_CHECKING:
        has_steward: bool  # of `newest_of`

    objects = DatasheetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="one_datasheet_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"datasheet {self.number} of {self.dataset}"

    def get_absolute_url(self) -> str:
        return reverse(
            "datasets:datasheet_revision", args=[self.dataset_id, self.number]
        )

    @property
    def project(self) -> Project:
        """The project of the dataset."""
        return self.dataset.project

    @property
    def changed_titles(self) -> list[str]:
        """The questions answered otherwise than in the revision before."""
        fields = definition().fields
        return [fields[slug].title for slug in self.changed if slug in fields]

    def answer(self, slug: str) -> str:
        """Return what was said to one question, as text; empty when nothing was."""
        said: dict[str, Any] = {
            **self.answers,
            "steward": self.steward.full_name if self.steward else "",
            "sensitivity": self.get_sensitivity_display(),
        }
        return str(said.get(slug, ""))


class HintDecision(models.TextChoices):
    """What the steward says about a hint."""

    UNDECIDED = "undecided", "Undecided"
    CONFIRMED = "confirmed", "Personal data"
    DISMISSED = "dismissed", "Not personal data"


class PersonalDataHintQuerySet(models.QuerySet["PersonalDataHint"]):
    """Reads of hints."""

    def visible_to(self, user: Any) -> Self:
        """Hints on the datasets that `user` can see."""
        visible = Dataset.objects.visible_to(user)
        return self.filter(version__dataset__in=visible)

    def undecided(self) -> Self:
        """Hints that wait for the steward."""
        return self.filter(decision=HintDecision.UNDECIDED)


class PersonalDataHint(models.Model):
    """A column whose values look personal, found when a version was read."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="personal_hints"
    )
    column = models.TextField()
    kind = models.CharField(max_length=60)
    matches = models.BigIntegerField()
    share = models.FloatField()
    example_masked = models.CharField(max_length=255, blank=True)
    decision = models.CharField(
        max_length=16, choices=HintDecision.choices, default=HintDecision.UNDECIDED
    )
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    objects = PersonalDataHintQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "column", "kind"],
                name="one_hint_per_column_and_kind",
            ),
            models.CheckConstraint(
                name="hint_decided_by_somebody",
                condition=Q(
                    decision="undecided", decided_by=None, decided_at__isnull=True
                )
                | ~Q(decision="undecided")
                & Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"hint on {self.column} of {self.version}"

    @property
    def project(self) -> Project:
        """The project of the dataset."""
        return self.version.project

    @property
    def kind_words(self) -> str:
        """The kind as a person would say it."""
        return self.kind.replace("_", " ")
