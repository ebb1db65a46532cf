"""Cards of versions and the files that people take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid
from apps.registry import queries, rules
from apps.registry.actions.checks import check_words
from apps.registry.actions.versions import locked_version
from apps.registry.models import CARD_SECTIONS, ModelCard, ModelVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User


@transaction.atomic
def edit_card(
    *, version: ModelVersion, sections: Mapping[str, str], by: User
) -> ModelCard:
    """Write sections of the card that only a person can write.

    Args:
        version: whose card.
        sections: new texts by name, as in `CARD_SECTIONS`; a missing one stays.
        by: somebody who may edit cards.

    Raises:
        Invalid: no such section, or a text is too long.
        Refused: only who may edit cards.
        WrongState: the version is reviewed or decided on.
    """
    version = locked_version(version)
    ensure(rules.can_edit_card(by, version))
    for name, text in sections.items():
        if name not in CARD_SECTIONS:
            raise Invalid(
                f"A card has no section {name}.", fields={name: "Unknown section."}
            )
        check_words(name, text)
    card = version.card  # read under the lock, with what others wrote meanwhile
    changes = difference(
        {name: getattr(card, name) for name in CARD_SECTIONS}, dict(sections)
    )
    if changes:
        for name, (_, text) in changes.items():
            setattr(card, name, text)
        card.updated_at = timezone.now()
        card.save()
        record(
            EventType.MODEL_CARD_EDITED,
            target=version,
            project=version.project,
            by=by,
            changes=changes,
        )
    return card


@transaction.atomic
def download_model_file(
    *, version: ModelVersion, path: str, by: User
) -> dict[str, Any]:
    """Hand out one file of `version`, and keep who took it.

    Returns:
        Its entry of the manifest, with the `sha256` it is stored under.

    Raises:
        Invalid: the version has no such file.
        Refused: only who may download models.
    """
    ensure(rules.can_download_model_file(by, version, path))
    entry = queries.manifest_entry(version, path)
    if entry is None:
        raise Invalid(f"This version has no file {path}.")
    record(
        EventType.MODEL_DOWNLOADED,
        target=version,
        project=version.project,
        by=by,
        changes={"path": path, "sha256": entry["sha256"]},
    )
    return entry
