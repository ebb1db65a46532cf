"""Statements on the minimum practices: who says what, and what is signed of it."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.approvals import rules
from apps.approvals.evidence import changed_parts
from apps.approvals.models import ApprovalStatus, PracticeStatement
from apps.approvals.policies import PolicyFaulty, read_policy, shipped_text
from apps.approvals.practices import framework, practices
from apps.approvals.records import digest_of
from apps.approvals.serving import serving_decision
from apps.approvals.standings import standings
from apps.approvals.tasks import review_approvals
from apps.approvals.waiting import waiting_for
from apps.audit.models import AuditEvent
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid, Refused, WrongState
from tests.approvals.test_policies import STANDARD
from tests.factories import approvals, exceptions

TOMORROW = timezone.localdate() + timedelta(days=1)


def standing(version, practice: str):
    return next(one for one in standings(version) if one.practice.slug == practice)


def test_the_framework_has_the_seven_practices_with_official_answers():
    assert [one.section for one in framework().practices] == [
        *("i", "ii", "iii", "iv", "v", "vi", "vii")
    ]
    excused = {one.slug for one in framework().practices if len(one.answers) > 2}
    assert excused == {"human_oversight", "remedies_or_appeals"}
    policy = read_policy(shipped_text("high_impact"))
    assert policy.required_practices == tuple(practices())


def test_a_policy_names_known_practices_only():
    with pytest.raises(PolicyFaulty, match="Did you mean human_training"):
        read_policy(f"required_practices: [human_trainin]\n{STANDARD}")


def test_state_practice_adds_a_row_and_keeps_the_one_before(world):
    version = approvals.validated_version(world)
    due = {"state": "in_progress", "owner": world.developer, "due_on": TOMORROW}
    first = exceptions.state(version, world.data_scientist, **due)
    assert standing(version, "human_training").label == "In progress"

    second = exceptions.state(
        version, world.operations_manager, links=["https://wiki.example/training", " "]
    )

    assert list(PracticeStatement.objects.order_by("pk")) == [first, second]
    assert standing(version, "human_training").statement == second
    assert standing(version, "human_training").is_settled
    event = AuditEvent.objects.latest("pk")
    assert event.type == "practice.stated"
    assert event.changes["human_training"] == ["in_progress", "met"]
    assert second.links == ["https://wiki.example/training"]
    with pytest.raises(DatabaseError, match="stay as they were"), transaction.atomic():
        PracticeStatement.objects.filter(pk=first.pk).update(text="Another.")


def test_the_same_statement_twice_is_one(world):
    version = approvals.validated_version(world)
    first = exceptions.state(version, world.data_scientist)
    events = AuditEvent.objects.count()

    assert exceptions.state(version, world.data_scientist) == first
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"practice": "other"}, "practice"),
        ({"state": "not_applicable"}, "state"),
        ({"state": "waived"}, "state"),
        ({"practice": "human_oversight", "state": "precluded"}, "state"),
        ({"text": " "}, "text"),
        ({"state": "in_progress", "due_on": TOMORROW}, "owner"),
        ({"state": "in_progress", "owner": "developer"}, "due_on"),
        ({"state": "in_progress", "owner": "outsider", "due_on": TOMORROW}, "owner"),
        ({"links": ["javascript:alert(1)"]}, "links"),
        ({"links": ["/a"] * 11}, "links"),
    ],
)
def test_state_practice_refuses_what_no_official_choice_allows(world, wish, field):
    version = approvals.validated_version(world)
    if isinstance(wish.get("owner"), str):
        wish = {**wish, "owner": getattr(world, wish["owner"])}

    with pytest.raises(Invalid) as error:
        exceptions.state(version, world.data_scientist, **wish)

    assert list(error.value.fields) == [field]
    assert not PracticeStatement.objects.exists()


def test_who_may_state_and_when(world):
    with pytest.raises(Refused):
        exceptions.state(approvals.validated_version(world), world.validator)
    version = approvals.rejected(world).version
    with pytest.raises(WrongState, match="was rejected"):
        exceptions.state(version, world.data_scientist)


def test_a_high_impact_request_names_what_is_neither_met_nor_waived(world):
    version = exceptions.high_version(world, but=("human_training", exceptions.WAIVED))
    due = {"state": "in_progress", "owner": world.developer, "due_on": TOMORROW}
    exceptions.state(version, world.data_scientist, **due)

    decision = rules.can_request_approval(world.data_scientist, version)

    assert "human training (in progress), remedies or appeals (not stated)" in (
        decision.reason
    )
    exceptions.state(version, world.data_scientist)
    excuse = {"state": "precluded", "text": "The statute knows no appeal."}
    exceptions.state(version, world.data_scientist, exceptions.WAIVED, **excuse)
    assert approvals.request(world, version).policy["required_practices"]


def test_a_standard_request_seals_no_practices(world):
    approval = approvals.request(world)
    exceptions.state(approval.version, world.data_scientist)

    assert "practices" not in approval.evidence
    assert not changed_parts(approval)


def test_a_request_from_before_practices_keeps_its_evidence(world):
    """What an older release froze has no such field, and stays what was signed."""
    approval = approvals.approved(world)
    del approval.policy["required_practices"]
    approval.evidence["policy"] = approval.policy
    approval.evidence_digest = canonical_digest(approval.evidence)
    approval.save()

    assert serving_decision(approval.version)


def test_a_new_statement_after_signing_makes_the_approval_stale(world):
    approval = exceptions.approved(world)
    assert approval.status == ApprovalStatus.APPROVED
    assert serving_decision(approval.version)

    due = {"state": "in_progress", "owner": world.developer, "due_on": TOMORROW}
    exceptions.state(approval.version, world.data_scientist, "human_oversight", **due)

    named = "minimum practices (human oversight)"
    assert f"{named} changed" in serving_decision(approval.version).reason
    review_approvals()
    approval.refresh_from_db()
    assert approval.status == ApprovalStatus.STALE
    (moved,) = approval.moved
    assert (moved["part"], moved["name"]) == ("practices", named)
    assert moved["before"] != moved["after"]


def test_what_is_signed_holds_the_statements_themselves(world, client_of):
    approval = exceptions.approved(world)
    given = approval.stages.earliest("position").sign_offs.earliest("pk")

    signed = json.loads(given.record)["evidence"]["practices"]

    assert canonical_digest(signed["practices"]) == signed["digest"]
    assert [one["state"] for one in signed["practices"]].count("waived") == 1
    assert digest_of(given.record) == given.record_sha256
    page = client_of(world.validator).get(approval.get_absolute_url()).text
    assert "Minimum practices, as signed" in page
    assert "As the report says." in page
    assert "Waived until" in page
    assert "6 met, 1 waived" in page


def test_whoever_stated_a_practice_does_not_sign(world):
    version = exceptions.high_version(world, but=("human_training",))
    # The operations manager signs the second stage, and so does a deputy of theirs.
    exceptions.state(version, world.operations_manager)
    approval = approvals.request(world, version)
    approval.stages.filter(position=1).update(required=1)
    approvals.sign(approval, world.validator)

    with pytest.raises(Refused, match="You stated its minimum practices"):
        approvals.sign(approval, world.operations_manager)

    assert not waiting_for(world.operations_manager).exists()


def test_the_page_takes_statements_and_shows_their_history(world, client_of):
    version = exceptions.high_version(world, but=("human_training",))
    client = client_of(world.data_scientist)
    address = (
        f"/projects/{world.project.slug}/models/{version.model.name}/versions/"
        f"{version.number}/practices/"
    )
    assert address in client.get(version.get_absolute_url()).text
    wish = {"practice": "human_training", "state": "in_progress", "text": "Begun."}

    faulty = client.post(address, {**wish, "owner": str(world.developer.pk)})
    assert faulty.status_code == 422
    assert "Say by when" in faulty.text
    wish |= {"owner": str(world.developer.pk), "due_on": TOMORROW.isoformat()}
    assert client.post(address, wish).status_code == 302
    exceptions.state(version, world.data_scientist, text="Done & signed.")

    page = client.get(address).text
    assert "Begun." in page
    assert "Done &amp; signed." in page
    assert "Dev Developer" in page
    page = client_of(world.validator).get(address).text
    assert "Only a program manager or a data scientist or an operations" in page


def test_the_api_states_and_lists(world, api_of):
    version = approvals.validated_version(world)
    base = (
        f"/api/v1/projects/{world.project.slug}/models/{version.model.name}/versions/"
        f"{version.number}"
    )
    api = api_of(world.data_scientist)
    wish = {
        "practice": "human_oversight",
        "state": "in_progress",
        "text": "Begun.",
        "owner": world.developer.email,
        "due_on": TOMORROW.isoformat(),
    }

    made = api.post(f"{base}/practice-statements", wish, "application/json")

    assert made.status_code == 201, made.text
    assert made.json()["owner"] == "Dev Developer"
    listed = api.get(f"{base}/practice-statements").json()["results"]
    assert [one["id"] for one in listed] == [made.json()["id"]]
    stands = api.get(f"{base}/practices").json()["results"]
    assert [one["state"] for one in stands].count("missing") == 6
    refused = api.post(
        f"{base}/practice-statements", {**wish, "state": "waived"}, "application/json"
    )
    assert refused.status_code == 422
