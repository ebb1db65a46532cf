import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals.models import ApprovalRequest, SignOff
from apps.registry.queries import champion_of
from tests.factories import approvals
from tests.factories.people import PASSWORD

REQUESTS = reverse("v1:approval_requests")


def ask(client, version, **data):
    address = reverse(
        "v1:request_approval",
        args=[version.project.slug, version.model.name, version.number],
    )
    return client.post(address, json.dumps(data), content_type="application/json")


def post(client, approval, action, **data):
    address = reverse(f"v1:{action}", args=[approval.pk])
    return client.post(address, json.dumps(data), content_type="application/json")


def test_request_approval_answers_201_with_its_address(world, api_of):
    version = approvals.validated_version(world)
    client = api_of(world.data_scientist)

    answer = ask(client, version, message="Finds more.")

    body = answer.json()
    assert answer.status_code == 201
    assert client.get(answer["Location"]).json() == body
    assert body["status"] == "in_review"
    assert [stage["title"] for stage in body["stages"]] == [
        "Technical review",
        "Operational readiness",
        "Mission sign-off",
    ]


@pytest.mark.parametrize("message", ["x" * 2001, "a\x00b", 7.5])
def test_request_approval_with_an_unfit_message_answers_422(world, api_of, message):
    version = approvals.validated_version(world)

    answer = ask(api_of(world.data_scientist), version, message=[message])

    assert answer.status_code == 422
    assert "message" in answer.json()["fields"]


def test_request_approval_of_a_version_that_is_not_visible_answers_404(world, api_of):
    version = approvals.validated_version(world)

    assert ask(api_of(world.outsider), version).status_code == 404


def test_three_sign_offs_make_the_champion(world, api_of):
    approval = approvals.request(world)

    for person in (world.validator, world.operations_manager, world.program_manager):
        answer = post(
            api_of(person), approval, "sign_off", password=PASSWORD, comment="Fine."
        )
        assert answer.status_code == 200

    assert answer.json()["status"] == "approved"
    assert [
        sign_off["meaning"]
        for stage in answer.json()["stages"]
        for sign_off in stage["sign_offs"]
    ] == ["Independently validated", "Ready to operate", "Approved for production"]
    assert champion_of(approval.version.model) == approval.version


def test_sign_off_with_a_wrong_password_answers_403_with_the_field(world, api_of):
    approval = approvals.request(world)

    answer = post(api_of(world.validator), approval, "sign_off", password="wrong")

    assert answer.status_code == 403
    assert "password" in answer.json()["fields"]
    assert not SignOff.objects.exists()


def test_sign_off_by_the_author_answers_403_with_the_reason(world, api_of):
    approval = approvals.request(world)

    answer = post(api_of(world.data_scientist), approval, "sign_off", password=PASSWORD)

    assert answer.status_code == 403
    assert "You uploaded its data on" in answer.json()["message"]


def test_reject_needs_a_reason(world, api_of):
    approval = approvals.request(world)
    client = api_of(world.validator)

    silent = post(client, approval, "reject", password=PASSWORD)
    answer = post(
        client, approval, "reject", password=PASSWORD, comment="Misses hawks."
    )

    assert silent.status_code == 422
    assert "comment" in silent.json()["fields"]
    assert answer.json()["status"] == "rejected"


def test_withdraw_request_twice_answers_409(world, api_of):
    approval = approvals.request(world)
    client = api_of(world.data_scientist)

    first = post(client, approval, "withdraw_request")
    second = post(client, approval, "withdraw_request")

    assert first.json()["status"] == "withdrawn"
    assert second.status_code == 409


def test_request_is_cached_by_etag(world, api_of):
    approval = approvals.request(world)
    client = api_of(world.auditor)
    address = reverse("v1:approval_request", args=[approval.pk])

    first = client.get(address)
    second = client.get(address, headers={"If-None-Match": first["ETag"]})

    assert first.json()["evidence_digest"] == approval.evidence_digest
    assert second.status_code == 304


def test_requests_are_listed_at_constant_cost(world, api_of, django_assert_num_queries):
    client = api_of(world.auditor)
    approvals.request(world)
    client.get(REQUESTS)
    with CaptureQueriesContext(connection) as few:
        client.get(REQUESTS)
    approvals.approved(world, "second")
    approvals.approved(world, "third")

    with django_assert_num_queries(len(few)):
        body = client.get(REQUESTS).json()

    assert len(body["results"]) == ApprovalRequest.objects.count() == 3
    assert body["next"] is None
    assert api_of(world.outsider).get(REQUESTS).json()["results"] == []
