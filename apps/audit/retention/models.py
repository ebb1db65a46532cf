"""Segments of the trail that left it or may leave it, and what holds them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from apps.access.checks import has_agency_permission
from apps.access.permissions import Permission
from apps.core.errors import WrongState
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


def sees_retention(user: User) -> bool:
    """Say whether `user` reads the whole trail, or manages how long it is kept."""
    return any(
        has_agency_permission(user, permission)
        for permission in (Permission.AUDIT_READ, Permission.AUDIT_PRUNE)
    )


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Reads of archived segments."""

    def visible_to(self, user: User) -> Self:
        """All of them, for auditors and who manages what is kept."""
        return self if sees_retention(user) else self.none()

    def closed(self) -> Self:
        """What two people agreed to remove and what is not removed yet."""
        return self.filter(prune_requests__status=PruneStatus.APPROVED)

    def around(self, event_id: UUID) -> Self:
        """Closed and removed segments of the time in which an event was made."""
        gone = [PruneStatus.APPROVED, PruneStatus.DONE]
        return self.filter(
            prune_requests__status__in=gone,
            first_event__lte=event_id,
            last_event__gte=event_id,
        )


class Segment(models.Model):
    """A part of the sealed trail of which a verified archive exists.

    The row stays for ever: it says where the archive is and what it must hash to.
    """

    number = models.BigIntegerField(primary_key=True)
    first_leaf = models.BigIntegerField(unique=True)
    last_leaf = models.BigIntegerField()
    # The hash of the segment in the tree.
    root = models.BinaryField(max_length=32)
    # The lowest and highest id of its events, and their times.
    first_event = models.UUIDField()
    last_event = models.UUIDField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    archive_sha256 = models.CharField(max_length=64)
    archive_bytes = models.BigIntegerField()
    archived_at = models.DateTimeField(default=timezone.now)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        constraints = [
            # Whole tiles only, so that what is below one stored hash goes together.
            models.CheckConstraint(
                name="segment_fills_tiles",
                condition=Q(last_leaf__gt=F("first_leaf"))
                & Q(first_leaf=F("number") * (F("last_leaf") + 1 - F("first_leaf"))),
            ),
        ]

    def __str__(self) -> str:
        return f"segment {self.number} (events {self.first_leaf} to {self.last_leaf})"

    def get_absolute_url(self) -> str:
        return reverse("audit:segment", args=[self.number])


class PruneStatus(models.TextChoices):
    """Where the removal of a segment stands."""

    WAITING = "waiting", "Waiting for a second person"
    APPROVED = "approved", "Agreed, to be removed"
    DONE = "done", "Removed"
    WITHDRAWN = "withdrawn", "Stopped"


PRUNE_TRANSITIONS: dict[PruneStatus, frozenset[PruneStatus]] = {
    PruneStatus.WAITING: frozenset({PruneStatus.APPROVED, PruneStatus.WITHDRAWN}),
    PruneStatus.APPROVED: frozenset({PruneStatus.DONE, PruneStatus.WITHDRAWN}),
    PruneStatus.DONE: frozenset(),
    PruneStatus.WITHDRAWN: frozenset(),
}


class PruneRequestQuerySet(models.QuerySet["PruneRequest"]):
    """Reads of requests to prune."""

    def visible_to(self, user: User) -> Self:
        """All of them, for auditors and who manages what is kept."""
        return self if sees_retention(user) else self.none()


class PruneRequest(models.Model):
    """What an administrator asks an auditor to agree to: that a segment be removed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    segment = models.ForeignKey(
        Segment, models.PROTECT, related_name="prune_requests", db_constraint=False
    )
    reason = models.TextField()
    status = models.CharField(
        max_length=16, choices=PruneStatus.choices, default=PruneStatus.WAITING
    )
    # Ids of accounts, as everywhere in the trail.
    requested_by_id = models.UUIDField()
    requested_at = models.DateTimeField(default=timezone.now)
    decided_by_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    objects = PruneRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment"],
                condition=~Q(status="withdrawn"),
                name="one_prune_per_segment",
            ),
            models.CheckConstraint(
                name="prune_takes_two_people",
                condition=Q(status="waiting", decided_by_id__isnull=True)
                | Q(status="withdrawn", decided_by_id__isnull=False)
                | (
                    Q(status__in=["approved", "done"], decided_by_id__isnull=False)
                    & ~Q(decided_by_id=F("requested_by_id"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"request to prune {self.segment}"

    def get_absolute_url(self) -> str:
        return self.segment.get_absolute_url()

    @property
    def is_open(self) -> bool:
        """Say whether it can still be stopped."""
        return bool(PRUNE_TRANSITIONS[PruneStatus(self.status)])

    def advance(self, to: PruneStatus) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in PRUNE_TRANSITIONS[PruneStatus(self.status)]:
            raise WrongState(
                f"This request is {self.get_status_display().lower()} and cannot "
                f"become {to.label.lower()}."
            )
        self.status = to


class Pruning(models.Model):
    """That a segment was removed; written by the database, which checks that it may.

    The database adds the transaction in which the rows may go, and in no other.
    """

    segment = models.OneToOneField(
        Segment,
        models.PROTECT,
        primary_key=True,
        related_name="pruning",
        db_constraint=False,
    )
    request = models.OneToOneField(
        PruneRequest, models.PROTECT, related_name="pruning", db_constraint=False
    )
    # Where in the tree the agreement is sealed.
    approved_leaf = models.BigIntegerField()
    pruned_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"pruning of {self.segment}"


class HoldKind(models.TextChoices):
    """What a legal hold covers."""

    TRAIL = "trail", "The whole trail"
    PROJECT = "project", "A project"
    PERSON = "person", "A person"
    OBJECT = "object", "An object"


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    """Reads of legal holds."""

    def visible_to(self, user: User) -> Self:
        """All of them, for auditors and who manages what is kept."""
        return self if sees_retention(user) else self.none()

    def active(self) -> Self:
        """Those not lifted."""
        return self.filter(lifted_at__isnull=True)


class LegalHold(models.Model):
    """That nothing about something may be removed or erased until this is lifted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=HoldKind.choices)
    # Of the project or the account.
    subject_id = models.UUIDField(null=True)
    # As events name it, `target_id`.
    object_id = models.CharField(max_length=64, blank=True)
    reason = models.TextField()
    placed_by_id = models.UUIDField()
    placed_at = models.DateTimeField(default=timezone.now)
    lifted_by_id = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="hold_says_what_it_covers",
                condition=Q(kind="trail", subject_id__isnull=True, object_id="")
                | Q(
                    kind__in=["project", "person"],
                    subject_id__isnull=False,
                    object_id="",
                )
                | (Q(kind="object", subject_id__isnull=True) & ~Q(object_id="")),
            ),
            models.CheckConstraint(
                name="hold_lifted_with_a_name",
                condition=Q(lifted_at__isnull=True, lifted_by_id__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"legal hold on {self.covered}"

    def get_absolute_url(self) -> str:
        return reverse("audit:holds")

    def is_placed(self) -> bool:
        """Say whether the same is held already, for the same reason."""
        return (
            LegalHold.objects.active()
            .filter(
                kind=self.kind,
                subject_id=self.subject_id,
                object_id=self.object_id,
                reason=self.reason,
            )
            .exists()
        )

    @property
    def covered(self) -> str:
        """What it holds back, without names."""
        what = self.get_kind_display().lower()
        return f"{what} {self.subject_id or self.object_id}".strip()

    @property
    def sentence(self) -> str:
        """Say in a sentence what stands in the way."""
        return (
            f"A legal hold on {self.covered}, placed on {self.placed_at:%d %B %Y}, "
            "keeps this. An auditor lifts it when its reason is gone."
        )
