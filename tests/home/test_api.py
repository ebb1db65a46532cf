from pathlib import Path

from django.urls import reverse

from apps.accounts.actions import service_account
from apps.core.sandbox import Outcome
from apps.jobs.actions import start_job
from apps.jobs.models import JobStatus
from apps.training import actions
from apps.training.models import CodeJob
from tests.factories import approvals, code, training

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


def test_inbox_lists_own_code_that_failed(project, data_scientist, api_of):
    launched, worker = code.launched_code(project, data_scientist), service_account()
    running = start_job(model=CodeJob, pk=launched.pk, by=worker)
    message = "It took more memory than it may."
    failed = Outcome(JobStatus.FAILED, Path("/nowhere"), code="memory", message=message)
    actions.finish_code(job=running, outcome=failed, by=worker)

    (failure,) = api_of(data_scientist).get(INBOX).json()["failures"]

    assert failure["kind"] == "Own code"
    assert failure["message"] == message
    assert failure["url"] == launched.get_absolute_url()
