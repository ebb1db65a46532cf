"""The summary to read, and what a bundle supports in the words of an assessment."""

import io
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from apps.accounts import actions as accounts
from apps.audit.evidence import Evidence, checkpoint_at
from apps.audit.exports import summary
from apps.audit.exports.chosen import Chosen
from apps.audit.exports.oscal import OBSERVATIONS, assessment_results
from apps.audit.models import AuditEvent
from apps.audit.queries import AuditFilter
from tests.factories import exports

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """What reaches the page, as data."""
    found, typeset = [], summary.typeset

    def keep(package, template, data, *, at):
        found.append(json.loads(json.dumps(data)))
        return typeset(package, template, data, at=at)

    monkeypatch.setattr(summary, "typeset", keep)
    return found


def summed_up(by, *, with_names=False, **wanted) -> bytes:
    size, target = exports.seal_everything(), io.BytesIO()
    chosen = Chosen(AuditFilter(**wanted), by, size, with_names=with_names)
    checkpoint = checkpoint_at(size)
    summary.write_summary(target, chosen, checkpoint, at=AT, tell=lambda _: None)
    return target.getvalue()


def test_a_summary_is_an_accessible_pdf(auditor, told):
    pdf = summed_up(auditor)

    assert pdf.startswith(b"%PDF-")
    assert b"pdfuaid" in pdf
    assert b"/StructTreeRoot" in pdf


def test_a_summary_counts_by_action_outcome_and_person(auditor, told):
    summed_up(auditor, with_names=True)

    [data] = told
    events = AuditEvent.objects.all()
    assert data["count"] == str(events.count())
    assert ["member.added", "added a member to", "4"] in data["actions"]
    assert data["outcomes"] == [["success", str(events.count())]]
    assert ["Petra Program <program_manager@agency.example>"] in [
        row[:1] for row in data["people"]
    ]
    assert sum(count for _, count in data["bars"]["counts"]) == events.count()
    assert data["sealed"]["keys"] == [exports.SIGNER.vkey]


def test_a_summary_without_names_has_accounts_only(auditor, told):
    summed_up(auditor)

    assert {row[0] for row in told[0]["people"]} == {""}


def test_a_summary_of_nothing_is_a_page(auditor, told):
    pdf = summed_up(auditor, since="2100-01-01", type="member.added")

    assert pdf.startswith(b"%PDF-")
    assert told[0]["filter"] == [["What", "member.added"], ["From", "2100-01-01"]]
    assert told[0]["bars"]["counts"] == []


@pytest.mark.parametrize(
    "name", ['#panic("x")', "*bold* _it_ $x$", "</w:t>", "= h", "\\", '"}', "]"]
)
def test_text_of_people_is_never_markup(auditor, administrator, told, name):
    accounts.edit_person(person=auditor, profile={"full_name": name}, by=administrator)
    auditor.refresh_from_db()

    pdf = summed_up(auditor, with_names=True, text=name)

    assert pdf.startswith(b"%PDF-")
    assert told[0]["who"].startswith(name)


def test_only_so_many_people_are_named_and_the_rest_is_counted(
    auditor, told, monkeypatch
):
    monkeypatch.setattr(summary, "MAX_PEOPLE", 1)

    summed_up(auditor)

    assert len(told[0]["people"]) == 2
    assert told[0]["people"][1][0].endswith("more accounts")


@pytest.mark.parametrize(
    ("days", "step"),
    [(["2026-01-01", "2026-01-02"], "day"), (None, "month"), ("years", "year")],
)
def test_bars_are_days_months_or_years(days, step):
    if days is None:
        days = [f"2026-{month:02}-{day:02}" for month in range(1, 5) for day in (1, 9)]
        days += [f"2026-05-{day:02}" for day in range(1, 32)]
        days += [f"2026-07-{day:02}" for day in range(1, 32)]
    if days == "years":
        months = [f"{month:02}-01" for month in range(1, 13)]
        days = [f"20{year}-{month}" for year in range(20, 30) for month in months]
    counted = {datetime.fromisoformat(day).date(): 1 for day in days}

    found, counts = summary._stepped(counted)

    assert found == step
    assert sum(counts.values()) == len(days)


def evidence() -> Evidence:
    return Evidence(checkpoint_at(exports.seal_everything()), "ab" * 32)


def test_assessment_results_are_the_same_bytes_for_the_same_bundle(world):
    assert assessment_results(evidence()) == assessment_results(evidence())


def test_assessment_results_of_another_bundle_have_other_identifiers(world, auditor):
    first = json.loads(assessment_results(evidence()))
    exports.large_event(auditor)

    second = json.loads(assessment_results(evidence()))

    assert first["assessment-results"]["uuid"] != second["assessment-results"]["uuid"]


def identifiers(value) -> list[str]:
    match value:
        case dict():
            own = [value["uuid"]] if "uuid" in value else []
            return own + [one for inner in value.values() for one in identifiers(inner)]
        case list():
            return [one for inner in value for one in identifiers(inner)]
    return []


def test_assessment_results_have_what_the_model_requires(world):
    results = json.loads(assessment_results(evidence()))["assessment-results"]

    [result] = results["results"]
    assert {"uuid", "metadata", "import-ap", "results", "back-matter"} == set(results)
    assert {"title", "last-modified", "version", "oscal-version"} <= set(
        results["metadata"]
    )
    assert {"uuid", "title", "description", "start", "reviewed-controls"} <= set(result)
    for observation in result["observations"]:
        assert {"uuid", "description", "methods", "collected"} <= set(observation)
    found = identifiers(results)
    assert len(found) == len(set(found))
    assert {UUID(one).version for one in found} == {5}
    resources = {one["uuid"] for one in results["back-matter"]["resources"]}
    assert results["import-ap"]["href"].removeprefix("#") in resources
    assert {
        one["relevant-evidence"][0]["href"].removeprefix("#")
        for one in result["observations"]
    } <= resources


def test_assessment_results_say_supports_and_never_more(world):
    text = assessment_results(evidence()).decode().lower()

    assert {one.control for one in OBSERVATIONS} == {
        *("au-2", "au-3", "au-6", "au-8", "au-9", "au-9.3", "au-10", "au-11", "au-12")
    }
    assert all("supports" in one.description for one in OBSERVATIONS)
    assert "complian" not in text
    assert "certif" not in text
