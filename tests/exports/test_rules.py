import pytest

from apps.exports import rules
from apps.exports.models import ExportForm
from tests.factories import exports, people

FILTERED = [form for form in ExportForm if form.is_filtered]
EXPORTERS = {"auditor", "program_manager"}
PEOPLE = (
    *("auditor", "program_manager", "data_scientist", "validator", "developer"),
    *("ai_official", "administrator", "outsider"),
)


@pytest.mark.parametrize("form", FILTERED)
@pytest.mark.parametrize("person", PEOPLE)
def test_can_request_export_of_a_filter(world, person, form):
    exports.seal_everything()

    decision = rules.can_request_export(getattr(world, person), form)

    assert bool(decision) == (person in EXPORTERS)
    if not decision:
        assert "Only an auditor or a program manager" in decision.reason


@pytest.mark.parametrize("person", PEOPLE)
def test_can_request_export_of_everything(world, person):
    exports.seal_everything()

    decision = rules.can_request_export(getattr(world, person), ExportForm.BUNDLE)

    assert bool(decision) == (person == "auditor")
    if not decision:
        assert decision.reason.startswith("Only an auditor can export the whole")


@pytest.mark.parametrize("form", ExportForm)
def test_nothing_can_be_exported_before_it_is_sealed(auditor, form):
    decision = rules.can_request_export(auditor, form)

    assert decision.reason.startswith("Nothing is sealed yet")


def test_a_person_has_no_more_than_five_unfinished_exports(auditor, program_manager):
    exports.written(auditor)
    for day in range(1, 6):
        assert rules.can_request_export(auditor, ExportForm.CSV)
        exports.requested(auditor, since=f"2026-01-0{day}")

    decision = rules.can_request_export(auditor, ExportForm.CSV)

    assert decision.reason.startswith("5 exports of yours are not finished yet")
    assert rules.can_request_export(program_manager, ExportForm.CSV)


def test_can_download_export_asks_who_and_whether_there_is_a_file(world):
    other = people.person("other@agency.example", "Otto", agency_roles=["auditor"])
    waiting = exports.requested(world.auditor)
    finished = exports.written(world.auditor, "jsonl")

    assert rules.can_download_export(world.auditor, finished)
    assert rules.can_download_export(other, finished).reason == (
        "Only who asked for this export can download it."
    )
    assert rules.can_download_export(world.auditor, waiting).reason == (
        "This export has no file."
    )


def test_can_download_export_asks_for_the_right_again(auditor):
    finished = exports.written(auditor, "bundle")

    auditor.agency_roles = []

    assert rules.can_download_export(auditor, finished).reason.startswith("Only an")


def test_only_workers_remove_files(world):
    finished = exports.written(world.auditor)

    assert rules.can_remove_export(world.worker, finished)
    assert not rules.can_remove_export(world.auditor, finished)
