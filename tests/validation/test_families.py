"""Checks beside the measures: promised in a plan, fed with facts, shown on the page."""

import copy

import pytest
from django.urls import reverse

from apps.core.errors import Invalid
from apps.validation import actions, evaluation_inputs, queries
from apps.validation.criteria import check_criteria
from apps.validation.facts import facts_of
from apps.validation.families import family_sections
from tests.factories import regenerations, registry
from tests.factories import validation as factory

FAMILIES = [
    {
        "slug": "drift",
        "title": "Drift against the training data",
        "summary": "1 of 2 columns have moved.",
        "not_tested": "",
        "figures": [
            {
                "slug": "largest_psi",
                "title": "Largest population stability index",
                "value": 0.31,
                "low": None,
                "high": None,
                "unit": "index",
            }
        ],
        "tables": [
            {
                "title": "Drift by column",
                "columns": ["Column", "Index"],
                "rows": [["<speed>", 0.31], ["species", None]],
            }
        ],
        "curves": [
            {
                "title": "Effect of species",
                "x": "species",
                "y": "Average answer",
                "lines": [
                    {"name": "Gull", "x": [0], "y": [0.2]},
                    {"name": "Hawk", "x": [1], "y": [0.4]},
                ],
            },
            {
                "title": "Effect of speed",
                "x": "speed",
                "y": "Average answer",
                "lines": [{"name": "Average", "x": [1, 2], "y": [0.2, 0.3]}],
            },
        ],
    },
    {
        "slug": "fairness",
        "title": "Fairness between groups",
        "summary": "",
        "not_tested": "The plan names no column to tell groups apart by.",
        "figures": [],
        "tables": [],
        "curves": [],
    },
    {
        "slug": "performance",
        "title": "Performance",
        "summary": "Shown apart.",
        "not_tested": "",
        "figures": [],
        "tables": [],
        "curves": [],
    },
]


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def criterion(slug: str, operator: str, threshold: float) -> dict:
    return {
        "measure": slug,
        "operator": operator,
        "threshold": threshold,
        "blocking": True,
    }


def test_a_plan_promises_checks_beside_measures(version, validator):
    plan = factory.plan(
        version.model,
        validator,
        [
            criterion("selection_rate_ratio", ">=", 0.8),
            criterion("champion_recall", ">=", -0.02),
            criterion("latency_row_ms", "<=", 50),
        ],
    )
    assert plan.criteria_in_words == [
        "Smallest ratio of selection rates at least 0.8 — must hold",
        "Gain over the champion: Recall at least -0.02 — must hold",
        "Time for one row at most 50 — must hold",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (criterion("selection_rate_ratio", "<=", 0.8), "higher is better"),
        (criterion("selection_rate_ratio", ">=", 1.8), "between 0 and 1"),
        (criterion("latency_row_ms", "<=", -1), "not be negative"),
        (criterion("mae_difference", "<=", 1), "does not apply to a binary"),
        (criterion("sparkle", "<=", 1), "does not apply"),
    ],
)
def test_a_check_that_cannot_be_promised_is_refused(given, sentence):
    with pytest.raises(Invalid, match=sentence):
        check_criteria([given], "binary")


def test_the_form_offers_checks_by_family(version, validator, client_of):
    place = [version.project.slug, version.model.name]
    address = reverse("validation:write_plan", args=place)
    page = client_of(validator).get(address).text
    data = {"measure_0": "largest_psi", "threshold_0": "0.2", "blocking_0": "on"}

    answer = client_of(validator).post(address, data)

    assert '<optgroup label="Fairness between groups">' in page
    assert answer.status_code == 302
    plan = queries.latest_plan(version.model)
    assert plan.criteria[0]["operator"] == "<="


def test_facts_say_what_the_portal_knows(version, validator):
    facts = {fact.slug: fact for fact in facts_of(version)}
    assert facts["data_contract"].value is None
    assert "no contract" in facts["data_contract"].reason
    assert facts["regeneration"].value is None
    assert facts["file_safety"].value == 1
    assert facts["file_safety"].digest == version.manifest_digest
    total = sum(file["size_bytes"] for file in version.manifest)
    assert facts["files_bytes"].value == total

    data = version.run.dataset_version
    data.contract_check = {"revision": 1, "verdict": "failed", "checks": []}
    data.save()
    found = regenerations.certified(version.project, validator, version.run)
    facts = {fact.slug: fact for fact in facts_of(version)}

    assert facts["data_contract"].value == 0
    assert facts["regeneration"].value == 1
    assert facts["regeneration"].digest == found.certificate_sha256


def test_facts_are_frozen_when_the_report_is_asked_for(version, validator):
    factory.plan(version.model, validator)
    report = actions.request_report(version=version, by=validator)
    assert [fact["slug"] for fact in report.spec["facts"]] == [
        "data_contract",
        "regeneration",
        "file_safety",
        "files_bytes",
    ]


def test_the_page_shows_families_and_what_was_not_tested(version, validator, client_of):
    report = factory.finished_report(version, validator, families=FAMILIES)

    path = reverse("validation:full_report", args=[report.pk])
    page = client_of(validator).get(path).text

    assert "1 of 2 columns have moved." in page
    assert "&lt;speed&gt;" in page
    assert "The plan names no column to tell groups apart by." in page
    assert "Shown apart." not in page
    drift, _ = family_sections(report)
    assert [curve["title"] for curve in drift["curves"]] == [
        "Effect of species",
        "Effect of speed",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (3.55, "milliseconds", "3.55 ms"),
        (161_400, "bytes", "157.6\xa0KB"),
        (1, "yes_no", "Yes"),
        (0, "yes_no", "No"),
        (None, "bytes", "–"),
        (0.31, "index", "0.31"),
    ],
)
def test_figures_are_said_in_their_unit(version, validator, value, unit, said):
    families = copy.deepcopy(FAMILIES)
    [figure] = families[0]["figures"]
    figure.update(value=value, unit=unit)
    report = factory.finished_report(version, validator, families=families)

    [shown] = family_sections(report)[0]["figures"]

    assert shown["value"] == said


def test_reports_from_before_families_have_none(version, validator):
    assert family_sections(factory.finished_report(version, validator)) == []


@pytest.mark.parametrize(
    ("source", "on", "names"),
    [
        ("training", "held_out", {"train.parquet", "held_out.parquet"}),
        ("code", "held_out", set()),
        ("code", "sealed", {"train.parquet"}),
    ],
)
def test_rows_are_compared_only_where_it_is_known_which_were_learned_from(
    version, validator, tmp_path, source, on, names
):
    factory.plan(version.model, validator)
    report = actions.request_report(version=version, by=validator)
    report.version.run.source, report.evaluated_on = source, on

    inputs = tmp_path / "inputs"
    evaluation_inputs._copy_training_rows(report, inputs)

    assert {path.name for path in inputs.glob("*")} == names
