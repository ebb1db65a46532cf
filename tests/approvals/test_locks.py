"""Who changes a version locks its model first, so that nobody waits in a circle."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.checks import ALLOWED
from apps.core.sandbox import Outcome
from apps.registry import actions as registry
from apps.registry.models import Stage
from apps.validation.actions import request_report
from tests.factories import approvals as factory
from tests.factories import validation

LOCKED = re.compile(r'FROM "(\w+)".* FOR (?:NO KEY )?UPDATE')


@pytest.fixture
def version(world):
    return factory.validated_version(world)


def request_approval(world, version):
    return lambda: factory.request(world, version)


def sign_off_last(world, version):
    approval = factory.request(world, version)
    factory.sign(approval, world.validator, world.operations_manager)
    return lambda: factory.sign(approval, world.program_manager)


def finish_report(world, version):
    report = validation.running_report(version, world.validator)
    outcome = Outcome("succeeded", Path(), result=validation.engine_result())
    return lambda: validation.finish(report, outcome)


def ask_for_report(world, version):
    return lambda: request_report(version=version, by=world.validator)


def raise_finding(world, version):
    return lambda: validation.finding(version, world.validator, world.data_scientist)


def move_stage(world, version):
    return lambda: registry.move_stage(
        version=version,
        stage=Stage.STAGING,
        archive_others=True,
        approval=ALLOWED,
        by=world.data_scientist,
    )


@pytest.mark.parametrize(
    "prepare",
    [
        request_approval,
        sign_off_last,
        ask_for_report,
        finish_report,
        raise_finding,
        move_stage,
    ],
)
def test_the_model_is_locked_before_its_version(world, version, prepare):
    act = prepare(world, version)

    with CaptureQueriesContext(connection) as captured:
        act()

    locked = [found[1] for one in captured if (found := LOCKED.search(one["sql"]))]
    ours = [table for table in locked if table.startswith("registry_")]
    assert ours[:2] == ["registry_registeredmodel", "registry_modelversion"]
