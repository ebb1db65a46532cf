from django.urls import reverse

from tests.factories import approvals, training

INBOX = reverse("v1:inbox")


def test_inbox_lists_what_i_can_sign(world, api_of):
    approval = approvals.request(world)

    body = api_of(world.validator).get(INBOX).json()

    assert [found["id"] for found in body["to_sign"]] == [str(approval.pk)]
    assert body["to_sign"][0]["stage"] == "Technical review"
    assert body["decided"] == body["failures"] == body["conditions"] == []
    assert body["unread"] == 1


def test_inbox_lists_decisions_and_failures_of_mine(world, api_of):
    approvals.rejected(world)
    failed = training.failed_job(world.project, world.data_scientist)

    body = api_of(world.data_scientist).get(INBOX).json()

    assert body["to_sign"] == []
    assert body["decided"][0]["status"] == "rejected"
    assert body["decided"][0]["stage"] == ""
    assert body["failures"][0]["url"] == failed.get_absolute_url()
    assert body["failures"][0]["message"] == failed.failure_message
