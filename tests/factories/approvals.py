"""Approval requests, made and decided through actions."""

from apps.approvals import actions
from apps.approvals.models import ApprovalRequest
from tests.factories import registry, validation
from tests.factories.people import PASSWORD


def validated_version(world, name: str = "damage", **result):
    """A version whose newest report passed; `result` replaces parts of it."""
    version = registry.model_version(world.project, world.data_scientist, name)
    validation.finished_report(version, world.validator, **result)
    version.refresh_from_db()
    return version


def request(world, version=None, message: str = "Finds more.") -> ApprovalRequest:
    """A request that waits for the validator."""
    version = version or validated_version(world)
    return actions.request_approval(
        version=version, message=message, by=world.data_scientist
    )


def sign(approval: ApprovalRequest, *people) -> ApprovalRequest:
    """Have each of `people` sign, one stage after the other."""
    for person in people:
        actions.sign_off(
            approval=approval, comment="Fine.", password=PASSWORD, by=person
        )
    approval.refresh_from_db()
    return approval


def approved(world, name: str = "damage") -> ApprovalRequest:
    """A request that all three signed: its version is champion."""
    return sign(
        request(world, validated_version(world, name)),
        world.validator,
        world.operations_manager,
        world.program_manager,
    )


def rejected(world, comment: str = "Misses hawks.") -> ApprovalRequest:
    """A request that the validator rejected."""
    approval = request(world)
    actions.reject(
        approval=approval, comment=comment, password=PASSWORD, by=world.validator
    )
    approval.refresh_from_db()
    return approval
