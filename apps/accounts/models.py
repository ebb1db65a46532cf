"""People, service accounts and their API tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from apps.access.checks import has_agency_permission
from apps.access.permissions import Permission
from apps.access.roles import ROLES
from apps.core.errors import WrongState
from apps.core.ids import new_id

if TYPE_CHECKING:
    from uuid import UUID

MIN_WORD = 3  # characters of a part of a name; shorter ones are anybody's
NOBODYS_DOMAIN = "erased.invalid"  # no mail can reach it, RFC 2606


class UserKind(models.TextChoices):
    """Whether an account is somebody or something."""

    PERSON = "person", "Person"
    SERVICE = "service", "Service account"


class UserQuerySet(models.QuerySet["User"]):
    """Reads of accounts."""

    def people(self) -> Self:
        """Active accounts of people, by name."""
        return self.filter(kind=UserKind.PERSON, is_active=True).order_by("full_name")

    def visible_to(self, user: User) -> Self:
        """Administrators see every account, everybody else their own."""
        if has_agency_permission(user, Permission.ACCOUNT_MANAGE):
            return self
        return self.filter(pk=user.pk)

    def matching(self, text: str) -> Self:
        """Accounts with `text` in name, address or organisation."""
        return self.filter(
            Q(full_name__icontains=text)
            | Q(email__icontains=text)
            | Q(organisation__icontains=text)
        )


class UserManager(BaseUserManager["User"]):
    """Looks accounts up the way Django's sign-in asks for them."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in with an e-mail address, or a service of the portal."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=150)
    title = models.CharField(max_length=150, blank=True)
    organisation = models.CharField(max_length=150, blank=True)
    kind = models.CharField(
        max_length=16, choices=UserKind.choices, default=UserKind.PERSON
    )
    agency_roles = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    # Since then the account is only an id: who it was is known to nobody.
    erased_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects = UserManager.from_queryset(UserQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_email"),
            models.CheckConstraint(
                name="agency_roles_known",
                condition=Q(agency_roles__contained_by=list(ROLES)),
            ),
            models.CheckConstraint(
                name="no_superuser_beside_the_rules",
                condition=Q(is_superuser=False),
            ),
            models.CheckConstraint(
                name="erased_accounts_are_closed",
                condition=Q(erased_at__isnull=True) | Q(is_active=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.email})"

    def get_absolute_url(self) -> str:
        return reverse("accounts:person", args=[self.pk])

    @property
    def names(self) -> list[str]:
        """The texts by which somebody may look for this person."""
        words = [word for word in self.full_name.split() if len(word) >= MIN_WORD]
        return [self.label, str(self), self.full_name, self.email, *words]

    @property
    def label(self) -> str:
        """The name written into audit events."""
        return f"{self.full_name} <{self.email}>"

    def forget(self) -> None:
        """Become somebody whom nothing here describes any more; the caller saves."""
        mark = self.pk.hex[-8:]
        self.full_name = f"Former member {mark}"
        self.email = f"{self.pk.hex}@{NOBODYS_DOMAIN}"
        self.title = self.organisation = ""
        self.agency_roles = []
        self.last_login = None
        self.set_unusable_password()
        self.erased_at = timezone.now()

    @property
    def agency_role_titles(self) -> list[str]:
        """The titles of the agency roles, for people."""
        return [ROLES[slug].title for slug in self.agency_roles]


class TokenScope(models.TextChoices):
    """What a token may be used for."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Reads of tokens."""

    def visible_to(self, user: User) -> Self:
        """Only the owner's."""
        return self.filter(user=user)

    def usable(self) -> Self:
        """Neither revoked nor expired, of an active account."""
        return self.filter(
            revoked_at__isnull=True,
            expires_at__gt=timezone.now(),
            user__is_active=True,
        )

    def note_use(self, token: ApiToken, at: datetime) -> None:
        """Keep when a token was last used, to the minute so that reads stay reads."""
        noted = token.last_used_at
        if noted is None or at - noted > timedelta(minutes=1):
            self.filter(pk=token.pk).update(last_used_at=at)


class ApiToken(models.Model):
    """A key with which a program acts as its owner; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=8, choices=TokenScope.choices)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # Whose experiments a name without a project means, for tools that know no projects.
    default_project = models.ForeignKey(
        "projects.Project", on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def named_after_id(self) -> UUID:
        """Whose words its name is, so that it is erased with them."""
        return self.user_id

    @property
    def is_usable(self) -> bool:
        """Say whether the token still opens the door."""
        return self.revoked_at is None and self.expires_at > timezone.now()


class ErasureStatus(models.TextChoices):
    """Where a request to erase a person stands."""

    WAITING = "waiting", "Waiting for a second person"
    DONE = "done", "Erased"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ErasureRequestQuerySet(models.QuerySet["ErasureRequest"]):
    """Reads of requests to erase."""

    def visible_to(self, user: User) -> Self:
        """All of them, for who may ask for one."""
        may_see = has_agency_permission(user, Permission.PERSON_ERASE)
        return self if may_see else self.none()


class ErasureRequest(models.Model):
    """What one administrator asks of another: to erase who somebody was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    legal_basis = models.TextField()
    status = models.CharField(
        max_length=16, choices=ErasureStatus.choices, default=ErasureStatus.WAITING
    )
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    # Who approved it, or took it back.
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True
    )
    decided_at = models.DateTimeField(null=True)

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=~Q(status="withdrawn"),
                name="one_erasure_per_person",
            ),
            models.CheckConstraint(
                name="erasure_decided_with_a_name",
                condition=Q(
                    status="waiting", decided_by__isnull=True, decided_at__isnull=True
                )
                | (
                    ~Q(status="waiting")
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="erasure_takes_two_people",
                condition=~Q(status="done")
                | (~Q(decided_by=F("requested_by")) & ~Q(decided_by=F("person"))),
            ),
        ]

    def __str__(self) -> str:
        return f"erasure of account {self.person_id}"

    def get_absolute_url(self) -> str:
        return reverse("accounts:erasure", args=[self.pk])

    @property
    def is_waiting(self) -> bool:
        """Say whether a second person is still to decide."""
        return self.status == ErasureStatus.WAITING

    def close(self, status: ErasureStatus, by: User) -> None:
        """End it; the caller saves.

        Raises:
            WrongState: it has ended already.
        """
        if not self.is_waiting:
            raise WrongState("This request has been decided already.")
        self.status, self.decided_by, self.decided_at = status, by, timezone.now()
