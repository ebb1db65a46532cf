"""Changes of many runs at once: all of them, or none."""

import pytest

from apps.access.checks import Refused
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, WrongState
from apps.experiments import actions
from apps.experiments.actions import RunCount, RunStart
from apps.experiments.models import Run, RunTag
from tests.factories import experiments as factory
from tests.factories import registry


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


@pytest.fixture
def runs(experiment, data_scientist):
    return [
        actions.start_run(
            experiment=experiment, start=RunStart(name=name), by=data_scientist
        )
        for name in ("one", "two")
    ]


def events_since(last) -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(pk__gt=last.pk).order_by("pk")
    return list(found.values_list("type", "target_id"))


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("pk")


def test_tag_runs_says_so_of_each_run(runs, data_scientist):
    before = last_event()

    actions.tag_runs(runs=runs, tags={"release": "1"}, by=data_scientist)

    tagged = RunTag.objects.filter(key="release", value="1")
    assert set(tagged.values_list("run", flat=True)) == {run.pk for run in runs}
    assert sorted(events_since(before)) == sorted(
        ("run.tags_set", str(run.pk)) for run in runs
    )


def test_delete_runs_and_restore_runs(runs, data_scientist):
    before = last_event()

    actions.delete_runs(runs=runs, by=data_scientist)
    actions.delete_runs(runs=runs, by=data_scientist)

    assert not Run.objects.active().exists()
    assert [kind for kind, _ in events_since(before)] == ["run.deleted"] * 2

    before = last_event()
    actions.restore_runs(runs=runs, by=data_scientist)
    actions.restore_runs(runs=runs, by=data_scientist)

    assert Run.objects.active().count() == 2
    assert [kind for kind, _ in events_since(before)] == ["run.restored"] * 2


def test_one_run_that_is_protected_protects_all(runs, experiment, data_scientist):
    whole = factory.run(experiment, data_scientist, name="Recorded whole")
    before = last_event()

    for change in (
        lambda some: actions.tag_runs(runs=some, tags={"a": "b"}, by=data_scientist),
        lambda some: actions.delete_runs(runs=some, by=data_scientist),
        lambda some: actions.restore_runs(runs=some, by=data_scientist),
    ):
        with pytest.raises(Refused, match="Recorded whole: This run was recorded"):
            change([*runs, whole])

    assert not RunTag.objects.filter(key="a").exists()
    assert Run.objects.active().count() == 3
    assert events_since(before) == []


def test_delete_runs_refuses_what_became_a_model(project, runs, data_scientist):
    version = registry.model_version(project, data_scientist)

    with pytest.raises(Refused, match="was registered as a model"):
        actions.delete_runs(runs=[*runs, version.run], by=data_scientist)

    assert Run.objects.active().count() == 3


def test_bulk_changes_are_refused_to_others(runs, validator):
    for change in (
        lambda: actions.tag_runs(runs=runs, tags={"a": "b"}, by=validator),
        lambda: actions.delete_runs(runs=runs, by=validator),
        lambda: actions.restore_runs(runs=runs, by=validator),
    ):
        with pytest.raises(Refused, match="one: Only"):
            change()


def test_bulk_changes_name_the_run_that_is_put_aside(runs, data_scientist):
    actions.delete_run(run=runs[1], by=data_scientist)

    with pytest.raises(WrongState, match=r"two: .* None of the chosen runs changes"):
        actions.tag_runs(runs=runs, tags={"a": "b"}, by=data_scientist)

    assert not RunTag.objects.filter(key="a").exists()


def test_restore_runs_of_an_experiment_that_is_put_aside(
    runs, experiment, data_scientist
):
    actions.delete_experiment(experiment=experiment, by=data_scientist)

    with pytest.raises(WrongState, match="restore that first"):
        actions.restore_runs(runs=runs, by=data_scientist)


def test_bulk_changes_need_runs_and_a_tag(runs, data_scientist):
    with pytest.raises(RunCount, match="Choose 1 to 100"):
        actions.delete_runs(runs=[], by=data_scientist)
    with pytest.raises(Invalid, match="cannot be"):
        actions.tag_runs(runs=runs, tags={"a#": "b"}, by=data_scientist)
