"""The tree that seals the events: its leaves, tiles, checkpoints and keys."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apps.audit.models.events import AuditEvent


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
    """A public key of the sealer, and the first and the last size that it signed."""

    vkey = models.CharField(max_length=400, primary_key=True)
    from_size = models.BigIntegerField()
    to_size = models.BigIntegerField(null=True)  # none while it signs
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.vkey

    @property
    def origin(self) -> str:
        """The name of the log that it signs."""
        return self.vkey.partition("+")[0]


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
