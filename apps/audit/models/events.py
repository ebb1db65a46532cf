"""Events: append-only rows that outlive what they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import orjson
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import (
    SearchVectorField,
)
from django.db import models
from django.db.models import Func, Q
from django.urls import reverse
from django.utils.functional import cached_property

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.permissions import Permission
from apps.audit.body import facts_beside, facts_in, named
from apps.audit.event_types import EventType
from apps.audit.models.people import Disclosure
from apps.audit.personal import (
    commitments_in,
    revealed,
)
from apps.audit.retention.models import Segment

if TYPE_CHECKING:
    from apps.accounts.models import User


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Reads of the trail."""

    def visible_to(self, user: User) -> Self:
        """Events of the projects whose trail `user` may read, and their own."""
        return self._permitted(user, Permission.AUDIT_READ, own=True).served()

    def exportable_by(self, user: User) -> Self:
        """Events of the projects whose trail `user` may take out."""
        return self._permitted(user, Permission.AUDIT_EXPORT, own=False).served()

    def served(self) -> Self:
        """Leave out what is agreed to be removed; its archive is asked for instead.

        Almost always there is nothing such, and the query stays as it was.
        """
        spans = Segment.objects.closed().values_list("first_leaf", "last_leaf")
        events = self
        for span in spans:
            events = events.exclude(leaf__leaf_index__range=span)
        return events

    def strands_of(self, user: User) -> list[Q]:
        """Give what `visible_to` shows in parts that an index has in order each."""
        if has_agency_permission(user, Permission.AUDIT_READ):
            return [Q()]
        projects = _projects_of(user, Permission.AUDIT_READ)
        own = Q(actor_id=user.pk)
        return [own, *(Q(project_id=found) for (found,) in projects)]

    def _permitted(self, user: User, permission: Permission, *, own: bool) -> Self:
        if has_agency_permission(user, permission):
            return self
        wanted = Q(project_id__in=_projects_of(user, permission))
        return self.filter(wanted | Q(actor_id=user.pk) if own else wanted)


def _projects_of(user: User, permission: Permission) -> models.QuerySet[Any, Any]:
    roles = project_roles_with(permission)
    return user.memberships.filter(role__in=roles).values_list("project_id")


class AuditEventManager(models.Manager.from_queryset(AuditEventQuerySet)):  # type: ignore[misc]  # the usual form of Django
    """Reads events without their words, which only the database looks through."""

    def get_queryset(self) -> AuditEventQuerySet:
        events: AuditEventQuerySet = super().get_queryset().defer("words")
        return events


class AuditEvent(models.Model):
    """Something that happened, in words and ids that do not depend on other rows.

    `body` is the event. The columns before it repeat what lists are narrowed by;
    `payload` has the changes that were too large for the body.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True, editable=False)
    at = models.DateTimeField()
    type = models.CharField(max_length=64)
    outcome = models.CharField(max_length=8)
    actor_id = models.UUIDField()
    target_type = models.CharField(max_length=64)
    target_id = models.CharField(max_length=64)
    project_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64)
    # The database adds `xid`, the transaction that wrote the row, and `words`.
    body = models.TextField(editable=False)
    payload = models.TextField(editable=False)
    leaf_hash = models.BinaryField(max_length=32)
    mac = models.BinaryField(max_length=32)
    mac_kid = models.SmallIntegerField()
    words = models.GeneratedField(
        expression=Func("body", function="audit_words"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    place: int | None  # in the tree; `paging.with_places` asks for it

    objects = AuditEventManager()

    class Meta:
        # Newest first: the ids of events sort by time (UUID version 7).
        indexes = [
            models.Index(fields=["project_id", "-event_id"], name="audit_by_project"),
            models.Index(fields=["actor_id", "-event_id"], name="audit_by_actor"),
            models.Index(fields=["type", "-event_id"], name="audit_by_type"),
            models.Index(fields=["outcome", "-event_id"], name="audit_by_outcome"),
            models.Index(fields=["target_id", "-event_id"], name="audit_by_target"),
            models.Index(fields=["request_id", "-event_id"], name="audit_by_request"),
            GinIndex(fields=["words"], name="audit_by_words"),
            # Narrows what another index found to a part of the trail.
            BrinIndex(fields=["event_id"], name="audit_by_range"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.type_label} {self.target_label}"

    def get_absolute_url(self) -> str:
        return reverse("audit:event", args=[self.event_id])

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The body as it was written, with commitments for names."""
        facts = facts_in(self.body) or facts_beside(self)
        changes = orjson.loads(self.payload) if self.payload else []
        return {"changes": changes, **facts}

    @cached_property
    def told(self) -> dict[str, Any]:
        """The body with the names of people, asked for unless `with_names` did."""
        found = Disclosure.objects.texts(commitments_in(self.facts))
        told: dict[str, Any] = revealed(self.facts, found)
        return told

    @property
    def actor_label(self) -> str:
        """Who did it: name and address."""
        return str(self.told["actor"]["name"])

    @property
    def actor_name(self) -> str:
        """The name of who did it, without the address."""
        return self.actor_label.partition(" <")[0]

    @property
    def actor_roles(self) -> list[str]:
        """The roles that counted when it was done."""
        return list(self.facts["actor"]["roles"])

    @property
    def actor_kind(self) -> str:
        """Whether it was a person, a service, or nobody who signed in."""
        return str(self.facts["actor"]["type"])

    @property
    def target_label(self) -> str:
        """The name of the object at that time."""
        return str(self.told["object"]["name"])

    @property
    def target_path(self) -> str:
        """The address of the object's page; empty when it has none."""
        return str(self.facts["object"]["path"])

    @property
    def project_label(self) -> str:
        """The name of the project at that time; empty outside of projects."""
        return str(self.facts["scope"]["name"])

    @property
    def channel(self) -> str:
        """The door it came through: web, api, worker or cli."""
        return str(self.facts["source"]["channel"])

    @property
    def changes(self) -> dict[str, Any]:
        """Changed fields, each `[before, after]`, or facts of the event."""
        return dict(named(self.told["changes"]) or {})

    @property
    def reason(self) -> str:
        """What the person gave as reason."""
        return str(self.facts["reason"])

    @property
    def type_label(self) -> str:
        """What happened, in words that stand between actor and target."""
        is_known = self.type in EventType.values
        return EventType(self.type).label if is_known else self.type
