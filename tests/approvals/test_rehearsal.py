"""Past requests under another policy, judged by the rules that decide real ones."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.approvals import actions
from apps.approvals.models import NewCondition
from apps.approvals.policies import read_policy
from apps.approvals.rehearsal import rehearse
from tests.approvals.test_policy_versions import NO_OPERATIONS, TWO, named
from tests.factories import approvals, policies
from tests.factories.people import PASSWORD


def replay(world, *pairs):
    draft = read_policy(policies.text(*pairs))
    (found,) = rehearse(draft, viewer=world.auditor).replays
    return found


def test_the_same_policy_changes_nothing(world):
    approvals.approved(world)

    found = replay(world)

    assert not found.differs
    assert found.outcome == "Approved as before"
    assert found.reasons == found.notes == []


def test_one_more_signature_would_have_been_missing(world):
    approvals.approved(world)

    found = replay(world, TWO)

    assert found.differs
    assert found.outcome == "Not approved"
    assert found.reasons == ["Technical review has 1 of 2 by validator."]


def test_a_stage_less_would_have_approved_what_still_waits(world):
    approval = approvals.sign(approvals.request(world), world.validator)

    assert replay(world, NO_OPERATIONS).reasons == [
        "Mission sign-off has 0 of 1 by program manager."
    ]
    approvals.sign(approval, world.operations_manager, world.program_manager)
    assert not replay(world, NO_OPERATIONS).differs


def test_a_refusal_counts_only_where_its_role_is_asked(world):
    approval = approvals.sign(approvals.request(world), world.validator)
    actions.reject(
        approval=approval, comment="No.", password=PASSWORD, by=world.operations_manager
    )

    assert "Rejected at the stage Operational readiness." in replay(world).reasons
    assert replay(world, NO_OPERATIONS).reasons == [
        "Mission sign-off has 0 of 1 by program manager."
    ]


def test_the_same_rule_of_separation_judges_past_signatures(world):
    """Who had the report made may sign one meaning only, under any policy."""
    approvals.approved(world)

    found = replay(world, ("meaning: Independently validated", "meaning: Looked at"))

    assert found.differs
    assert "had its validation report made on" in found.reasons[0]


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (named("chief@agency.example"), "is not named for this stage."),
        (("request_days:", "required_checks: [f1]\nrequest_days:"), "did not pass: F1"),
        (("validity_days: 365", "validity_days: 30"), ""),
        (("allowed: true", "allowed: false"), "under conditions, which it does not"),
        (("max_days: 90", "max_days: 5"), "set a condition that falls due too late."),
    ],
)
def test_each_term_shows_in_what_would_have_been(world, pair, sentence):
    approval = approvals.sign(approvals.request(world), world.validator)
    approvals.sign(approval, world.operations_manager)
    due = timezone.localdate() + timedelta(days=20)
    duty = NewCondition("Watch hawks.", world.operations_manager, due)
    actions.sign_off(
        approval=approval,
        comment="Fine.",
        password=PASSWORD,
        by=world.program_manager,
        conditions=[duty],
    )

    found = replay(world, pair)

    assert found.differs == bool(sentence)
    assert sentence in " ".join(found.reasons)
    if not sentence:
        assert "It would hold until" in found.notes[0]


def test_what_no_record_keeps_is_said(world):
    approvals.approved(world)
    asked = "required_sections: [limitations]\nrequired_practices: [human_training]\n"

    found = replay(world, ("request_days:", f"{asked}request_days:"))

    assert not found.differs
    assert len(found.notes) == 2
    assert "which no record keeps" in found.notes[0]
    assert "Statements on practices" in found.notes[1]


def test_what_took_too_long_would_have_lapsed(world, time_machine):
    approval = approvals.request(world)
    time_machine.move_to(timezone.now() + timedelta(days=8))
    approvals.sign(
        approval, world.validator, world.operations_manager, world.program_manager
    )

    found = replay(world, ("request_days: 90", "request_days: 7"))

    assert found.reasons == ["It took 8 days; after 7 it lapses."]


def test_a_page_costs_the_same_whatever_it_holds(world):
    draft = read_policy(policies.text(TWO))
    approvals.approved(world, "first")

    with CaptureQueriesContext(connection) as few:
        rehearse(draft, viewer=world.auditor)
    approvals.approved(world, "second")
    approvals.request(world, approvals.validated_version(world, "third"))

    with CaptureQueriesContext(connection) as many:
        assert len(rehearse(draft, viewer=world.auditor).replays) == 3

    assert len(many) == len(few)


def test_only_visible_requests_are_replayed(world, client_of, api_of):
    approvals.approved(world)
    version = policies.written(world, policies.text(TWO))
    place = [version.name, version.number]

    page = client_of(world.auditor).get(
        reverse("approvals:rehearse_policy", args=place)
    )
    hidden = api_of(world.outsider).get(reverse("v1:rehearse_policy", args=place))
    body = api_of(world.auditor).get(reverse("v1:rehearse_policy", args=place)).json()

    assert "1 of 1" in page.text
    assert hidden.json()["results"] == []
    assert body["differing"] == 1
    assert body["results"][0]["reasons"] == [
        "Technical review has 1 of 2 by validator."
    ]
