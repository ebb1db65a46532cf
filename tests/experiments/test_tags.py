"""Tags of everything that has some are written and taken back in one way."""

import pytest

from apps.experiments import actions as experiments
from apps.registry import actions as registry_actions
from tests.factories import experiments as factory
from tests.factories import registry
from tests.trail import nothing_recorded, one_event


def thing_of(kind: str, world):
    """Something with tags, and how one of its is set and taken back."""
    by = world.data_scientist
    if kind == "experiment":
        made = factory.experiment(world.project, by)
        return made, experiments.set_experiment_tag, experiments.delete_experiment_tag
    version = registry.model_version(world.project, by)
    if kind == "version":
        deeds = registry_actions.set_version_tag, registry_actions.delete_version_tag
        return version, *deeds
    deeds = registry_actions.set_model_tag, registry_actions.delete_model_tag
    return version.model, *deeds


@pytest.mark.parametrize("kind", ["experiment", "model", "version"])
def test_events_tell_what_a_tag_said_before(world, kind):
    by = world.data_scientist
    thing, write, delete = thing_of(kind, world)
    given = {kind: thing, "key": "stage", "by": by}

    with one_event(f"{EVENTS[kind]}_set") as first:
        write(**given, value="draft")
    found = thing.tags.get()
    with one_event(f"{EVENTS[kind]}_set") as second:
        write(**given, value="final")
    with nothing_recorded():
        write(**given, value="final")
    # The tag was read before its value changed.
    with one_event(f"{EVENTS[kind]}_deleted") as third:
        delete(tag=found, by=by)
    with nothing_recorded():
        delete(tag=found, by=by)

    told = [events[0].changes for events in (first, second, third)]
    assert told == [
        {"stage": [None, "draft"]},
        {"stage": ["draft", "final"]},
        {"stage": ["final", None]},
    ]
    assert not thing.tags.exists()


EVENTS = {
    "experiment": "experiment.tag",
    "model": "model.tag",
    "version": "model.version_tag",
}
