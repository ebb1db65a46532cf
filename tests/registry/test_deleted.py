"""What was put aside between the look and the deed takes nothing on any more."""

import pytest

from apps.access.checks import ALLOWED
from apps.core.errors import WrongState
from apps.registry import actions
from apps.registry.actions import Origin, VersionWords
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from apps.validation.actions import request_report
from tests.factories import exceptions, registry
from tests.factories import validation as factory
from tests.trail import nothing_recorded


def test_a_version_that_was_deleted_meanwhile_takes_nothing_on(world):
    by = world.data_scientist
    version = registry.model_version(world.project, by)
    factory.plan(version.model, world.validator)
    found = ModelVersion.objects.get(pk=version.pk)  # as a page has it
    actions.delete_version(version=version, by=by)

    for deed in (
        lambda: actions.set_alias(version=found, name="fast", approval=ALLOWED, by=by),
        lambda: actions.describe_version(version=found, description="New", by=by),
        lambda: actions.set_version_tag(version=found, key="k", value="v", by=by),
        lambda: actions.edit_card(version=found, sections={"limitations": "x"}, by=by),
        lambda: request_report(version=found, by=world.validator),
        lambda: factory.finding(found, world.validator, by),
        lambda: exceptions.state(found, by),
    ):
        with nothing_recorded(), pytest.raises(WrongState, match="is deleted"):
            deed()

    assert not Alias.objects.exists()
    assert actions.delete_version(version=found, by=by).deleted_at  # asked twice


def test_a_model_that_was_deleted_meanwhile_takes_nothing_on(world):
    by = world.data_scientist
    version = registry.model_version(world.project, by)
    found = RegisteredModel.objects.get()
    actions.delete_model(model=version.model, by=by)

    for deed in (
        lambda: actions.create_version(
            model=found, origin=Origin(run=version.run), words=VersionWords(), by=by
        ),
        lambda: actions.rename_model(model=found, name="other", by=by),
        lambda: actions.set_model_tag(model=found, key="k", value="v", by=by),
        lambda: factory.plan(found, world.validator),
    ):
        with nothing_recorded(), pytest.raises(WrongState, match="is deleted"):
            deed()

    assert ModelVersion.objects.count() == 1
    assert actions.delete_model(model=found, by=by).deleted_at  # asked twice
