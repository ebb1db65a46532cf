"""Data about one thing, whatever version of it."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.core.ids import new_id
from apps.datasets.sensitivity import RESTRICTING
from apps.projects.models import Project, Restrictable, Sharing


class Dataset(Restrictable):
    """Data about one thing, in versions that never change."""

    sharing = Sharing(
        noun="dataset",
        permission=Permission.DATASET_GRANT,
        with_outsiders=False,
        restricted=EventType.DATASET_RESTRICTED,
        opened=EventType.DATASET_OPENED,
        granted=EventType.DATASET_GRANTED,
        grant_revoked=EventType.DATASET_GRANT_REVOKED,
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="datasets"
    )
    name = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="one_dataset_per_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project.slug}/{self.name}"

    def get_absolute_url(self) -> str:
        return reverse("datasets:dataset", args=[self.pk])

    def reason_to_stay_restricted(self) -> str:
        """Say that the datasheet states what keeps the dataset restricted."""
        newest = self.datasheets.order_by("-number").first()
        if newest is None or newest.sensitivity not in RESTRICTING:
            return ""
        return (
            f"The datasheet states {newest.sensitivity.upper()}, which keeps this "
            "dataset restricted. State another sensitivity there first."
        )
