"""Columns that people want to see in the table of an experiment's runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.experiments.models.experiments import Experiment

if TYPE_CHECKING:
    from apps.accounts.models import User


class ColumnChoiceQuerySet(models.QuerySet["ColumnChoice"]):
    """What people chose to see."""

    def visible_to(self, user: User) -> Self:
        """Only one's own."""
        return self.filter(owner_id=user.pk)

    def keep(self, *, owner: User, experiment: Experiment, columns: list[str]) -> None:
        """Remember columns in place of those chosen before."""
        self.update_or_create(
            owner_id=owner.pk, experiment=experiment, defaults={"columns": columns}
        )


class ColumnChoice(models.Model):
    """Which columns one person looks at in one experiment; nobody else sees it."""

    id = models.BigAutoField(primary_key=True)
    owner_id = models.UUIDField(editable=False)
    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Keys as people write them in a filter: `metrics.loss`, `start_time`.
    columns = models.JSONField(default=list)

    objects = ColumnChoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "owner_id"], name="one_choice_of_columns"
            )
        ]

    def __str__(self) -> str:
        return f"columns of {self.owner_id} in {self.experiment_id}"
