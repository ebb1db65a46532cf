"""The decision brief: what a decision needs, short whatever was measured."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.registry.models import ModelCard
from apps.validation import queries
from apps.validation.around import around
from apps.validation.brief import brief
from apps.validation.document import report_document, told
from apps.validation.models import ValidationReport
from tests.counting import queries_of
from tests.factories import registry, reports
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def said(report, viewer):
    whole = queries.with_origins(ValidationReport.objects.all()).get(pk=report.pk)
    scene = around(whole, viewer=viewer, at=timezone.now())
    return brief(told(report_document(whole)), scene)


def group(name: str, recall: float, rows: int = 100) -> dict:
    measures = {"recall": {"value": recall, "low": 0.1, "high": 0.9}}
    counts = {"rows": rows, "positives": 20, "small": rows < 30}
    return {"group": name, "measures": measures, **counts}


def test_brief_says_what_a_model_is_worth_in_the_unit_of_the_mission(
    version, validator
):
    found = said(factory.finished_report(version, validator), validator)

    assert found["worth"][0] == (
        "Its errors cost 900 hours per 1,000 cases (95\N{NO-BREAK SPACE}% interval 810 "
        "to 990)."
    )
    assert "55\N{NO-BREAK SPACE}% less than working as today" in found["worth"][1]


def test_brief_without_a_mission_says_so_and_names_measures(version, validator):
    report = factory.finished_report(version, validator, mission=None)

    found = said(report, validator)

    assert "No cost of errors was stated" in found["worth"][0]
    assert found["worth"][1].startswith("Area under the ROC curve: 0.81 (")


def test_brief_takes_its_purpose_from_the_card_and_else_from_the_mission(
    version, validator
):
    report = factory.finished_report(version, validator)
    mission = said(report, validator)["purpose"]
    written = {"intended_use": "Orders  the\nqueue. " + "x" * 999}
    ModelCard.objects.update_or_create(version=version, defaults=written)

    card = said(report, validator)["purpose"]

    assert mission == version.project.mission
    assert card.startswith("Orders the queue. xxx")
    assert len(card) <= 300


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("pass", "1 criterion that must hold is met."),
        ("fail", "Of 1 criterion that must hold: 1 missed."),
        ("not_tested", "Of 1 criterion that must hold: 1 not tested."),
    ],
)
def test_brief_counts_what_must_hold(version, validator, verdict, sentence):
    report = factory.finished_report(version, validator, verdict)

    assert said(report, validator)["sentence"] == sentence


def test_brief_names_the_worst_group_that_is_large_enough(version, validator):
    groups = [group("climb", 0.6), group("taxi", 0.1, rows=9), group("cruise", 0.9)]
    column = {"column": "phase", "groups": groups}
    report = factory.finished_report(version, validator, subgroups=[column])

    fails = said(report, validator)["fails"]

    assert fails[-1] == "Worst by phase: climb, recall 0.6 instead of 0.7 (100 rows)."


def test_brief_names_no_group_where_none_is_behind(version, validator):
    column = {"column": "phase", "groups": [group("climb", 0.8), group("taxi", 0.7)]}
    report = factory.finished_report(version, validator, subgroups=[column])

    fails = said(report, validator)["fails"]

    assert not any("phase" in line for line in fails)


def test_brief_names_what_was_not_tested(version, validator):
    families = [reports.family(), reports.untested()]
    report = factory.finished_report(
        version, validator, "not_tested", families=families
    )

    untested = said(report, validator)["untested"]

    assert [one["title"] for one in untested] == ["Recall", "Against the champion"]
    assert untested[1]["reason"] == "There was no champion."


def test_brief_names_open_findings_worst_first(version, validator, data_scientist):
    report = factory.finished_report(version, validator)
    for place, severity in enumerate(("low", "low", "high", "blocking")):
        title = f"Number {place}"
        factory.finding(
            version, validator, data_scientist, title=title, severity=severity
        )

    found = said(report, validator)

    assert found["findings"][0].startswith("Blocking: Number 3 (finding 4, open, ")
    assert len(found["findings"]) == 3
    assert found["findings_more"] == "1 more."


def test_digest_stays_when_names_purpose_and_findings_change(
    version, validator, data_scientist
):
    report = factory.finished_report(version, validator)
    before = said(report, validator)
    factory.finding(version, validator, data_scientist)
    type(validator).objects.filter(pk=validator.pk).update(full_name="Another Name")
    type(version.project).objects.update(name="Another", mission="Another.")

    after = said(report, validator)

    assert after["digest"] == before["digest"]
    assert after["purpose"] != before["purpose"]


def test_digest_differs_for_another_report(version, validator):
    reports_made = [factory.finished_report(version, validator) for _ in range(2)]

    digests = {said(report, validator)["digest"] for report in reports_made}

    assert len(digests) == 2


def test_numbers_that_the_database_made_whole_keep_their_digest(version, validator):
    mission = {**factory.RESULT["mission"], "cost_per_1000": 1e20}
    report = factory.finished_report(version, validator, mission=mission)
    report = ValidationReport.objects.get(pk=report.pk)

    document = report_document(report)

    assert isinstance(report.result["mission"]["cost_per_1000"], int)
    assert document["result"]["mission"]["cost_per_1000"] == 1e20
    assert report_document(report)["digest"] == document["digest"]


def test_report_shows_the_brief_and_leads_to_the_rest(client_of, version, validator):
    report = factory.finished_report(version, validator)

    page = client_of(validator).get(report.get_absolute_url()).content.decode()

    assert said(report, validator)["digest"] in page
    assert reverse("validation:full_report", args=[report.pk]) in page
    assert "?format=pdf" in page


def test_report_costs_the_same_however_many_findings_there_are(
    client_of, version, validator, data_scientist
):
    report = factory.finished_report(version, validator)
    client = client_of(validator)
    factory.finding(version, validator, data_scientist)
    few = queries_of(lambda: client.get(report.get_absolute_url()))
    for place in range(5):
        factory.finding(version, validator, data_scientist, title=f"Number {place}")

    assert queries_of(lambda: client.get(report.get_absolute_url())) == few
