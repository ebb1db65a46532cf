"""What is personal in events, in rows of its own that can be erased."""

from __future__ import annotations

import secrets
from typing import Self
from uuid import UUID

from django.contrib.postgres.indexes import HashIndex
from django.contrib.postgres.search import (
    CombinedSearchQuery,
    SearchQuery,
    SearchVectorField,
)
from django.db import models
from django.db.models import Func, Q
from django.utils import timezone

from apps.audit.personal import (
    SALT_BYTES,
    UNKNOWN,
    Personal,
    base64url,
    commitment_of,
    disclosure_of,
)

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
