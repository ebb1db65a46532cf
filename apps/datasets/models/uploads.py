"""Files on their way in, sent piece by piece."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.urls import reverse
from django.utils import timezone

from apps.core.errors import WrongState
from apps.core.ids import new_id
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.sealed import seal_in_words
from apps.datasets.models.versions import DatasetVersion
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class UploadState(models.TextChoices):
    """Where an upload stands."""

    OPEN = "open", "Open"
    COMPLETE = "complete", "Complete"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"


UPLOAD_TRANSITIONS: dict[UploadState, frozenset[UploadState]] = {
    UploadState.OPEN: frozenset(
        {UploadState.COMPLETE, UploadState.CANCELLED, UploadState.EXPIRED}
    ),
    UploadState.COMPLETE: frozenset(),
    UploadState.CANCELLED: frozenset(),
    UploadState.EXPIRED: frozenset(),
}


class UploadQuerySet(models.QuerySet["Upload"]):
    """Reads of uploads."""

    def visible_to(self, user: User) -> Self:
        """Uploads that `user` started; nobody sees those of others."""
        return self.filter(owner=user)

    def open(self) -> Self:
        """Uploads that still receive bytes."""
        return self.filter(state=UploadState.OPEN)

    def kept_too_long(self) -> Self:
        """Open uploads that nobody went on with."""
        return self.open().filter(expires_at__lte=timezone.now())

    def promised_bytes(self) -> int:
        """Add up the declared sizes."""
        return self.aggregate(total=Sum("size_bytes"))["total"] or 0


class Upload(models.Model):
    """A file that somebody sends in pieces, until it becomes a dataset version.

    Its bytes lie in `UPLOADS_DIR`, apart from everything that is kept for good.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    # None: under `name`, a new dataset or the next version of the one that has it.
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, null=True, related_name="+"
    )
    name = models.SlugField(max_length=60, blank=True)
    title = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    file_name = models.CharField(max_length=255)
    # As the sender's machine says, to know the same file again; milliseconds.
    file_modified_ms = models.BigIntegerField(null=True, blank=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    received_bytes = models.BigIntegerField(default=0)
    # Which rows reading will put aside: engine.spec.Seal as JSON; None for none.
    seal = models.JSONField(null=True, blank=True)
    state = models.CharField(
        max_length=16, choices=UploadState.choices, default=UploadState.OPEN
    )
    version = models.OneToOneField(
        DatasetVersion, on_delete=models.PROTECT, null=True, related_name="upload"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="upload_received_within_size",
                condition=Q(received_bytes__gte=0, received_bytes__lte=F("size_bytes")),
            ),
            models.CheckConstraint(
                name="upload_complete_has_version",
                condition=Q(state="complete", version__isnull=False)
                | (~Q(state="complete") & Q(version__isnull=True)),
            ),
            models.CheckConstraint(
                name="upload_says_where_to",
                condition=Q(dataset__isnull=False) | ~Q(name=""),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="upload_by_owner"),
            models.Index(
                fields=["expires_at"],
                name="upload_open_by_expiry",
                condition=Q(state="open"),
            ),
        ]

    def __str__(self) -> str:
        return f"upload of {self.file_name} to {self.project.slug}/{self.dataset_name}"

    def get_absolute_url(self) -> str:
        if self.version_id:
            return reverse("datasets:version", args=[self.version_id])
        if self.dataset_id:
            return reverse("datasets:upload_version", args=[self.dataset_id])
        return reverse("datasets:upload_dataset", args=[self.project.slug])

    @property
    def dataset_name(self) -> str:
        """The short name of the dataset it goes to."""
        return self.dataset.name if self.dataset else self.name

    @property
    def seal_words(self) -> str:
        """Say which rows will be put aside; empty for none."""
        return seal_in_words(self.seal) if self.seal else ""

    @property
    def seal_key(self) -> str:
        """Tell one seal from another, as the page does with what was chosen."""
        if not self.seal:
            return ""
        method, column = self.seal["method"], self.seal["column"] or ""
        return f"{method}|{self.seal['ratio']:g}|{column}|{self.seal['seed']}"

    @property
    def is_received(self) -> bool:
        """Say whether every byte has come."""
        return self.received_bytes == self.size_bytes

    @property
    def progress_ratio(self) -> float:
        """Share of the bytes that have come, 0 to 1."""
        return self.received_bytes / self.size_bytes

    def advance(self, to: UploadState) -> None:
        """Move to `to`; the caller saves.

        Raises:
            WrongState: the table has no such transition.
        """
        if to not in UPLOAD_TRANSITIONS[UploadState(self.state)]:
            raise WrongState(
                f"This upload is {self.get_state_display().lower()} and cannot become "
                f"{to.label.lower()}."
            )
        self.state = to

    def keep(self) -> None:
        """Put the end of its time off, since somebody goes on with it."""
        hours = timedelta(hours=settings.UPLOAD_KEEP_HOURS)
        self.expires_at = timezone.now() + hours
