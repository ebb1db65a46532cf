"""Tags, written and taken back in one way, whatever they are of.

Called by the actions of each kind, which have locked what the tags are of, have asked
their rule and record what is told here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.experiments.actions.checks import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from apps.experiments.models import KeyedValue

Changes = dict[str, list[str | None]]


def write_tags(kept: Any, tags: Mapping[str, str]) -> Changes:
    """Write tags of a locked row; tell which changed, before and after.

    Args:
        kept: the relation that holds those of the row, such as `run.tags`.
        tags: values by key, known to fit.
    """
    found = kept.filter(key__in=list(tags))
    before = dict(found.values_list("key", "value"))
    changed = {key: value for key, value in tags.items() if before.get(key) != value}
    tag, owner = kept.model, kept.field.name
    kept.bulk_create(
        [
            tag(**{owner: kept.instance}, key=key, value=value)
            for key, value in changed.items()
        ],
        update_conflicts=True,
        unique_fields=[owner, "key"],
        update_fields=["value"],
    )
    return {
        key: [shortened(before.get(key)), shortened(value)]
        for key, value in changed.items()
    }


def delete_tag(tag: KeyedValue) -> Changes:
    """Take a tag of a locked row back; tell what it said, nothing where it is gone."""
    rows: QuerySet[Any] = type(tag)._default_manager.filter(pk=tag.pk)
    before = dict(rows.values_list("key", "value"))  # as it is under the lock
    rows.delete()
    return {key: [shortened(value), None] for key, value in before.items()}
