from apps.home.next_step import next_step
from tests.factories import approvals, training, validation
from tests.factories import projects as project_factory
from tests.factories import registry as registry_factory


def label(project, user) -> str | None:
    found = next_step(project, user)
    return found.label if found else None


def test_a_program_manager_is_led_from_objective_to_members(world):
    empty = project_factory.project("empty", by=world.program_manager)

    assert label(empty, world.program_manager) == "State the objective"
    assert label(world.project, world.program_manager) is None


def test_a_program_manager_is_told_which_signer_is_missing(world):
    world.project.memberships.filter(user=world.operations_manager).delete()

    found = next_step(world.project, world.program_manager)

    assert found.sentence == "Nobody can sign as operations manager yet."
    assert found.label == "Add a member"


def test_a_data_scientist_is_led_from_data_to_approval(world):
    project, person = world.project, world.data_scientist
    seen = [label(project, person)]

    training.data(project, person)
    seen.append(label(project, person))
    registry_factory.run_with_model(project, person)
    seen.append(label(project, person))
    version = registry_factory.model_version(project, person)
    seen.append(label(project, person))
    validation.finished_report(version, world.validator)
    seen.append(label(project, person))
    version.refresh_from_db()
    approvals.request(world, version)
    seen.append(label(project, person))

    assert seen == [
        "Upload a dataset",
        "Launch training",
        "Look at the newest run",
        None,
        "Ask for approval",
        None,
    ]


def test_a_validator_is_led_from_plan_to_signature(world):
    project, person = world.project, world.validator
    seen = [label(project, person)]

    version = registry_factory.model_version(project, world.data_scientist)
    seen.append(label(project, person))
    validation.plan(version.model, person)
    seen.append(label(project, person))
    validation.finished_report(version, person)
    seen.append(label(project, person))
    version.refresh_from_db()
    approvals.request(world, version)
    seen.append(label(project, person))

    assert seen == [
        None,
        "Write a validation plan",
        "Compute a report",
        None,
        "Read the evidence",
    ]


def test_readers_are_led_nowhere(world):
    for person in (world.developer, world.auditor, world.outsider):
        assert label(world.project, person) is None
