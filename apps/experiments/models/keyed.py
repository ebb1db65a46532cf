"""What tags and parameters have in common."""

from __future__ import annotations

from typing import Any

from django.db import models


class KeyedValue(models.Model):
    """A value under a key of something; how long it may be differs by kind."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=250)
    value: models.Field[Any, Any]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
