"""The audit trail: append-only rows that outlive what they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.permissions import Permission
from apps.audit import anchor_models  # noqa: F401  # its tables belong to this app
from apps.audit.event_types import EventType
from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Reads of the trail."""

    def visible_to(self, user: User) -> Self:
        """Events of the projects whose trail `user` may read, and their own."""
        return self._permitted(user, Permission.AUDIT_READ, own=True)

    def exportable_by(self, user: User) -> Self:
        """Events of the projects whose trail `user` may take out."""
        return self._permitted(user, Permission.AUDIT_EXPORT, own=False)

    def _permitted(self, user: User, permission: Permission, *, own: bool) -> Self:
        if has_agency_permission(user, permission):
            return self
        projects = user.memberships.filter(
            role__in=project_roles_with(permission)
        ).values("project_id")
        wanted = Q(project_id__in=projects)
        return self.filter(wanted | Q(actor_id=user.pk) if own else wanted)


class AuditEvent(models.Model):
    """Something that happened, in words and ids that do not depend on other rows."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=new_id, unique=True, editable=False)
    type = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    actor_id = models.UUIDField()
    actor_label = models.CharField(max_length=254)
    actor_kind = models.CharField(max_length=16)
    actor_roles = ArrayField(models.CharField(max_length=32), default=list)
    target_type = models.CharField(max_length=64)
    target_id = models.CharField(max_length=64)
    target_label = models.CharField(max_length=300)
    target_path = models.CharField(max_length=300, blank=True)
    project_id = models.UUIDField(null=True)
    project_label = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    channel = models.CharField(max_length=16)
    request_id = models.CharField(max_length=64, blank=True)
    # The database adds `xid`, the transaction that wrote the row, by itself.
    body = models.TextField(editable=False)
    leaf_hash = models.BinaryField(max_length=32)
    mac = models.BinaryField(max_length=32)
    mac_kid = models.SmallIntegerField()

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project_id", "-id"], name="audit_by_project"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["type", "-id"], name="audit_by_type"),
            models.Index(
                fields=["target_type", "target_id", "-id"], name="audit_by_target"
            ),
            models.Index(fields=["request_id", "-id"], name="audit_by_request"),
            models.Index(fields=["-at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.type_label} {self.target_label}"

    @property
    def actor_name(self) -> str:
        """The name of who did it, without the address."""
        return self.actor_label.partition(" <")[0]

    @property
    def type_label(self) -> str:
        """What happened, in words that stand between actor and target."""
        return EventType(self.type).label


class Leaf(models.Model):
    """The place of an event in the tree, in the order in which commits were seen."""

    leaf_index = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(
        AuditEvent,
        models.DO_NOTHING,
        db_column="event_pk",
        db_constraint=False,
        related_name="leaf",
    )

    def __str__(self) -> str:
        return f"Leaf {self.leaf_index}"


class Tile(models.Model):
    """256 neighbouring hashes of the tree; the unfinished ones are in the head."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()

    def __str__(self) -> str:
        return f"Tile {self.level}/{self.index}"


class Checkpoint(models.Model):
    """The signed statement that the tree of this size has this root."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Checkpoint {self.size}"


class Key(models.Model):
    """A public key of the sealer, and the size of the tree it first signed."""

    vkey = models.CharField(max_length=400, primary_key=True)
    from_size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.vkey


class Head(models.Model):
    """Where the sealer stands: one row, which also keeps two sealers apart.

    `previous` is the snapshot of the database up to which everything is sealed. While
    more was found than fits one pass, `target` is the snapshot that is being caught up
    with, and the cursor is the last event taken.
    """

    size = models.BigIntegerField(default=0)
    edge = ArrayField(models.BinaryField(), default=list)
    previous = models.TextField(default="3:3:")
    target = models.TextField(blank=True)
    cursor_xid = models.BigIntegerField(default=0)
    cursor_id = models.BigIntegerField(default=0)
    system_id = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField(default=timezone.now)
    obstacle = models.TextField(blank=True)
    finding = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Head of {self.size} leaves"
