"""Registering versions, writing cards, handing out files and access."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, Refused, WrongState
from apps.projects.actions import access
from apps.registry import actions
from apps.registry.models import (
    ModelCard,
    ModelVersion,
    RegisteredModel,
    VersionState,
)
from tests.factories import experiments, projects, registry, training

SECTIONS = {"intended_use": "Sends crews.", "limitations": "Weak at night."}


def types() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("type", flat=True))


def last_event() -> AuditEvent:
    return AuditEvent.objects.order_by("-pk")[0]


@pytest.fixture
def version(project, data_scientist) -> ModelVersion:
    return registry.model_version(project, data_scientist)


def register(run, by, **values) -> ModelVersion:
    given = {"project": run.project, "model_name": "damage", "description": ""}
    return actions.register_version(**{**given, **values}, run=run, by=by)


def test_register_version_seals_the_files_of_the_run(project, data_scientist):
    run = registry.run_with_model(project, data_scientist)

    version = register(run, data_scientist, description="Finds damage.")

    paths = [entry["path"] for entry in version.manifest]
    assert paths == sorted(training.FILES)
    assert version.manifest_digest == canonical_digest(version.manifest)
    assert (version.number, version.state) == (1, VersionState.DRAFT)
    assert version.signature == training.SIGNATURE
    assert version.card.intended_use == ""
    assert version.model.description == "Finds damage."
    assert types()[-2:] == ["model.registered", "model.version_registered"]
    assert last_event().changes["manifest_digest"] == version.manifest_digest


def test_register_version_takes_an_onnx_file_alone(project, data_scientist):
    run = registry.run_with_model(project, data_scientist)
    run.artifacts.filter(path="model.skops").delete()

    version = register(run, data_scientist)

    paths = [entry["path"] for entry in version.manifest]
    assert "model.onnx" in paths
    assert "model.skops" not in paths


def test_register_version_counts_without_gaps(project, data_scientist):
    versions = [registry.model_version(project, data_scientist) for _ in range(3)]

    assert [version.number for version in versions] == [1, 2, 3]
    assert types().count("model.registered") == 1


@pytest.mark.parametrize(
    ("given", "kept"), [("", "Finds damage."), ("Finds it sooner.", "Finds it sooner.")]
)
def test_register_version_takes_a_new_description(project, data_scientist, given, kept):
    registry.model_version(project, data_scientist, description="Finds damage.")

    version = registry.model_version(project, data_scientist, description=given)

    assert RegisteredModel.objects.get(pk=version.model_id).description == kept
    assert types().count("model.described") == (1 if given else 0)


def test_register_version_takes_the_same_files_once_under_a_name(
    data_scientist, version
):
    with pytest.raises(WrongState, match="registered already, as"):
        register(version.run, data_scientist)

    again = register(version.run, data_scientist, model_name="again")
    assert (again.number, again.manifest) == (1, version.manifest)
    assert version.model.versions.count() == 1


def test_register_version_refuses_a_run_without_a_model(project, data_scientist):
    run = experiments.run(
        training.experiment(project, data_scientist),
        data_scientist,
        artifacts=[experiments.artifact("notes.txt")],
    )

    with pytest.raises(WrongState, match="This run has no model"):
        register(run, data_scientist)


def test_register_version_says_why_a_model_cannot_be_evaluated(project, data_scientist):
    run = experiments.run(
        training.experiment(project, data_scientist),
        data_scientist,
        artifacts=[experiments.artifact("model.skops")],
    )

    version = register(run, data_scientist)

    assert version.signature == {}
    assert "what the model takes and answers" in version.unfit_reason


@pytest.mark.parametrize("name", ["", " ", ".", "..", "x" * 256, "a/b", "a:b", "a\n"])
def test_register_version_refuses_a_bad_name(project, data_scientist, name):
    run = registry.run_with_model(project, data_scientist)

    with pytest.raises(Invalid) as found:
        register(run, data_scientist, model_name=name)

    assert "model_name" in found.value.fields


def test_register_version_stays_in_the_project_of_the_run(project, data_scientist):
    run = registry.run_with_model(project, data_scientist)

    with pytest.raises(Invalid, match="another project"):
        register(run, data_scientist, project=projects.project("other"))


def test_register_version_adds_nothing_to_a_model_it_must_not_see(
    project, data_scientist, program_manager, version
):
    run = registry.run_with_model(project, data_scientist)
    access.restrict(thing=version.model, by=program_manager)
    access.revoke_grant(thing=version.model, person=data_scientist, by=program_manager)

    with pytest.raises(Invalid, match="that you cannot see"):
        register(run, data_scientist)


@pytest.mark.parametrize("person", ["validator", "program_manager", "auditor"])
def test_register_version_is_for_data_scientists(
    project, data_scientist, world, person
):
    run = registry.run_with_model(project, data_scientist)
    events = types()

    with pytest.raises(Refused, match="Only a data scientist"):
        register(run, getattr(world, person))

    assert types() == events
    assert not RegisteredModel.objects.exists()


def test_edit_card_keeps_what_people_wrote(version, data_scientist):
    card = actions.edit_card(version=version, sections=SECTIONS, by=data_scientist)

    assert card.limitations == "Weak at night."
    assert card.human_oversight == ""
    assert last_event().changes["intended_use"] == ["", "Sends crews."]


def test_edit_card_without_a_change_leaves_no_event(version, data_scientist):
    actions.edit_card(version=version, sections=SECTIONS, by=data_scientist)
    events = types()

    actions.edit_card(version=version, sections=SECTIONS, by=data_scientist)

    assert types() == events


@pytest.mark.parametrize(
    "sections",
    [{"poem": "Roses"}, {"limitations": "x" * 20_001}, {"limitations": "\0"}],
)
def test_edit_card_refuses_what_does_not_fit(version, data_scientist, sections):
    with pytest.raises(Invalid) as found:
        actions.edit_card(version=version, sections=sections, by=data_scientist)

    assert set(found.value.fields) == set(sections)


def test_edit_card_at_once_keeps_what_both_wrote(committed, world):
    """Both wait for the version; the second must not write over the first."""
    by = world.data_scientist
    version = registry.model_version(world.project, by)

    def write(name: str) -> None:
        try:
            actions.edit_card(version=version, sections={name: "Written."}, by=by)
        finally:
            connection.close()

    names = list(SECTIONS)
    with ThreadPoolExecutor(len(names)) as pool:
        with transaction.atomic():
            ModelVersion.objects.select_for_update().get(pk=version.pk)
            waiting = [pool.submit(write, name) for name in names]
            wait_for_lock(len(names))
        for one in waiting:
            one.result(timeout=30)

    card = ModelCard.objects.get(version=version)
    assert [getattr(card, name) for name in names] == ["Written.", "Written."]


def wait_for_lock(count: int) -> None:
    """Return when so many connections wait for a row."""
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.05)
    pytest.fail("Nobody waits.")


def test_edit_card_is_too_late_in_review(version, data_scientist, worker):
    registry.moved(version, worker, VersionState.VALIDATED, VersionState.IN_REVIEW)

    with pytest.raises(WrongState, match="is in review"):
        actions.edit_card(version=version, sections=SECTIONS, by=data_scientist)


def test_download_model_file_keeps_who_took_it(version, developer):
    entry = actions.download_model_file(
        version=version, path="model.skops", by=developer
    )

    event = last_event()
    assert (event.type, event.actor_id) == ("model.downloaded", developer.pk)
    assert event.changes == {"path": "model.skops", "sha256": entry["sha256"]}


def test_download_model_file_knows_the_manifest_only(version, developer):
    with pytest.raises(Invalid, match="no file"):
        actions.download_model_file(version=version, path="../secret", by=developer)


def test_a_restricted_model_is_described_and_taken_by_who_sees_it(
    version, data_scientist, program_manager
):
    version.model = access.restrict(thing=version.model, by=program_manager)
    access.revoke_grant(thing=version.model, person=data_scientist, by=program_manager)

    with pytest.raises(Refused, match="You cannot see this restricted model"):
        actions.edit_card(version=version, sections=SECTIONS, by=data_scientist)
    with pytest.raises(Refused, match="You cannot see this restricted model"):
        actions.download_model_file(
            version=version, path="model.skops", by=data_scientist
        )
