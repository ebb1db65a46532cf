"""Policies that an agency writes: kept, put in force, and what they change."""

import re

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.actions import WrongPassword
from apps.approvals import actions, queries, rules
from apps.approvals.models import ApprovalStatus, PolicyVersion
from apps.approvals.policies import PolicyFaulty, read_policy, shipped_text
from apps.approvals.policy_book import differences, in_force, policy_for
from apps.approvals.serving import serving_decision
from apps.approvals.waiting import waiting_for
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from tests.approvals.test_delegations import lend, member
from tests.factories import approvals, policies
from tests.factories.people import PASSWORD

_FIRST = """\
    required: {}
    due_days: 10
    meaning: Independently validated
"""
TWO = (_FIRST.format(1), _FIRST.format(2))
OPERATIONS = """\
  - title: Operational readiness
    role: operations_manager
    required: 1
    due_days: 10
    meaning: Ready to operate
"""
NO_OPERATIONS = (OPERATIONS, "")


def named(*addresses: str) -> tuple[str, str]:
    return (
        "    meaning: Approved for production",
        f"    people: [{', '.join(addresses)}]\n    meaning: Approved for production",
    )


def test_until_somebody_writes_one_the_shipped_policy_applies(world):
    assert policy_for(world.project) == read_policy(shipped_text("standard"))
    assert in_force("standard").enactment is None


def test_a_version_is_a_draft_until_it_is_put_in_force(world):
    version = policies.written(world, policies.text(TWO))
    assert policy_for(world.project).version == 2

    actions.enact_policy(
        version=version, reason="Decided.", password=PASSWORD, by=world.ai_official
    )

    assert policy_for(world.project).version == 3
    assert policy_for(world.project).stages[0].required == 2
    events = AuditEvent.objects.filter(type__startswith="policy.").order_by("pk")
    assert [event.type for event in events] == ["policy.written", "policy.enacted"]
    before, after = events[1].changes["digest"]
    assert after == version.digest != before


def test_open_requests_and_approvals_keep_the_policy_they_were_made_under(world):
    approved, waiting = approvals.approved(world), approvals.request(world)
    policies.enacted(world, policies.text(TWO))

    assert actions.review_approval(approval=approved, by=world.worker) is None
    assert serving_decision(approved.version)
    approvals.sign(waiting, world.validator)
    assert queries.open_stages(waiting)[0].title == "Operational readiness"
    assert (
        approvals.request(world, approvals.validated_version(world, "later")).policy[
            "stages"
        ][0]["required"]
        == 2
    )


def test_the_same_text_again_is_the_version_that_holds_it(world):
    first = policies.written(world)

    assert policies.written(world, first.text.replace("\n", "\r\n")) == first
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("version: 3", "version: 2")], "Write version: 3"),
        ([("name: standard", "name: other")], "write name: standard"),
        (
            [("role: validator", "role: validater")],
            "Line 15: .*mean validator",
        ),
        ([("max_days: 90", "max_days: 0")], "Line 12: conditions.max_days"),
        ([named("nobody")], "Line 28: 'nobody' is no e-mail address"),
        ([named("a@b.gov", "A@b.gov")], "Somebody is named twice"),
        ([("required: 1", "required: 2"), named("a@b.gov")], "could never be complete"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(world, pairs, sentence):
    with pytest.raises(Invalid, match=sentence):
        policies.written(world, policies.text(*pairs))
    assert not PolicyVersion.objects.exists()


def test_only_an_ai_official_writes_and_enacts(world):
    version = policies.written(world)
    for person in (world.program_manager, world.administrator, world.auditor):
        with pytest.raises(Refused, match="AI official"):
            actions.write_policy(name="standard", text="x", note="x", by=person)
        with pytest.raises(Refused, match="AI official"):
            actions.enact_policy(
                version=version, reason="x", password=PASSWORD, by=person
            )
    with pytest.raises(WrongPassword):
        actions.enact_policy(
            version=version, reason="x", password="wrong", by=world.ai_official
        )


def test_what_is_in_force_cannot_be_enacted_again_but_an_older_one_can(world):
    first = policies.enacted(world)
    with pytest.raises(WrongState, match="in force already"):
        actions.enact_policy(
            version=first, reason="Again.", password=PASSWORD, by=world.ai_official
        )
    second = policies.enacted(world, policies.text(TWO))
    assert (first.number, second.number) == (3, 4)

    actions.enact_policy(
        version=first, reason="Back.", password=PASSWORD, by=world.ai_official
    )

    assert in_force("standard").enactment.version == first


@pytest.mark.parametrize(
    "words",
    [
        "UPDATE approvals_policyversion SET text = ''",
        "DELETE FROM approvals_policyenactment",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE approvals_policyenactment",
    ],
)
def test_the_database_lets_nobody_change_what_was_written(world, words):
    policies.enacted(world)
    refused = (ProgrammingError, InternalError)

    with pytest.raises(refused, match="stay as they were"), transaction.atomic():
        connection.cursor().execute(words)


def test_named_people_sign_and_nobody_else(world):
    second = member(world, "second", "program_manager")
    policies.enacted(world, policies.text(named(second.email.upper())))
    approval = approvals.sign(
        approvals.request(world), world.validator, world.operations_manager
    )

    refused = rules.can_sign_off(world.program_manager, approval)
    assert refused.reason == (
        f"The policy names who signs the stage Mission sign-off: {second.full_name}."
    )
    listed = {one.person: bool(one.decision) for one in rules.signers(approval)}
    assert listed == {second: True, world.program_manager: False}
    assert not waiting_for(world.program_manager).exists()
    assert waiting_for(second).get() == approval
    assert approval.policy["stages"][2]["people"] == [str(second.pk)]
    assert approvals.sign(approval, second).status == ApprovalStatus.APPROVED


def test_a_named_person_can_let_somebody_sign_in_their_place(world):
    second = member(world, "second", "program_manager")
    policies.enacted(world, policies.text(named(second.email)))
    approval = approvals.sign(
        approvals.request(world), world.validator, world.operations_manager
    )
    lend(world, world.program_manager, by=second)

    assert waiting_for(world.program_manager).get() == approval
    assert rules.delegation_used(
        world.program_manager, queries.open_stages(approval)[0]
    )
    signed = approvals.sign(approval, world.program_manager)
    assert signed.status == ApprovalStatus.APPROVED


def test_a_request_is_refused_while_named_people_are_missing(world):
    policies.enacted(world, policies.text(named("chief@agency.example")))
    version = approvals.validated_version(world)

    decision = rules.can_request_approval(world.data_scientist, version)

    assert re.search("chief@agency.example.* needs 1 of them.* are 0", decision.reason)


def test_a_policy_in_force_that_cannot_be_read_bars_requests_with_its_fault(
    world, monkeypatch
):
    policies.enacted(world, policies.text(("required: 1", "required: 2")))
    version = approvals.validated_version(world)
    monkeypatch.setattr("apps.approvals.policies.SIGNING_ROLES", frozenset({"auditor"}))
    read_policy.cache_clear()

    decision = rules.can_request_approval(world.data_scientist, version)

    assert "cannot be used: Line 15" in decision.reason
    read_policy.cache_clear()


def test_differences_are_told_line_by_line():
    found = differences("a\nb\nc", "a\nx\nc")

    assert [(line.kind, line.text) for line in found if line.kind != "place"] == [
        ("same", "a"),
        ("removed", "b"),
        ("added", "x"),
        ("same", "c"),
    ]
    assert differences("a", "a") == []


WORDS = st.sampled_from(
    [*shipped_text("high_impact").splitlines(), "  - *a", "&a [", "!!x y", "{", "- 1"]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.lists(WORDS).map("\n".join)))
def test_any_text_is_a_policy_or_faulty_with_a_line(text):
    faults = []
    try:
        read = bool(read_policy(text).title)
    except PolicyFaulty as error:
        read, faults = False, error.faults

    assert read == (not faults)
    lines = text.count("\n") + 2
    assert all(1 <= fault.line <= lines for fault in faults)


def test_pages_write_rehearse_and_enact(world, client_of):
    browser = client_of(world.ai_official)
    write = reverse("approvals:write_policy", args=["standard"])

    assert "version: 3" in browser.get(write).text
    bad = browser.post(write, {"text": "name: standard", "note": "x"})
    assert bad.status_code == 422
    assert "version is missing; give it." in bad.text
    check = reverse("approvals:check_policy", args=["standard"])
    assert (
        "Line 15"
        in browser.post(
            check, {"text": policies.text(("role: validator", "role: nobody"))}
        ).text
    )
    asked = {"text": policies.text(TWO), "note": "Two pairs of eyes."}
    page = browser.post(write, asked, follow=True)
    assert "It applies to nothing until put in force" in page.text
    version = PolicyVersion.objects.get()
    again = browser.get(f"{write}?from={version.number}").text
    assert "version: 4" in again
    enacting = {"reason": "Decided.", "password": PASSWORD}
    done = browser.post(version.get_absolute_url(), enacting, follow=True)
    assert "In force" in done.text
    listed = browser.get(reverse("approvals:policies")).text
    assert "put in force by" in listed


def test_rest_writes_enacts_and_lists(world, api_of):
    api = api_of(world.ai_official)
    address = reverse("v1:policy_versions", args=["standard"])

    refused = api.post(
        address, {"text": "name: [", "note": "x"}, content_type="application/json"
    )
    made = api.post(
        address,
        {"text": policies.text(TWO), "note": "Two."},
        content_type="application/json",
    ).json()
    enact = reverse("v1:enact_policy", args=["standard", made["number"]])
    api.post(
        enact,
        {"reason": "Decided.", "password": PASSWORD},
        content_type="application/json",
    )

    assert refused.status_code == 422
    assert "Line 2" in str(refused.json())
    found = {one["name"]: one for one in api.get(reverse("v1:policies")).json()}
    assert found["standard"]["version"] == 3
    assert not found["standard"]["is_shipped"]
    assert found["high_impact"]["is_shipped"]
    assert api.get(reverse("v1:policy_versions", args=["none"])).status_code == 404
