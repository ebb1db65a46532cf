from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.core.sandbox import modes
from apps.jobs import queries
from apps.jobs.models import Worker
from apps.jobs.models.workers import Sign
from tests.costs import queries_of
from tests.factories import training

LACK = "A job could use the network."


@pytest.fixture
def show():
    def note(name="celery@here", queues=("training",), lacks=(), seconds=0):
        Worker.objects.note(name, Sign(list(queues), 2, "plain", list(lacks)))
        seen_at = timezone.now() - timedelta(seconds=seconds)
        Worker.objects.filter(name=name).update(seen_at=seen_at)

    return note


def test_health_page_shows_who_serves_what(
    client_of, administrator, project, data_scientist, show
):
    show(lacks=[LACK])
    show("celery@gone", ["ingest"], seconds=600)
    training.launched_job(project, data_scientist)

    page = client_of(administrator).get(reverse("jobs:health"))
    html = page.content.decode()

    served = {queue.name: queue for queue in page.context["queues"]}
    assert served["training"].workers == 1
    assert served["training"].waiting == 1
    assert not served["ingest"].is_served
    assert LACK in html
    assert "Silent" in html
    assert "10\N{NO-BREAK SPACE}minutes ago" in html


def test_health_page_without_workers_says_what_to_do(client_of, administrator):
    html = client_of(administrator).get(reverse("jobs:health")).content.decode()

    assert "No worker has shown itself today" in html
    assert "Never" in html


def test_health_page_asks_as_often_for_many_workers(client_of, administrator, show):
    client = client_of(administrator)
    show()
    few = queries_of(client, reverse("jobs:health"))

    for number in range(5):
        show(f"celery@{number}")

    assert queries_of(client, reverse("jobs:health")) == few


def test_health_over_the_api(api_of, administrator, show):
    show(lacks=[LACK])

    body = api_of(administrator).get(reverse("v1:health")).json()

    assert body["workers"][0]["shortcomings"] == [LACK]
    assert {queue["name"] for queue in body["queues"]} >= {"default", "training"}


def test_healthz_says_in_words_how_workers_are(client, db, show):
    empty = client.get("/healthz").json()
    show()
    whole = client.get("/healthz").json()
    show("celery@there", lacks=[LACK])

    assert empty["sandbox"] == "unknown"
    assert empty["queues"]["training"] is None
    assert whole["sandbox"] == "ok"
    assert whole["queues"]["training"] <= 5
    assert client.get("/healthz").json()["sandbox"] == "partial"


def test_workers_are_visible_to_who_looks_after_the_portal(
    administrator, auditor, data_scientist, show
):
    show()

    seen = [
        Worker.objects.visible_to(user).count()
        for user in (administrator, auditor, data_scientist)
    ]

    assert seen == [1, 1, 0]
    assert str(Worker.objects.get()) == "celery@here"


def test_workers_are_forgotten_after_a_day(db, show):
    show("celery@old", seconds=2 * 24 * 60 * 60)

    show()

    assert Worker.objects.get().name == "celery@here"


def test_every_job_has_a_queue(db):
    names = {queue.name for queue in queries.queues([])}

    assert names == set(settings.WORKER_QUEUES)


def test_plain_mode_says_what_is_missing(settings, monkeypatch):
    settings.JOB_SANDBOX = ["plain"]
    monkeypatch.setattr(modes.confine, "landlock_version", lambda: 0)
    monkeypatch.setattr(modes.confine, "can_refuse_sockets", lambda: False)

    said = " ".join(modes.shortcomings())

    assert "ordinary processes" in said
    assert "no Landlock" in said
    assert "send signals" in said
    assert LACK in said
