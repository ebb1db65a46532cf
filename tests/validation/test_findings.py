"""Findings are raised, answered, closed or accepted, and block what they must."""

import json
from datetime import date

import pytest
from django.urls import reverse

from apps.approvals import actions as approval_actions
from apps.core.errors import Invalid, Refused, WrongState
from apps.projects.actions import add_member, change_role
from apps.validation import actions
from apps.validation.models import FINDING_TRANSITIONS, Finding, FindingState
from tests.costs import queries_of
from tests.factories import approvals, people, registry
from tests.factories import validation as factory
from tests.factories.people import PASSWORD
from tests.trail import nothing_recorded, one_event

JSON = "application/json"


@pytest.fixture
def version(world):
    return registry.model_version(world.project, world.data_scientist)


@pytest.fixture
def found(world, version) -> Finding:
    return factory.finding(version, world.validator, world.data_scientist)


def place(version) -> list:
    return [version.project.slug, version.model.name, version.number]


def test_a_finding_is_raised_with_its_event(world, version):
    with one_event("finding.raised") as events:
        found = factory.finding(
            version, world.validator, world.data_scientist, due_on=date(2030, 1, 1)
        )
    assert (found.number, found.state) == (1, "open")
    assert events[0].changes["severity"] == "high"
    assert events[0].changes["due_on"] == "2030-01-01"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"text": ""}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"severity": "mild"}, "severity"),
    ],
)
def test_a_finding_that_says_too_little_or_too_much(world, version, wish, field):
    with nothing_recorded(), pytest.raises(Invalid) as refusal:
        factory.finding(version, world.validator, world.data_scientist, **wish)
    assert set(refusal.value.fields) == {field}


def test_the_owner_must_be_a_member_who_sees_it(world, version):
    with pytest.raises(Invalid, match="no active member"):
        factory.finding(version, world.validator, world.outsider)


def test_a_report_of_another_version_is_no_source(world, version):
    other = registry.model_version(world.project, world.data_scientist, "other")
    report = factory.finished_report(other, world.validator)
    with pytest.raises(Invalid, match="not about this version"):
        factory.finding(version, world.validator, world.data_scientist, report=report)


def test_its_way_from_question_to_end(world, found):
    with one_event("finding.answered"):
        actions.answer_finding(
            finding=found, answer="More hawks.", by=world.data_scientist
        )
    with one_event("finding.reopened"):
        actions.reopen_finding(
            finding=found, closing="Still misses.", by=world.validator
        )
    actions.answer_finding(finding=found, answer="Even more.", by=world.data_scientist)
    with one_event("finding.closed"):
        actions.close_finding(finding=found, closing="Seen.", by=world.validator)

    found.refresh_from_db()
    assert (found.state, found.answer, found.closing) == (
        "closed",
        "Even more.",
        "Seen.",
    )
    assert found.settled_by == world.validator
    with pytest.raises(WrongState, match="settled"):
        actions.answer_finding(finding=found, answer="x", by=world.data_scientist)


def test_who_built_it_neither_raises_nor_closes(world, version, found):
    change_role(
        membership=world.project.memberships.get(user=world.data_scientist),
        role="validator",
        by=world.program_manager,
    )
    with pytest.raises(Refused, match="You uploaded its data and launched"):
        factory.finding(version, world.data_scientist, world.validator)
    with pytest.raises(Refused, match="somebody else must close it"):
        actions.close_finding(finding=found, closing="Fine.", by=world.data_scientist)


def test_who_answers_does_not_close(world, version):
    helper = people.person("helper@agency.example", "Helper")
    add_member(
        project=world.project, person=helper, role="validator", by=world.program_manager
    )
    found = factory.finding(version, world.validator, helper)
    with pytest.raises(Refused, match="somebody else must close it"):
        actions.close_finding(finding=found, closing="Fine.", by=helper)
    with pytest.raises(Refused, match="Only Helper answers"):
        actions.answer_finding(finding=found, answer="Fine.", by=world.validator)


def test_a_risk_is_accepted_by_the_program_manager_alone(world, version, found):
    with pytest.raises(Refused):
        actions.accept_finding(finding=found, closing="Rare.", by=world.validator)
    with one_event("finding.accepted"):
        actions.accept_finding(finding=found, closing="Rare.", by=world.program_manager)
    blocking = factory.finding(
        version, world.validator, world.data_scientist, severity="blocking"
    )
    with pytest.raises(WrongState, match="cannot be accepted"):
        actions.accept_finding(
            finding=blocking, closing="Rare.", by=world.program_manager
        )


def test_words_are_needed_to_settle(world, found):
    for action in (actions.close_finding, actions.reopen_finding):
        with pytest.raises(Invalid, match="Say why"):
            action(finding=found, closing=" ", by=world.validator)


def test_the_table_holds(found):
    for state in FindingState:
        found.state = state
        for to in set(FindingState) - FINDING_TRANSITIONS[state]:
            with pytest.raises(WrongState):
                found.advance(to)


def test_nothing_is_asked_for_while_a_blocking_finding_is_open(
    world, client_of, api_of
):
    version = approvals.validated_version(world)
    factory.finding(version, world.validator, world.data_scientist, severity="blocking")

    page = client_of(world.data_scientist).post(
        reverse("approvals:request_approval", args=place(version)), {"message": ""}
    )
    answer = api_of(world.data_scientist).post(
        reverse("v1:request_approval", args=place(version)), "{}", content_type=JSON
    )

    assert (page.status_code, answer.status_code) == (409, 409)
    assert "Finding 1 blocks the approval: Misses hawks" in answer.json()["message"]


def test_nobody_signs_while_a_blocking_finding_is_open(world, client_of, api_of):
    approval = approvals.request(world)
    found = factory.finding(
        approval.version, world.validator, world.data_scientist, severity="blocking"
    )
    signature = {"comment": "Fine.", "password": PASSWORD, "intent": "on"}

    page = client_of(world.validator).post(
        reverse("approvals:sign_off", args=[approval.pk]), signature
    )
    answer = api_of(world.validator).post(
        reverse("v1:sign_off", args=[approval.pk]),
        json.dumps(signature),
        content_type=JSON,
    )
    assert (page.status_code, answer.status_code) == (409, 409)
    shown = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "Misses hawks" in shown

    actions.close_finding(finding=found, closing="A mistake.", by=world.validator)
    approvals.sign(approval, world.validator)
    assert approval.stages.earliest("position").completed_at


def test_the_same_files_under_another_number_or_name_are_blocked_too(world):
    """Copies of a version leave nothing behind that is held against it."""
    found = factory.finding(
        approvals.validated_version(world),
        world.validator,
        world.data_scientist,
        severity="blocking",
    )
    copy = approvals.validated_version(world)
    renamed = approvals.validated_version(world, "other")

    for version, sentence in (
        (copy, "Finding 1 on version 1, which has the same files, blocks"),
        (renamed, "A finding on another model with the same files blocks"),
    ):
        with pytest.raises(WrongState, match=sentence):
            approvals.request(world, version)

    actions.answer_finding(finding=found, answer="Done.", by=world.data_scientist)
    actions.close_finding(finding=found, closing="Seen.", by=world.validator)
    assert approvals.request(world, copy).is_open


def test_a_blocking_finding_does_not_stop_a_rejection(world):
    approval = approvals.request(world)
    factory.finding(
        approval.version, world.validator, world.data_scientist, severity="blocking"
    )
    approval_actions.reject(
        approval=approval, comment="See finding.", password=PASSWORD, by=world.validator
    )
    approval.refresh_from_db()
    assert approval.status == "rejected"


def test_pages_raise_answer_and_close(world, version, client_of):
    values = {
        "title": "Misses hawks",
        "text": "Recall is 0.4.",
        "severity": "high",
        "owner": str(world.data_scientist.pk),
    }
    address = reverse("validation:raise_finding", args=place(version))
    faulty = client_of(world.validator).post(address, {**values, "title": ""})
    answer = client_of(world.validator).post(address, values)
    found = Finding.objects.get()
    detail = client_of(world.data_scientist).get(found.get_absolute_url()).text
    client_of(world.data_scientist).post(
        reverse("validation:answer_finding", args=[found.pk]), {"answer": "Done."}
    )
    empty = client_of(world.validator).post(
        reverse("validation:close_finding", args=[found.pk]), {"closing": ""}
    )
    client_of(world.validator).post(
        reverse("validation:close_finding", args=[found.pk]), {"closing": "Seen."}
    )
    listed = client_of(world.auditor).get(
        reverse("validation:findings", args=place(version)) + "?state=closed"
    )

    assert (faulty.status_code, empty.status_code) == (422, 422)
    assert answer.status_code == 302
    assert "has not answered yet" in detail
    assert "1. Misses hawks" in listed.text
    found.refresh_from_db()
    assert (found.state, found.closing) == ("closed", "Seen.")


def test_the_api_raises_and_reads(world, version, api_of):
    address = reverse("v1:findings", args=place(version))
    wish = {
        "title": "Misses hawks",
        "text": "Recall is 0.4.",
        "severity": "blocking",
        "owner": world.data_scientist.email,
        "due_on": "2030-01-01",
    }
    api = api_of(world.validator)

    made = api.post(address, json.dumps(wish), content_type=JSON)
    listed = api.get(address).json()["results"]
    read = api.get(made["Location"]).json()

    assert made.status_code == 201
    assert [one["number"] for one in listed] == [1]
    assert (read["state"], read["owner"]) == ("open", world.data_scientist.full_name)


def test_the_list_costs_the_same_for_many(world, version, client_of):
    client = client_of(world.validator)
    address = reverse("validation:findings", args=place(version))
    factory.finding(version, world.validator, world.data_scientist)
    few = queries_of(client, address)
    for number in range(15):
        factory.finding(
            version, world.validator, world.data_scientist, title=f"Misses {number}"
        )
    assert queries_of(client, address) == few


def test_the_same_form_sent_twice_is_one_finding(world, version, found):
    again = factory.finding(version, world.validator, world.data_scientist)
    assert again == found
    assert Finding.objects.count() == 1


def test_the_list_counts_and_filters(world, version, client_of):
    factory.finding(version, world.validator, world.data_scientist)
    factory.finding(
        version,
        world.validator,
        world.data_scientist,
        title="Slow",
        severity="low",
    )
    address = reverse("validation:findings", args=place(version))

    page = client_of(world.auditor).get(address, {"severity": "low"})

    assert [row.title for row in page.context["page"].rows] == ["Slow"]
    counts = dict(page.context["counts"])
    assert counts["High"] == counts["Low"]
    assert counts["Low"]["Open"] == 1
    assert counts["Low"]["Closed"] == 0
    assert list(counts) == ["High", "Low"]


def test_a_finding_is_raised_from_a_report(world, version, client_of):
    report = factory.finished_report(version, world.validator)
    client = client_of(world.validator)
    address = reverse("validation:raise_finding", args=place(version))
    values = {
        "title": "Misses hawks",
        "text": "Recall is 0.4.",
        "severity": "high",
        "owner": str(world.data_scientist.pk),
    }

    offered = client.get(report.get_absolute_url()).text
    form = client.get(f"{address}?report={report.number}")
    client.post(f"{address}?report={report.number}", values)

    assert f"{address}?report={report.number}" in offered
    assert "validation report 1" in form.text
    assert Finding.objects.get().report == report
    assert "Misses hawks" in client.get(report.get_absolute_url()).text
    for wrong in ("7", "x"):
        assert client.get(f"{address}?report={wrong}").status_code == 404


def test_a_report_offers_no_finding_to_who_built_it(world, version, client_of):
    report = factory.finished_report(version, world.validator)
    page = client_of(world.data_scientist).get(report.get_absolute_url()).text
    assert "Raise a finding from this report" not in page


def test_the_page_tells_its_history_with_earlier_answers(
    world, version, found, client_of
):
    for answer in ("More hawks.", "Even more hawks."):
        actions.answer_finding(finding=found, answer=answer, by=world.data_scientist)
    actions.close_finding(finding=found, closing="Seen.", by=world.validator)

    page = client_of(world.validator).get(found.get_absolute_url())

    told = [event.type for event in page.context["events"]]
    assert told == [
        "finding.closed",
        "finding.answered",
        "finding.answered",
        "finding.raised",
    ]
    assert "“More hawks.”" in page.text
