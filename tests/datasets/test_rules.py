import pytest

from apps.datasets import actions, rules
from apps.datasets.models import DatasetContent
from tests.factories import datasets as factory

OPEN, RESTRICTED = False, True
SCIENTIST_ONLY = "Only a data scientist of this project can do this."


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


@pytest.mark.parametrize(
    ("rule", "is_restricted", "reason"),
    [
        (rules.can_restrict_dataset, OPEN, ""),
        (rules.can_restrict_dataset, RESTRICTED, "restricted already"),
        (rules.can_open_dataset, RESTRICTED, ""),
        (rules.can_open_dataset, OPEN, "open to all members already"),
        (rules.can_grant_dataset, RESTRICTED, ""),
        (rules.can_grant_dataset, OPEN, "restrict it first"),
    ],
)
def test_access_rules_follow_the_state(
    dataset, program_manager, rule, is_restricted, reason
):
    dataset.is_restricted = is_restricted

    decision = rule(program_manager, dataset)

    assert decision.allowed is not bool(reason)
    assert reason in decision.reason


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


def test_can_revoke_dataset_grant_never_ones_own(dataset, data_scientist, validator):
    actions.restrict_dataset(dataset=dataset, by=data_scientist)
    dataset.refresh_from_db()

    own = rules.can_revoke_dataset_grant(data_scientist, dataset, data_scientist)
    other = rules.can_revoke_dataset_grant(data_scientist, dataset, validator)
    refused = rules.can_revoke_dataset_grant(validator, dataset, data_scientist)

    assert own.reason == "You cannot withdraw your own access; somebody else can."
    assert other.allowed
    assert not refused.allowed


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
