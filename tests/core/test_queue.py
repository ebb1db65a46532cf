import logging

import pytest
from celery import current_app
from celery.exceptions import NotRegistered
from kombu.exceptions import OperationalError

from apps.core.context import LogContextFilter, WorkContext, current, working
from apps.core.queue import enqueue, task


@pytest.fixture
def echo():
    """A task of this test; yields what it was called with and in which context."""
    calls = []

    @task("tests.echo", queue="training")
    def body(**kwargs):
        calls.append((kwargs, current()))

    found = current_app.tasks["tests.echo"]
    found.calls = calls
    yield found
    current_app.tasks.unregister("tests.echo")


@pytest.fixture
def sent(echo, monkeypatch):
    """What reaches the broker: the fake stands at the border to Celery."""
    messages = []
    monkeypatch.setattr(
        type(echo), "apply_async", lambda self, **kwargs: messages.append(kwargs)
    )
    return messages


def test_enqueue_sends_only_after_commit(db, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("tests.echo", pk="7")
        before_commit = list(sent)

    [message] = sent
    assert before_commit == []
    assert message["kwargs"]["pk"] == "7"
    assert message["queue"] == "training"


def test_enqueue_carries_the_request(db, sent, django_capture_on_commit_callbacks):
    with (
        working(WorkContext(request_id="r1")),
        django_capture_on_commit_callbacks(execute=True),
    ):
        enqueue("tests.echo", pk="7")

    assert sent[0]["kwargs"] == {"pk": "7", "request_id": "r1"}


def test_enqueue_does_not_know_a_name():
    with pytest.raises(NotRegistered):
        enqueue("tests.no_such_task", pk="7")


def test_enqueue_survives_a_broker_that_is_away(
    db, echo, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def away(self, **_kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(type(echo), "apply_async", away)

    with (
        caplog.at_level(logging.WARNING, "apps.core.queue"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        enqueue("tests.echo", pk="7")

    assert "broker unreachable, the sweeper will send tests.echo" in caplog.text


def test_a_task_works_in_the_context_of_its_request(echo):
    echo(pk="7", request_id="r1")

    [(kwargs, context)] = echo.calls
    assert kwargs == {"pk": "7"}
    assert context == WorkContext("r1", "worker", "tests.echo")
    assert current() == WorkContext()


def test_a_task_without_request_has_an_id_of_its_own(echo):
    echo()
    echo()

    first, second = (context.request_id for _, context in echo.calls)
    assert len(first) == 32
    assert first != second


def test_every_record_of_the_log_names_the_request():
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "message", None, None)

    with working(WorkContext(request_id="r2")):
        kept = LogContextFilter().filter(record)

    assert kept
    assert record.request_id == "r2"
