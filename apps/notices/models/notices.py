"""A sentence to one person, and where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.ids import new_id
from apps.notices.models.kinds import NoticeKind
from apps.notices.models.mail import MailPreference

if TYPE_CHECKING:
    from apps.accounts.models import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices; whether one was read is nobody's business but its reader's."""

    def visible_to(self, user: User) -> Self:
        """Those to `user`."""
        return self.filter(recipient=user)

    def unread(self) -> Self:
        """Those that wait to be read."""
        return self.filter(read_at=None)

    def read(self) -> Self:
        """Those that were read."""
        return self.filter(read_at__isnull=False)

    def mark_read(self) -> int:
        """Note that they were read, and say how many were not before."""
        return self.unread().update(read_at=timezone.now())

    def keep(self, notices: Sequence[Notice]) -> None:
        """Store notices; whoever was told the same before is not told again."""
        self.bulk_create(notices, ignore_conflicts=True)


class Notice(models.Model):
    """Something that a person should know, written where it happened.

    The sentence names nobody, so that it can stay when somebody is erased.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recipient = models.ForeignKey(
        "accounts.User",
        on_delete=models.PROTECT,
        related_name="notices",
        db_index=False,  # the two below begin with it
    )
    # A value of `NoticeKind`; no choices, so that a new kind changes no table.
    kind = models.CharField(max_length=40)
    sentence = models.TextField()
    # The page, and the place on it, that tells the whole.
    path = models.CharField(max_length=300)
    object_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    # Nobody is told twice under the same key.
    dedup_key = models.CharField(max_length=120)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "dedup_key"], name="nobody_is_told_twice"
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "-id"],
                condition=Q(read_at=None),
                name="notices_unread",
            ),
            models.Index(fields=["recipient", "-id"], name="notices_by_recipient"),
            models.Index(
                fields=["created_at"],
                condition=Q(mailed_at=None, read_at=None),
                name="notices_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    def get_absolute_url(self) -> str:
        return self.path

    @property
    def title(self) -> str:
        """What kind of notice it is, for people."""
        return NoticeKind(self.kind).label


def forget_recipient(person: User) -> None:
    """Remove what an erased person was told: nobody reads it any more."""
    Notice.objects.filter(recipient=person).delete()
    MailPreference.objects.filter(person=person).delete()
