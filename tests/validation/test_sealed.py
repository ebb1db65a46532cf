"""Looks at sealed rows: counted, recorded, shown, and no more than the budget has."""

import pytest
from django.db import IntegrityError
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, WrongState
from apps.datasets.actions import set_sealed_budget
from apps.datasets.queries import sealed_part_of
from apps.jobs.actions import cancel_job
from apps.projects.actions import access
from apps.validation import actions, queries
from apps.validation.evaluation_inputs import prepare_report
from apps.validation.models import Rows, SealedLook, ValidationReport
from tests.costs import queries_of
from tests.factories import registry, sealed
from tests.factories import validation as factory
from tests.trail import nothing_recorded


@pytest.fixture
def version(project, data_scientist):
    made = sealed.model_version(project, data_scientist)
    factory.plan(made.model, data_scientist)
    return made


def look(version, by) -> ValidationReport:
    """Ask for a report on sealed rows, and cancel it so that another can follow."""
    report = actions.request_report(version=version, evaluated_on=Rows.SEALED, by=by)
    cancel_job(job=report, by=by)
    return report


def test_a_look_is_counted_and_recorded(version, validator):
    report = look(version, validator)

    found = SealedLook.objects.get()
    event = AuditEvent.objects.get(type="sealed.looked")
    assert (found.report, found.number, found.allowed) == (report, 1, 10)
    assert event.changes["look"] == 1
    assert event.changes["allowed"] == 10
    assert event.changes["model"] == str(version.model)
    assert event.changes["sealed_sha256"] == found.part.parquet_sha256
    assert event.actor_id == validator.pk


def test_a_report_on_held_out_rows_is_no_look(version, validator):
    report = factory.requested_report(version, validator)

    assert report.evaluated_on == Rows.HELD_OUT
    assert not SealedLook.objects.exists()
    assert queries.sealed_standing(version).taken == 0


def test_the_worker_gets_the_sealed_rows_and_nothing_else_of_them(
    version, validator, tmp_path
):
    report = actions.request_report(
        version=version, evaluated_on=Rows.SEALED, by=validator
    )

    prepare_report(report, tmp_path)

    names = {path.name for path in (tmp_path / "inputs").iterdir()}
    # Beside the sealed rows stand those it learned from, to be compared with them.
    assert names == {
        *("model.skops", "signature.json", "test.parquet"),
        *("train.parquet", "held_out.parquet"),
    }
    assert (tmp_path / "inputs" / "test.parquet").read_bytes() == sealed.SEALED


def test_versions_of_one_model_share_their_looks(version, validator, data_scientist):
    other = sealed.model_version(version.project, data_scientist)
    stranger = sealed.model_version(version.project, data_scientist, name="other")
    factory.plan(stranger.model, data_scientist)

    look(version, validator)
    look(other, validator)
    look(stranger, validator)

    assert queries.sealed_standing(version).taken == 2
    assert queries.sealed_standing(stranger).taken == 1
    assert queries.sealed_standing(version).words == (
        "This model family has looked 2 times of 10."
    )


def test_a_used_up_budget_refuses_until_it_is_raised(
    version, validator, program_manager
):
    project = version.project
    set_sealed_budget(project=project, looks=1, reason="One.", by=program_manager)
    look(version, validator)

    with nothing_recorded(), pytest.raises(WrongState, match="1 time of 1"):
        look(version, validator)

    set_sealed_budget(project=project, looks=2, reason="A fix.", by=program_manager)
    look(version, validator)
    assert SealedLook.objects.count() == ValidationReport.objects.count() == 2


def test_the_database_holds_the_budget_too(version, validator):
    look(version, validator)

    with pytest.raises(IntegrityError, match="look_within_its_budget"):
        SealedLook.objects.update(number=11)


def test_data_without_sealed_rows_has_none_to_look_at(
    project, data_scientist, validator
):
    version = registry.model_version(project, data_scientist)
    factory.plan(version.model, validator)

    with nothing_recorded(), pytest.raises(WrongState, match="no sealed rows"):
        look(version, validator)
    with pytest.raises(Invalid):
        actions.request_report(version=version, evaluated_on="all", by=validator)
    with pytest.raises(ValueError, match="no sealed rows"):
        queries.known_sealed_standing(version)


def test_pages_say_how_often_the_model_looked(version, validator, client_of):
    client = client_of(validator)
    address = reverse(
        "validation:request_report",
        args=[version.project.slug, version.model.name, version.number],
    )

    before = client.get(version.get_absolute_url())
    report = client.post(address, {"evaluated_on": "sealed"}, follow=True)

    assert "This model family has looked 0 times of 10." in before.text
    assert "Sealed rows, look 1 of 10" in report.text
    assert "look 1 of 10" in report.text
    after = client.get(version.get_absolute_url())
    assert "This model family has looked 1 time of 10." in after.text
    page = reverse("home:sealed_data", args=[version.run.dataset_version.dataset_id])
    shown = client.get(page)
    assert "1 of 10" in shown.text
    assert f"{version.model.name}, version {version.number}" in shown.text


def test_the_page_names_no_restricted_model(version, validator, world, client_of):
    look(version, validator)
    access.restrict(thing=version.model, by=world.data_scientist)
    page = reverse("home:sealed_data", args=[version.run.dataset_version.dataset_id])

    shown = client_of(world.developer).get(page)

    assert "A restricted model" in shown.text
    assert version.model.name not in shown.text


def test_the_page_costs_the_same_however_many_looks(version, validator, client_of):
    client = client_of(validator)
    page = reverse("home:sealed_data", args=[version.run.dataset_version.dataset_id])
    look(version, validator)
    few = queries_of(client, page)
    for _ in range(6):
        look(version, validator)

    assert queries_of(client, page) == few


def test_the_api_takes_and_tells_a_look(version, validator, api_of):
    api = api_of(validator)
    project, name = version.project.slug, version.model.name
    address = reverse("v1:validation_reports", args=[project, name, version.number])

    bad = api.post(address, {"evaluated_on": "all"}, "application/json")
    good = api.post(address, {"evaluated_on": "sealed"}, "application/json")

    assert bad.status_code == 422
    assert good.status_code == 202
    assert good.json()["evaluated_on"] == "sealed"
    assert queries.sealed_standing(version).taken == 1


def test_no_artifact_of_any_run_holds_sealed_rows(version, validator):
    look(version, validator)
    factory.finished_report(version, validator)
    part = sealed_part_of(version.run.dataset_version)

    digests = set(version.run.artifacts.values_list("sha256", flat=True))
    files = {entry["sha256"] for entry in version.manifest}
    assert part.parquet_sha256 not in digests | files


def test_a_cancelled_report_can_be_asked_for_again_on_the_same_rows(
    version, validator, client_of
):
    page = client_of(validator).get(look(version, validator).get_absolute_url()).text
    assert "Compute a new report" in page
    assert "Compute a report on the sealed rows" in page
