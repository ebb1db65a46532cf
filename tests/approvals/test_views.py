import copy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals.models import ApprovalRequest, ApprovalStatus, SignOff
from apps.audit.models import AuditEvent
from apps.core.ids import new_id
from tests.factories import approvals, reports, validation
from tests.factories.people import PASSWORD

SCRIPT = "<script>alert(1)</script>"
SIGNED = {"intent": "on", "password": PASSWORD, "comment": "Fine."}


def page(client, approval, action="request"):
    return client.get(reverse(f"approvals:{action}", args=[approval.pk]))


def post(client, approval, action, **data):
    return client.post(reverse(f"approvals:{action}", args=[approval.pk]), data)


def request_address(version):
    return reverse(
        "approvals:request_approval",
        args=[version.project.slug, version.model.name, version.number],
    )


def test_request_page_shows_decision_brief_and_who_can_sign(world, client_of):
    approval = approvals.request(world)

    answer = page(client_of(world.validator), approval)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Criteria and what became of them" in text
    assert approval.evidence_digest in text
    assert "I have read the evidence and state: independently validated." in text
    assert "Vera Validator" in text
    assert "Find damage early." in text


def test_request_page_says_what_a_decision_needs_most_important_first(world, client_of):
    approvals.approved(world)
    families = [reports.family(), reports.untested()]
    version = approvals.validated_version(world, families=families)
    validation.finding(version, world.validator, world.data_scientist)

    text = page(
        client_of(world.program_manager), approvals.request(world, version)
    ).text

    order = [
        "What is it for?",
        "Finds more.",  # what is asked
        "Does it keep what was promised?",
        "Where does it fail?",
        "Worst by",
        "What did nobody test?",
        families[1]["title"],
        "Misses hawks",
        "What changed since the last signature?",
        "Is it better than the champion?",
        "Signatures by stage",
        "What is signed",
    ]
    # The bar above names the parts; what they hold comes after it.
    places = [text.rindex(words) for words in order]
    assert places == sorted(places)


def test_request_page_tells_the_data_scientist_why_not(world, client_of):
    approval = approvals.request(world)

    text = page(client_of(world.data_scientist), approval).content.decode()

    assert "You uploaded its data on" in text
    assert "launched its training on" in text
    assert "Your password" not in text


def test_request_page_says_when_nobody_can_sign(world, client_of):
    approval = approvals.request(world)
    world.project.memberships.filter(user=world.validator).delete()

    text = page(client_of(world.program_manager), approval).content.decode()

    assert "Nobody: the project has no active validator" in text


def test_request_page_warns_when_the_evidence_changed(world, client_of):
    approval = approvals.request(world)
    approval.evidence_digest = "0" * 64
    approval.save()

    text = page(client_of(world.validator), approval).content.decode()

    assert "The evidence changed since the approval was asked for" in text
    assert "I have read the evidence" not in text
    assert "Reject instead" in text


def test_request_page_of_a_closed_request_keeps_the_signatures(world, client_of):
    approval = approvals.approved(world)

    text = page(client_of(world.auditor), approval).content.decode()

    assert "Approved for production" in text
    assert "Petra Program" in text
    assert "Who can sign this stage now" not in text


def test_request_page_has_a_bounded_cost(
    world, client_of, django_assert_max_num_queries
):
    approval = approvals.approved(world)
    client = client_of(world.auditor)
    page(client, approval)

    with django_assert_max_num_queries(30):
        page(client, approval)


def test_request_approval_form_says_who_signs(world, client_of):
    version = approvals.validated_version(world)

    answer = client_of(world.data_scientist).get(request_address(version))

    assert "Operational readiness" in answer.content.decode()


def test_request_approval_redirects_to_the_request(world, client_of):
    version = approvals.validated_version(world)

    answer = client_of(world.data_scientist).post(
        request_address(version), {"message": SCRIPT}
    )

    approval = ApprovalRequest.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == approval.get_absolute_url()
    shown = page(client_of(world.validator), approval).content.decode()
    assert SCRIPT not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("message", ["a\x00b", "x" * 2001])
def test_request_approval_with_an_unfit_message_answers_422(world, client_of, message):
    version = approvals.validated_version(world)

    answer = client_of(world.data_scientist).post(
        request_address(version), {"message": message}
    )

    assert answer.status_code == 422
    assert not ApprovalRequest.objects.exists()


def test_request_approval_twice_keeps_one_request(world, client_of):
    version = approvals.validated_version(world)
    client = client_of(world.data_scientist)

    answers = [client.post(request_address(version), {}).status_code for _ in "ab"]

    assert answers == [302, 409]
    assert ApprovalRequest.objects.count() == 1


def test_sign_off_keeps_the_signature(world, client_of):
    approval = approvals.request(world)

    client = client_of(world.validator)

    answer = post(client, approval, "sign_off", **SIGNED)

    assert answer.status_code == 302
    assert SignOff.objects.get().comment == "Fine."
    page = client.get(answer["Location"]).content.decode()
    assert "Recorded; the seal follows." in page


def test_sign_off_twice_signs_once(world, client_of):
    approval = approvals.request(world)
    client = client_of(world.validator)

    answers = [post(client, approval, "sign_off", **SIGNED).status_code for _ in "ab"]

    assert answers == [302, 403]
    assert SignOff.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [{"intent": ""}, {"password": ""}, {"comment": "x" * 2001}, {"comment": "\x00"}],
)
def test_sign_off_with_a_faulty_form_answers_422(world, client_of, changed):
    approval = approvals.request(world)

    answer = post(
        client_of(world.validator), approval, "sign_off", **{**SIGNED, **changed}
    )

    assert answer.status_code == 422
    assert not SignOff.objects.exists()


def test_sign_off_with_a_wrong_password_keeps_the_comment_and_a_trace(world, client_of):
    approval = approvals.request(world)

    answer = post(
        client_of(world.validator),
        approval,
        "sign_off",
        **{**SIGNED, "password": "something else"},
    )

    assert answer.status_code == 422
    assert "The password is not right" in answer.content.decode()
    assert ">\nFine.</textarea>" in answer.content.decode()
    assert AuditEvent.objects.latest("pk").type == "access.refused"


def test_sign_off_by_the_author_answers_403_with_the_reason(world, client_of):
    approval = approvals.request(world)

    answer = post(client_of(world.data_scientist), approval, "sign_off", **SIGNED)

    assert answer.status_code == 403
    assert "You uploaded its data on" in answer.content.decode()


def test_reject_closes_the_request(world, client_of):
    approval = approvals.request(world)

    answer = post(
        client_of(world.validator),
        approval,
        "reject",
        comment=SCRIPT,
        password=PASSWORD,
    )

    approval.refresh_from_db()
    assert answer.status_code == 302
    assert approval.status == ApprovalStatus.REJECTED
    shown = page(client_of(world.data_scientist), approval).content.decode()
    assert SCRIPT not in shown


@pytest.mark.parametrize(
    ("comment", "password"), [("", PASSWORD), ("Misses hawks.", "something else")]
)
def test_reject_with_a_faulty_form_answers_422(world, client_of, comment, password):
    approval = approvals.request(world)

    answer = post(
        client_of(world.validator),
        approval,
        "reject",
        comment=comment,
        password=password,
    )

    assert answer.status_code == 422
    assert not SignOff.objects.exists()


def test_withdraw_request_leads_back_to_the_request(world, client_of):
    approval = approvals.request(world)

    answer = post(client_of(world.data_scientist), approval, "withdraw_request")

    assert answer["Location"] == approval.get_absolute_url()


def test_list_requests_shows_stages_at_constant_cost(
    world, client_of, django_assert_num_queries
):
    address = reverse("approvals:requests", args=[world.project.slug])
    client = client_of(world.auditor)
    assert "No approval requests" in client.get(address).content.decode()
    approvals.approved(world, "first")

    with CaptureQueriesContext(connection) as few:
        client.get(address)
    approvals.approved(world, "second")
    approvals.request(world)
    with django_assert_num_queries(len(few)):
        text = client.get(address).content.decode()

    assert "Technical review: signed" in text
    assert "Technical review: open" in text


def test_list_requests_pages_by_key(world, client_of):
    approval = approvals.request(world)
    approval.advance(ApprovalStatus.WITHDRAWN)
    copies = [copy.copy(approval) for _ in range(50)]
    for another in copies:
        another.pk = new_id()
    ApprovalRequest.objects.bulk_create(copies)
    address = reverse("approvals:requests", args=[world.project.slug])

    first = client_of(world.auditor).get(address)

    following = first.context["page"].next_cursor
    second = client_of(world.auditor).get(address, {"after": following})
    assert "Older" in first.content.decode()
    assert len(second.context["page"].rows) == 1
