"""Other systems are told: signed, again and again until they answer, and logged."""

import hmac
import json
import socket
from datetime import timedelta
from hashlib import sha256
from threading import Thread

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from apps.core.errors import Invalid, Refused, WrongState
from apps.notices import actions, sending
from apps.notices.actions.webhooks import PAUSES
from apps.notices.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    Notice,
    NoticeKind,
    Webhook,
)
from apps.notices.tasks import deliver, deliver_due
from tests.costs import queries_of
from tests.factories import approvals, notices
from tests.trail import nothing_recorded, one_event


@pytest.fixture
def hook(project, program_manager, receiver) -> Webhook:
    return notices.webhook(project, program_manager, receiver.url)


@pytest.fixture
def delivery(hook, project) -> Delivery:
    notices.tell(project)
    return Delivery.objects.get()


def test_add_webhook_leaves_it_with_its_event_and_no_secret(project, program_manager):
    with one_event("webhook.added") as events:
        webhook = notices.webhook(project, program_manager)

    assert str(events[0].changes["host"]) == "hooks.agency.example"
    assert "hush" not in events[0].body
    assert webhook.secret.startswith("whsec_")
    columns = {field.attname: getattr(webhook, field.attname) for field in _fields()}
    assert webhook.secret not in map(str, columns.values())
    assert Webhook.objects.get().secret == webhook.secret


def _fields():
    return Webhook._meta.concrete_fields


def test_each_webhook_has_a_secret_of_its_own(project, program_manager):
    first = notices.webhook(project, program_manager)
    actions.remove_webhook(webhook=first, by=program_manager)

    assert notices.webhook(project, program_manager).secret != first.secret


def test_add_webhook_refuses_an_address_that_is_told_already(project, program_manager):
    notices.webhook(project, program_manager)

    with pytest.raises(Invalid, match="told already"):
        notices.webhook(project, program_manager)
    with pytest.raises(IntegrityError), transaction.atomic():
        Webhook.objects.create(
            project=project, url=notices.URL, added_by=program_manager
        )


def test_add_webhook_stops_at_ten(project, program_manager):
    for number in range(10):
        notices.webhook(project, program_manager, f"https://hooks.example/{number}")

    with pytest.raises(Invalid, match="at most 10"):
        notices.webhook(project, program_manager)


@pytest.mark.parametrize("role", ["data_scientist", "validator", "administrator"])
def test_add_webhook_is_for_program_managers(project, world, role):
    with nothing_recorded(), pytest.raises(Refused):
        notices.webhook(project, getattr(world, role))


def test_what_happens_is_written_for_each_webhook_of_the_project(world, hook, receiver):
    other = notices.webhook(world.project, world.program_manager)
    gone = notices.webhook(
        world.project, world.program_manager, "https://gone.example/"
    )
    actions.remove_webhook(webhook=gone, by=world.program_manager)

    approval = approvals.request(world)

    found = Delivery.objects.order_by("pk")
    assert {each.webhook for each in found} == {hook, other}
    body = json.loads(found[0].body)
    assert body == {
        "id": str(found[0].pk),
        "event": "approval.to_sign",
        "project": {"id": str(world.project.pk), "slug": world.project.slug},
        "object": {"type": "ApprovalRequest", "id": str(approval.pk)},
        "url": approval.get_absolute_url(),
        "at": found[0].created_at.isoformat(),
    }


def test_no_word_of_a_person_leaves(world, hook):
    approvals.rejected(world, comment="Misses hawks, says Vera.")
    said = " ".join(Delivery.objects.values_list("body", flat=True))

    assert "approval.rejected" in said
    for word in ("Vera", "Validator", "Dan", "hawks", "Finds more", "agency.example"):
        assert word not in said


def test_what_people_say_to_each_other_stays_inside(project, hook, validator):
    notices.tell(project, validator, kind=NoticeKind.COMMENT_NAMES)

    assert not Delivery.objects.exists()


def test_the_same_occasion_is_told_once(project, hook):
    notices.tell(project, once="day 7")
    notices.tell(project, once="day 7")

    assert Delivery.objects.count() == 1


def test_a_message_arrives_signed_over_its_time_and_text(delivery, receiver, hook):
    deliver(pk=str(delivery.pk))

    [(headers, body)] = receiver.arrived
    stamp, _, mark = headers["X-Portal-Signature"].partition(",v1=")
    moment = stamp.removeprefix("t=")
    signed = f"{moment}.".encode() + body
    assert mark == hmac.new(hook.secret.encode(), signed, sha256).hexdigest()
    assert abs(int(moment) - timezone.now().timestamp()) < 60
    assert headers["X-Portal-Delivery"] == str(delivery.pk)
    assert body.decode() == delivery.body
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
    attempt = delivery.tries.get()
    assert (attempt.answer_status, attempt.failure) == (204, "")


def test_a_message_that_came_is_not_sent_again(delivery, receiver):
    deliver(pk=str(delivery.pk))
    deliver(pk=str(delivery.pk))

    assert len(receiver.arrived) == 1


def test_a_message_that_another_worker_has_is_left_alone(delivery, receiver, worker):
    assert Delivery.objects.claim(delivery.pk)

    assert actions.deliver(delivery=delivery, by=worker) is None
    assert not receiver.arrived


def test_a_worker_that_died_leaves_the_message_to_another(delivery, receiver):
    Delivery.objects.claim(delivery.pk)
    Delivery.objects.update(next_at=timezone.now())

    deliver(pk=str(delivery.pk))

    assert len(receiver.arrived) == 1


@pytest.mark.parametrize(
    ("status", "failure"), [(500, "It answered 500."), (410, "It answered 410.")]
)
def test_another_answer_is_no_delivery(delivery, receiver, status, failure):
    receiver.status = status

    deliver(pk=str(delivery.pk))

    delivery.refresh_from_db()
    attempt = delivery.tries.get()
    assert delivery.status == DeliveryStatus.WAITING
    assert (attempt.answer_status, attempt.failure) == (status, failure)
    pause = delivery.next_at - timezone.now()
    assert timedelta(seconds=50) < pause < timedelta(seconds=61)


def test_redirects_are_not_followed(delivery, receiver):
    receiver.status = 307
    receiver.headers = [("Location", "http://169.254.169.254/")]

    deliver(pk=str(delivery.pk))

    assert "Redirects are not followed" in delivery.tries.get().failure
    assert len(receiver.arrived) == 1


def test_a_message_is_given_up_after_two_days_and_managers_are_told(
    delivery, receiver, program_manager
):
    receiver.status = 503
    for _ in range(len(PAUSES) + 1):
        Delivery.objects.update(next_at=timezone.now())
        deliver(pk=str(delivery.pk))

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert delivery.tries.count() == 9
    told = Notice.objects.get(kind=NoticeKind.WEBHOOK_FAILED)
    assert told.recipient == program_manager
    assert "after 9 tries" in told.sentence
    assert told.path == delivery.webhook.get_absolute_url()


def test_pauses_grow_to_a_day():
    assert list(PAUSES) == sorted(set(PAUSES))
    assert timedelta(days=1) < timedelta(seconds=sum(PAUSES)) < timedelta(days=3)


def test_resend_delivery_sends_once_more(
    delivery, receiver, program_manager, django_capture_on_commit_callbacks
):
    deliver(pk=str(delivery.pk))
    delivery.refresh_from_db()

    with one_event("webhook.resent"), django_capture_on_commit_callbacks() as sent:
        actions.resend_delivery(delivery=delivery, by=program_manager)
    with pytest.raises(WrongState, match="waits to be sent already"):
        actions.resend_delivery(delivery=delivery, by=program_manager)
    deliver(pk=str(delivery.pk))

    assert [call.args[0].name for call in sent] == ["notices.deliver"]
    assert len(receiver.arrived) == 2
    assert len({body for _, body in receiver.arrived}) == 1


def test_remove_webhook_ends_what_waits(delivery, receiver, program_manager):
    with one_event("webhook.removed"):
        actions.remove_webhook(webhook=delivery.webhook, by=program_manager)
    deliver(pk=str(delivery.pk))

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.FAILED
    assert delivery.tries.get().failure == "The webhook was removed."
    assert not receiver.arrived
    with pytest.raises(WrongState):
        actions.resend_delivery(delivery=delivery, by=program_manager)


def test_the_guard_stands_before_every_try(delivery, receiver, settings):
    settings.WEBHOOK_NETWORKS = []

    deliver(pk=str(delivery.pk))

    assert "begins with https://" in delivery.tries.get().failure
    assert not receiver.arrived


@pytest.fixture
def lookups(monkeypatch) -> list[str]:
    """What is looked up; hooks.example.gov stands for this machine."""
    asked, ordinary = [], socket.getaddrinfo

    def lookup(host, *args, **kwargs):
        asked.append(host)
        inside = host == "hooks.example.gov"
        return ordinary("127.0.0.1" if inside else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def tried(project, by, url: str) -> DeliveryAttempt:
    """How the first message to a new webhook went."""
    hook = notices.webhook(project, by, url)
    notices.tell(project)
    deliver(pk=str(Delivery.objects.get(webhook=hook).pk))
    return DeliveryAttempt.objects.get(delivery__webhook=hook)


def test_a_name_is_looked_up_once_and_what_it_said_is_used(
    project, program_manager, receiver, lookups
):
    url = f"http://hooks.example.gov:{receiver.port}/"

    assert not tried(project, program_manager, url).failure

    assert lookups.count("hooks.example.gov") == 1
    assert receiver.arrived[0][0]["Host"] == f"hooks.example.gov:{receiver.port}"


def test_a_certificate_must_be_trusted_and_name_who_was_asked(
    project, program_manager, encrypted, lookups, monkeypatch
):
    by_number = f"https://127.0.0.1:{encrypted.port}/"
    by_name = f"https://hooks.example.gov:{encrypted.port}/"

    assert not tried(project, program_manager, by_number).failure
    assert "certificate" in tried(project, program_manager, by_name).failure
    monkeypatch.delenv("SSL_CERT_FILE")
    again = f"{by_number}again"
    assert "certificate" in tried(project, program_manager, again).failure
    assert len(encrypted.arrived) == 1


def test_nobody_listening_is_a_failed_try(project, program_manager, settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]

    attempt = tried(project, program_manager, f"http://127.0.0.1:{port}/")

    assert attempt.answer_status is None
    assert attempt.failure.startswith("No answer: ")


def test_whoever_answers_a_letter_at_a_time_keeps_no_worker(
    project, program_manager, settings, monkeypatch
):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def drip() -> None:
            other, _ = server.accept()
            with other:
                while other.recv(65536):
                    other.sendall(b"H")

        thread = Thread(target=drip)
        thread.start()
        attempt = tried(project, program_manager, f"http://127.0.0.1:{port}/")
        thread.join()

    assert attempt.failure.startswith("No answer")
    assert attempt.took_milliseconds < 5000


def test_deliver_due_knocks_for_those_whose_turn_it_is(
    project, hook, django_capture_on_commit_callbacks
):
    for _ in range(3):
        notices.tell(project)
    first, second, _ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(status=DeliveryStatus.FAILED)
    later = timezone.now() + timedelta(minutes=5)
    Delivery.objects.filter(pk=second.pk).update(next_at=later)

    with django_capture_on_commit_callbacks() as sent:
        deliver_due()

    assert len(sent) == 1


def test_deliver_is_for_workers_only(delivery, program_manager):
    with pytest.raises(Refused):
        actions.deliver(delivery=delivery, by=program_manager)


def test_the_secret_is_shown_once(project, program_manager, client_of):
    client = client_of(program_manager)
    address = reverse("notices:webhooks", args=[project.slug])

    answer = client.post(address, {"url": notices.URL})

    webhook = Webhook.objects.get()
    assert webhook.secret in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    pages = [address, webhook.get_absolute_url()]
    shown = "".join(client.get(page).content.decode() for page in pages)
    assert webhook.secret not in shown
    assert "hush" not in shown
    assert "hooks.agency.example" in shown


def test_the_form_says_what_is_wrong(project, program_manager, client_of):
    address = reverse("notices:webhooks", args=[project.slug])

    answer = client_of(program_manager).post(address, {"url": "https://10.0.0.1/"})

    assert answer.status_code == 422
    assert "inside a network" in answer.content.decode()


def test_the_log_shows_tries_and_who_may_send_again(
    delivery, receiver, program_manager, auditor, client_of
):
    receiver.status = 500
    deliver(pk=str(delivery.pk))
    page = delivery.webhook.get_absolute_url()
    assert "Next try" in client_of(auditor).get(page).content.decode()
    Delivery.objects.update(status=DeliveryStatus.FAILED)

    for person, may in ((program_manager, True), (auditor, False)):
        shown = client_of(person).get(page).content.decode()
        assert "It answered 500." in shown
        assert f'id="delivery-{delivery.pk}"' in shown
        assert ("Send again" in shown) is may


def test_log_and_list_cost_the_same_however_long(
    project, program_manager, hook, client_of, api_of
):
    asked = (
        (client_of(program_manager), hook.get_absolute_url()),
        (api_of(program_manager), reverse("v1:deliveries", args=[hook.pk])),
        (client_of(program_manager), reverse("notices:webhooks", args=[project.slug])),
    )

    def try_once() -> None:
        notices.tell(project)
        newest = Delivery.objects.latest("pk")
        DeliveryAttempt.objects.create(delivery=newest, took_milliseconds=1)

    try_once()
    few = [queries_of(client, address) for client, address in asked]
    for number in range(4):
        try_once()
        notices.webhook(project, program_manager, f"https://hooks.example/{number}")

    assert [queries_of(client, address) for client, address in asked] == few


def test_api_adds_lists_and_removes(project, program_manager, api_of):
    api, address = api_of(program_manager), reverse("v1:webhooks", args=[project.slug])
    url = {"url": notices.URL}

    added = api.post(address, url, content_type="application/json").json()
    listed = api.get(address).json()["results"]
    removed = api.post(reverse("v1:remove_webhook", args=[added["id"]])).json()

    assert added["secret"] == Webhook.objects.get().secret
    assert "secret" not in listed[0]
    assert listed[0]["host"] == "hooks.agency.example"
    assert removed["removed_at"]


def test_api_tells_what_was_sent_and_sends_again(
    delivery, receiver, program_manager, api_of
):
    deliver(pk=str(delivery.pk))
    api = api_of(program_manager)

    [found] = api.get(reverse("v1:deliveries", args=[delivery.webhook_id])).json()[
        "results"
    ]
    again = api.post(reverse("v1:resend_delivery", args=[delivery.pk])).json()

    assert found["status"] == "delivered"
    assert found["event"] == "approval.stale"
    assert found["tries"][0]["answer_status"] == 204
    assert again["status"] == "waiting"
