import time
from types import SimpleNamespace

from django.db import DatabaseError

from apps.jobs import presence
from apps.jobs.models import Worker
from apps.jobs.presence import Presence


def test_a_worker_shows_up_and_leaves(db, settings, caplog):
    settings.JOB_SANDBOX = ["plain"]
    shown = Presence("celery@here", ["training"], 2)

    shown._show(shown._sign())

    worker = Worker.objects.get()
    assert (worker.name, worker.queues, worker.concurrency) == (
        "celery@here",
        ["training"],
        2,
    )
    assert worker.sandbox == "plain"
    assert worker.is_alive

    Worker.objects.forget("celery@here")

    assert not Worker.objects.exists()


def test_a_worker_without_an_allowed_sandbox_says_so(db, settings):
    settings.JOB_SANDBOX = []

    sign = Presence("celery@here", ["training"], 2)._sign()

    assert sign.sandbox == ""
    assert sign.shortcomings[0].startswith("Jobs fail instead of running")


def test_a_worker_waits_for_a_database_that_is_away(settings, monkeypatch, caplog):
    def away(*_arguments):
        raise DatabaseError

    settings.WORKER_SIGN_SECONDS = 0.01
    monkeypatch.setattr(Worker.objects.__class__, "note", away)
    monkeypatch.setattr(Worker.objects.__class__, "forget", away)
    shown = Presence("celery@here", ["training"], 2)

    shown.start()
    time.sleep(0.3)
    shown.leave()

    assert not shown.is_alive()
    assert "the database is away; trying again" in caplog.text
    assert "forgotten in a day" in caplog.text


def test_jobs_get_a_bounded_time_when_a_worker_stops(settings, monkeypatch):
    monkeypatch.setattr(presence, "_hand_back_at", SimpleNamespace(value=0.0))
    settings.WORKER_STOP_SECONDS = 0.05

    before = presence.is_time_to_stop()
    presence.begin_to_stop()
    at_first = presence.is_time_to_stop()
    time.sleep(0.06)

    assert (before, at_first, presence.is_time_to_stop()) == (False, False, True)
