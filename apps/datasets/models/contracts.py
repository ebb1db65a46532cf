"""What every new version of a dataset is expected to hold, in revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from apps.core.ids import new_id
from apps.datasets.models.datasets import Dataset
from apps.projects.models import Project
from engine.spec import Contract

if TYPE_CHECKING:
    from apps.accounts.models import User


class ContractRevisionQuerySet(models.QuerySet["ContractRevision"]):
    """Reads of contract revisions."""

    def visible_to(self, user: User) -> Self:
        """Revisions for the datasets that `user` can see."""
        return self.filter(dataset__in=Dataset.objects.visible_to(user))


class ContractRevision(models.Model):
    """A data contract as it stood from one moment to the next; it never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="contract_revisions"
    )
    number = models.PositiveIntegerField()
    # engine.spec.Contract as JSON, checked when it was saved.
    content = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    saved_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField(default=timezone.now)

    objects = ContractRevisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="one_contract_per_revision"
            )
        ]

    def __str__(self) -> str:
        return f"revision {self.number} of the contract of {self.dataset}"

    @property
    def project(self) -> Project:
        """The project that owns the dataset."""
        return self.dataset.project

    def contract(self) -> Contract:
        """The contract itself, which names this revision in its messages."""
        return Contract.from_json({**self.content, "revision": self.number})
