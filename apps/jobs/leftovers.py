"""What processes that died left behind, and taking it away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from apps.core import blobs

logger = logging.getLogger(__name__)


def remove_unclaimed_blobs() -> int:
    """Remove content that was stored a day ago and that no row names; count it."""
    before = timezone.now() - timedelta(seconds=settings.BLOB_UNCLAIMED_SECONDS)
    marks = blobs.unclaimed(before)
    named = named_digests(set(marks.values()))
    for mark, digest in marks.items():
        if digest in named:
            blobs.claim(mark)
        else:
            blobs.remove_unclaimed(mark)
            logger.warning("removed %s, which was stored and never kept", digest)
    return sum(digest not in named for digest in marks.values())


def named_digests(digests: set[str]) -> set[str]:
    """Return those of the digests that some row names, in a column or within JSON."""
    named: set[str] = set()
    for model, column in _columns():
        if left := digests - named:
            found = model._default_manager.filter(**{f"{column}__in": left})
            named |= set(found.values_list(column, flat=True))
    for model, column in _documents():
        for digest in digests - named:
            # A name that no model has for a field of its own.
            cast = {"document_as_text": Cast(column, TextField())}
            texts = model._default_manager.alias(**cast)
            if texts.filter(document_as_text__contains=digest).exists():
                named.add(digest)
    return named


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    """List the columns that name content."""
    for model, column in _fields():
        if isinstance(column, models.CharField) and column.name.endswith("sha256"):
            yield model, column.name


def _documents() -> Iterator[tuple[type[models.Model], str]]:
    """List the documents that may name content; events name only what a row does."""
    for model, column in _fields():
        if isinstance(column, models.JSONField) and model._meta.app_label != "audit":
            yield model, column.name


def _fields() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    for model in apps.get_models():
        if model.__module__.startswith("apps."):
            for column in model._meta.get_fields():
                if isinstance(column, models.Field):
                    yield model, column
