"""How each person wants to be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.core.ids import new_id

if TYPE_CHECKING:
    from apps.accounts.models import User


class MailWish(models.TextChoices):
    """How often somebody gets mail."""

    EACH = "each", "At once, for each notice"
    DAILY = "daily", "Once a day, all notices together"
    NONE = "none", "No mail"


class MailPreferenceQuerySet(models.QuerySet["MailPreference"]):
    """How one wants to be told governs nothing, so no event tells of it."""

    def visible_to(self, user: User) -> Self:
        """Only one's own."""
        return self.filter(person=user)

    def choose(self, person: User, mail: str) -> MailPreference:
        """Keep what a person chose."""
        chosen, _ = self.update_or_create(person=person, defaults={"mail": mail})
        return chosen


class MailPreference(models.Model):
    """What a person chose; whoever chose nothing is written to at once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.OneToOneField(
        "accounts.User", on_delete=models.PROTECT, related_name="mail_preference"
    )
    mail = models.CharField(
        max_length=8, choices=MailWish.choices, default=MailWish.EACH
    )
    # The day of the last letter that gathered a day's notices.
    digest_on = models.DateField(null=True)

    objects = MailPreferenceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"mail preference {self.pk}"
