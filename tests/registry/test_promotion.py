"""Moving states and the champion alias."""

import itertools

import pytest

from apps.audit.models import AuditEvent
from apps.core.errors import WrongState
from apps.registry import promotion, queries
from apps.registry.models import (
    VERSION_TRANSITIONS,
    Alias,
    AliasName,
    ModelVersion,
    VersionState,
)
from tests.factories import registry


@pytest.mark.parametrize(
    ("before", "after"), list(itertools.product(VersionState, VersionState))
)
def test_move_version_follows_the_table(project, data_scientist, worker, before, after):
    version = registry.model_version(project, data_scientist)
    ModelVersion.objects.filter(pk=version.pk).update(state=before)
    events = AuditEvent.objects.count()

    if after in VERSION_TRANSITIONS[before]:
        promotion.move_version(version=version, to=after, by=worker)
        expected, recorded = after, 1
        changes = AuditEvent.objects.order_by("-pk")[0].changes
        assert changes == {"state": [before, after]}
    else:
        with pytest.raises(WrongState):
            promotion.move_version(version=version, to=after, by=worker)
        expected, recorded = before, 0

    assert ModelVersion.objects.get(pk=version.pk).state == expected
    assert AuditEvent.objects.count() == events + recorded


def test_move_alias_is_for_approved_versions(project, data_scientist, program_manager):
    version = registry.model_version(project, data_scientist)

    with pytest.raises(WrongState, match="Only an approved version"):
        promotion.move_alias(
            version=version, alias=AliasName.CHAMPION, by=program_manager
        )


def test_move_alias_names_the_former_champion(project, data_scientist):
    first = registry.champion(project, data_scientist)
    second = registry.champion(project, data_scientist)

    assert queries.champion_of(first.model) == second
    assert Alias.objects.count() == 1
    event = AuditEvent.objects.order_by("-pk")[0]
    assert event.type == "model.alias_moved"
    assert event.changes == {"champion": [1, 2]}
