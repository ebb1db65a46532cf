import pytest

from apps.datasets import rules
from apps.datasets.models import DatasetContent
from apps.projects.actions import access
from tests.factories import datasets as factory

SCIENTIST_ONLY = "Only a data scientist of this project can do this."


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


@pytest.mark.parametrize(
    "rule",
    [rules.can_upload_version, rules.can_edit_dataset],
)
@pytest.mark.parametrize(
    ("person", "is_allowed"),
    [("data_scientist", True), ("program_manager", False), ("auditor", False)],
)
def test_writing_rules_name_who_may(dataset, world, rule, person, is_allowed):
    decision = rule(getattr(world, person), dataset)

    assert decision.allowed is is_allowed
    assert is_allowed or decision.reason == SCIENTIST_ONLY


@pytest.mark.parametrize(
    ("content", "person", "reason"),
    [
        (DatasetContent.ORIGINAL, "validator", ""),
        (DatasetContent.ORIGINAL, "auditor", "Only a "),
        (DatasetContent.PARQUET, "validator", "until the upload was read"),
    ],
)
def test_can_download_version_of_an_unread_upload(
    dataset, world, content, person, reason
):
    version = factory.version(dataset, world.data_scientist)

    decision = rules.can_download_version(getattr(world, person), version, content)

    assert decision.allowed is not bool(reason)
    assert reason in decision.reason


def test_a_restricted_dataset_is_changed_and_taken_by_who_sees_it(dataset, world):
    version = factory.ready_version(dataset, world.data_scientist)
    version.dataset = access.restrict(thing=dataset, by=world.program_manager)
    access.revoke_grant(
        thing=dataset, person=world.data_scientist, by=world.program_manager
    )

    decisions = [
        rules.can_edit_dataset(world.data_scientist, version.dataset),
        rules.can_upload_version(world.data_scientist, version.dataset),
        rules.can_download_version(
            world.data_scientist, version, DatasetContent.ORIGINAL
        ),
    ]

    assert {decision.reason for decision in decisions} == {
        "You cannot see this restricted dataset without being given access."
    }
