"""The audit trail: append-only rows that outlive what they speak of."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, quote_plus
from uuid import UUID

import orjson
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, HashIndex
from django.contrib.postgres.search import (
    CombinedSearchQuery,
    SearchQuery,
    SearchVectorField,
)
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from apps.access.checks import has_agency_permission, project_roles_with
from apps.access.permissions import Permission
from apps.audit import anchor_models  # noqa: F401  # its tables belong to this app
from apps.audit.body import facts_beside, facts_in, named
from apps.audit.event_types import EventType
from apps.audit.personal import (
    SALT_BYTES,
    UNKNOWN,
    Personal,
    base64url,
    commitment_of,
    commitments_in,
    disclosure_of,
    revealed,
)
from apps.audit.retention.models import Segment
from apps.core.ids import new_id

if TYPE_CHECKING:
    from uuid import UUID

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


Words = SearchQuery | CombinedSearchQuery


class _WordsOfText(Func):
    """The words of a text, as the index `audit_disclosure_by_words` has them."""

    template = "to_tsvector('simple', translate(%(expressions)s, '<>@._-', '      '))"
    output_field = SearchVectorField()


class DisclosureQuerySet(models.QuerySet["Disclosure"]):
    """Personal texts and the commitments that stand for them."""

    def committed(self, texts: set[Personal]) -> dict[Personal, str]:
        """Give the commitment of each text, making those that are not there yet.

        Two transactions may make one each for the same text: neither waits for the
        other, and both are true.
        """
        subjects = {text.subject_id for text in texts}
        rows = self.filter(subject_id__in=subjects).values_list(
            "subject_id", "value", "commitment"
        )
        known = {Personal(subject, value): found for subject, value, found in rows}
        made = [Disclosure.of(text) for text in texts - known.keys()]
        if made:
            self.bulk_create(made)
        known |= {Personal(one.subject_id, one.value): one.commitment for one in made}
        return known

    def subjects_of(self, text: str) -> list[UUID]:
        """Find whom exactly this text is about."""
        found = self.filter(value=text).values_list("subject_id", flat=True)
        return list(found.distinct())

    def subjects_beginning(self, words: Words, most: int) -> list[UUID]:
        """Find up to `most` people of whom a text has words that begin so."""
        found = self.alias(words=_WordsOfText("value")).filter(words=words)
        return list(found.values_list("subject_id", flat=True).distinct()[:most])

    def about(self, subject_id: UUID, names: list[str]) -> Self:
        """What is kept about a person, and what somebody typed to find them."""
        typed = Q()
        for name in names:
            typed |= Q(value__iexact=name)
        return self.filter(Q(subject_id=subject_id) | (Q(subject_id=UNKNOWN) & typed))

    def texts(self, commitments: set[str]) -> dict[str, str]:
        """Give the texts that these commitments stand for and that are not erased."""
        if not commitments:
            return {}
        found = self.filter(commitment__in=commitments)
        return dict(found.values_list("commitment", "value"))


class Disclosure(models.Model):
    """A text about a person and its salt; without this row it cannot be known."""

    commitment = models.CharField(max_length=43, primary_key=True)
    subject_id = models.UUIDField(db_index=True)
    salt = models.CharField(max_length=22)
    value = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = DisclosureQuerySet.as_manager()

    class Meta:
        indexes = [HashIndex(fields=["value"], name="audit_disclosure_by_value")]

    def __str__(self) -> str:
        return f"Disclosure {self.commitment}"

    @classmethod
    def of(cls, text: Personal) -> Disclosure:
        """Commit to a text with a new salt."""
        salt = base64url(secrets.token_bytes(SALT_BYTES))
        return cls(
            commitment=commitment_of(disclosure_of(salt, text.value)),
            subject_id=text.subject_id,
            salt=salt,
            value=text.value,
        )


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """What people keep to ask again."""

    def visible_to(self, user: User) -> Self:
        """Only one's own, by name."""
        return self.filter(owner_id=user.pk).order_by("name")

    def keep(self, *, owner: User, name: str, query: str) -> SavedFilter:
        """Save a filter; one of the same name is replaced."""
        kept, _ = self.update_or_create(
            owner_id=owner.pk, name=name, defaults={"query": query}
        )
        return kept

    def about(self, subject_id: UUID, names: list[str]) -> Self:
        """Those of a person, and those in which others look for them by name."""
        wanted = Q(owner_id=subject_id)
        for name in names:
            for spelled in (name, quote(name), quote_plus(name)):
                wanted |= Q(query__icontains=spelled) | Q(name__icontains=spelled)
        return self.filter(wanted)

    def forget(self) -> None:
        """Delete these."""
        self.delete()


class SavedFilter(models.Model):
    """A question to the trail that somebody asks again; nobody else sees it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_id = models.UUIDField(editable=False)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner_id", "name"], name="one_saved_filter_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


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


class StreamPositionQuerySet(models.QuerySet["StreamPosition"]):
    """How far each target of a stream has got."""

    def of(self, name: str) -> StreamPosition:
        """Find the position of a target; a new one begins with the first leaf."""
        return self.get_or_create(name=name)[0]

    def locked(self, name: str) -> StreamPosition:
        """Find the position of a target, and keep others from moving it."""
        return self.select_for_update().get(pk=self.of(name).pk)

    def note_delivery(self, position: StreamPosition, next_index: int) -> bool:
        """Go on to `next_index`, unless somebody moved the position meanwhile."""
        unmoved = self.filter(pk=position.pk, next_index=position.next_index)
        changed = unmoved.update(
            next_index=next_index,
            delivered_at=timezone.now(),
            failures=0,
            last_error="",
        )
        return bool(changed)

    def note_failure(self, name: str, error: str) -> None:
        """Keep why the last delivery failed."""
        self.filter(name=name).update(failures=F("failures") + 1, last_error=error)


class StreamPosition(models.Model):
    """Which leaf of the trail a target outside gets next, and how the last try went."""

    name = models.CharField(max_length=200, unique=True)
    next_index = models.BigIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = StreamPositionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(next_index__gte=0), name="audit_stream_from_a_leaf"
            )
        ]

    def __str__(self) -> str:
        return self.name


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
