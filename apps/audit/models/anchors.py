"""What is owed to the anchors, and what they gave back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class PublicationState(models.TextChoices):
    """Whether an anchor took a checkpoint."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"


class Publication(models.Model):
    """A checkpoint that one anchor is to take, until it has taken it.

    The tree up to `size` was the whole trail at `created_at`; from then on counts the
    age by which an anchor is late. While an attempt runs, `due_at` lies after its end.
    A log that begins anew after a loss has another origin and owes everything again.
    """

    target = models.CharField(max_length=400)
    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    state = models.CharField(
        max_length=16,
        choices=PublicationState.choices,
        default=PublicationState.WAITING,
    )
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["target", "origin", "-id"], name="audit_by_anchor")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "origin"],
                condition=Q(state=PublicationState.WAITING),
                name="audit_one_publication_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=PublicationState.WAITING, done_at__isnull=True)
                | Q(state=PublicationState.DONE, done_at__isnull=False),
                name="audit_publication_done_at",
            ),
        ]

    def __str__(self) -> str:
        return f"Checkpoint {self.size} for {self.target}"


class Cosignature(models.Model):
    """The line of a witness below a checkpoint."""

    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    key_name = models.CharField(max_length=255)
    line = models.TextField()
    signed_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["origin", "-size"], name="audit_cosigned_size")]

    def __str__(self) -> str:
        return f"{self.key_name} on checkpoint {self.size}"


class Timestamp(models.Model):
    """The answer of a time-stamping authority about a checkpoint."""

    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    target = models.CharField(max_length=400)
    token = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["origin", "-size"], name="audit_stamped_size")]

    def __str__(self) -> str:
        return f"{self.target} on checkpoint {self.size}"
