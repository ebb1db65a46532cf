from django.conf import settings

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


def test_heartbeat_leaves_an_event_of_the_portal(worker):
    with one_event("audit.heartbeat") as events:
        tasks.heartbeat()

    assert events[0].actor_id == worker.pk
    assert events[0].channel == "worker"
