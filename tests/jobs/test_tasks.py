from celery import current_app
from django.conf import settings

from apps.audit.models import AuditEvent
from apps.core.queue import enqueue
from apps.jobs import queries, tasks
from apps.jobs.models import JobStatus
from tests.factories import datasets
from tests.trail import one_event


def test_sweep_brings_dead_jobs_back(
    running, settings, django_capture_on_commit_callbacks
):
    settings.JOB_STALE_SECONDS = -1

    with django_capture_on_commit_callbacks() as sent:
        tasks.sweep()

    running.refresh_from_db()
    assert running.status == JobStatus.QUEUED
    # The knock of the requeue, and a second one: with this setting all wait too long.
    assert len(sent) == 2


def test_sweep_knocks_again_for_who_waits(
    waiting, settings, django_capture_on_commit_callbacks
):
    settings.JOB_STALE_SECONDS = -1

    with django_capture_on_commit_callbacks() as sent:
        tasks.sweep()

    assert len(sent) == 1
    assert waiting.rows().get(pk=waiting.pk).queued_at > waiting.queued_at


def test_sweep_leaves_the_living_alone(
    project, data_scientist, django_capture_on_commit_callbacks
):
    datasets.running_version(datasets.dataset(project, data_scientist), data_scientist)

    with django_capture_on_commit_callbacks() as sent:
        tasks.sweep()

    assert not sent


def test_every_kind_of_job_names_its_events_and_its_task(db):
    for model in queries.job_models():
        assert set(model.kind.events) == set(JobStatus)
        enqueue(model.kind.task, pk="7")  # raises when there is no such task


def test_the_clock_knows_the_sweep(db):
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        enqueue(entry["task"])


def test_every_kind_of_job_leaves_its_events(waiting, worker, engine_that):
    engine_that('result(status="failed", code="bad_input", message="No.")')
    before = AuditEvent.objects.latest("pk").pk

    current_app.tasks[waiting.kind.task](pk=str(waiting.pk))

    events = AuditEvent.objects.filter(pk__gt=before).order_by("pk")
    kinds = waiting.kind.events
    first, last = (event.type for event in events)
    assert first == kinds[JobStatus.RUNNING]
    # What needs no engine succeeds although that does not.
    assert last in {kinds[JobStatus.FAILED], kinds[JobStatus.SUCCEEDED]}
    assert {(event.actor_id, event.channel) for event in events} == {
        (worker.pk, "worker")
    }


def test_sweep_leaves_an_event_of_each_job_it_takes_back(running, worker, settings):
    settings.JOB_STALE_SECONDS = -1

    with one_event(running.kind.events[JobStatus.QUEUED]) as events:
        tasks.sweep()

    assert events[0].actor_id == worker.pk


def test_heartbeat_leaves_an_event_of_the_portal(worker):
    with one_event("audit.heartbeat") as events:
        tasks.heartbeat()

    assert events[0].actor_id == worker.pk
    assert events[0].channel == "worker"
