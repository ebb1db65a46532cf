"""What people write to each other about a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.approvals.models.requests import ApprovalRequest
from apps.core.ids import new_id
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads of comments."""

    def visible_to(self, user: User) -> Self:
        """Comments on the requests that `user` can see."""
        return self.filter(request__in=ApprovalRequest.objects.visible_to(user))

    def threads(self) -> Self:
        """Those that began something."""
        return self.filter(reply_to=None)


class Comment(models.Model):
    """Something said about a request: never edited, only marked as withdrawn."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="comments"
    )
    # The comment that began the thread; replies have no replies of their own.
    reply_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replies"
    )
    # A part of the evidence, as in `evidence.PARTS`; empty: the request as a whole.
    part = models.CharField(max_length=32, blank=True)
    # People are named by the id of their account, @[…], so that erasing somebody takes
    # the name out of what others wrote.
    text = models.TextField()
    mentioned = ArrayField(models.UUIDField(), default=list, blank=True)
    author = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    written_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="reply_is_about_what_its_thread_is_about",
                condition=Q(reply_to=None) | Q(part=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["request", "-id"],
                condition=Q(reply_to=None),
                name="approvals_threads",
            ),
        ]

    def __str__(self) -> str:
        return f"comment on the {self.request}"

    def get_absolute_url(self) -> str:
        page = self.request.get_absolute_url()
        return f"{page}?thread={self.thread_id}#comment-{self.pk}"

    @property
    def project(self) -> Project:
        """The project of the request."""
        return self.request.project

    @property
    def thread_id(self) -> UUID:
        """The comment that began the thread, which may be this one."""
        return self.reply_to_id or self.pk
