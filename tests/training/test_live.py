"""What the page of a job says while it waits, runs, and when it failed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.sandbox import Outcome
from apps.jobs.models import JobStatus
from apps.training import live
from apps.training.models import TrainingJob
from tests.factories import training


@pytest.fixture
def running(project, data_scientist):
    return training.running_job(project, data_scientist)


def test_live_figures_gather_lines_by_measure(running):
    running.live_metrics = [
        ["train.recall", 1, 0.5],
        ["validation.recall", 1, 0.4],
        ["validation.recall", 2, 0.6],
        ["validation.recall", 3, 0.55],
        ["loss", 1, 2.0],
    ]

    recall, loss = live.live_figures(running)

    assert recall["title"] == "Recall"
    assert "0.55 at step 3, best 0.6 at step 2." in recall["summary"]
    assert [trace["name"] for trace in recall["json"]["data"]] == [
        "train.recall",
        "Recall (validation)",
    ]
    assert loss["summary"] == "loss: 2 at step 1."


def test_live_figures_know_that_less_can_be_better(running):
    running.live_metrics = [["search.brier", 1, 0.1], ["search.brier", 2, 0.2]]

    (figure,) = live.live_figures(running)

    assert "best 0.1 at trial 1." in figure["summary"]
    assert figure["json"]["layout"]["xaxis"]["title"]["text"] == "Trial"


def test_live_figures_keep_their_ids_and_stay_few(running):
    running.live_metrics = [[f"<b>{n}</b>", 1, 1.0] for n in range(9)]
    before = [figure["id"] for figure in live.live_figures(running)]
    running.live_metrics += [["<b>0</b>", 2, 2.0]]

    after = [figure["id"] for figure in live.live_figures(running)]

    assert before == after
    assert len(after) == live.MOST_FIGURES
    assert all(figure_id.replace("-", "").isalnum() for figure_id in after)


def test_use_of_a_job_stands_against_its_limits(running):
    gibibyte = 1024**3
    running.spec["limits"] |= {"memory_bytes": 2 * gibibyte, "cpu_seconds": 120}
    running.usage = {
        "cpu_seconds": 60.0,
        "memory_bytes": 1,
        "memory_peak_bytes": gibibyte,
        "disk_bytes": 2048,
    }

    found = {use.title: use for use in live.use_of(running)}

    assert found["Processor time"].ratio == 0.5
    assert found["Processor time"].used == "1 min 0 s"
    assert found["Memory, at most"].ratio == 0.5
    assert found["Disk, inputs included"].used == "2.0\xa0KB"
    assert found["Time"].limit


def test_use_of_a_job_that_waits_or_was_not_looked_at(project, data_scientist, running):
    waiting = training.launched_job(project, data_scientist)

    assert live.use_of(waiting) == []
    assert [use.title for use in live.use_of(running)] == ["Time"]


@pytest.mark.parametrize(
    ("value", "words"), [(5.4, "5 s"), (61, "1 min 1 s"), (3720, "1 h 2 min")]
)
def test_seconds_in_words(value, words):
    assert live.seconds(value) == words


def test_outlook_counts_who_came_before(project, data_scientist, running):
    first, second = [training.launched_job(project, data_scientist) for _ in range(2)]

    assert live.outlook(first) == live.Outlook(1, 1)
    assert live.outlook(second) == live.Outlook(2, 1)
    assert live.outlook(running) is None


def test_outlook_estimates_by_what_recent_jobs_took(project, data_scientist, running):
    for _ in range(live.FEWEST_RECENT):
        ended = training.failed_job(project, data_scientist)
        start = timezone.now() - timedelta(minutes=2)
        TrainingJob.objects.filter(pk=ended.pk).update(
            started_at=start, finished_at=start + timedelta(seconds=90)
        )
    waiting = [training.launched_job(project, data_scientist) for _ in range(2)][1]

    found = live.outlook(waiting)

    assert (found.usual, found.wait) == ("1 min 30 s", "3 min 0 s")


def test_outlook_estimates_nothing_while_no_training_runs(project, data_scientist):
    for _ in range(live.FEWEST_RECENT):
        training.failed_job(project, data_scientist)

    assert live.outlook(training.launched_job(project, data_scientist)).wait == ""


def failed(running, code):
    outcome = Outcome(
        JobStatus.FAILED, training.folder(running), code=code, message="It failed."
    )
    return training.finish(running, outcome)


def test_advice_on_time_names_what_it_had_and_may_have(project, data_scientist):
    spec = training.spec(limits={"wall_seconds": 60}, search={"trials": 5, "folds": 2})
    job = failed(training.running_job(project, data_scientist, spec=spec), "timeout")

    found = live.advice(job)

    assert found.heading == "It reached its time limit"
    assert found.steps[0].startswith("Raise its time limit: it had 1 minutes")
    assert "fewer settings" in found.steps[1]


def test_advice_on_memory_asks_for_no_more_than_there_is(running):
    job = failed(running, "out_of_memory")

    assert live.advice(job).heading == "It reached its memory limit"
    assert not any("Raise" in step for step in live.advice(job).steps)


@pytest.mark.parametrize(
    "code", ["bad_input", "worker_lost", "out_of_disk", "unheard_of"]
)
def test_advice_is_there_for_every_failure(running, code):
    assert live.advice(failed(running, code)).steps


def test_advice_is_for_failures_only(running):
    assert live.advice(running) is None


def test_title_says_the_state(project, data_scientist, running):
    running.progress_ratio = 0.4

    assert live.title_of(running) == "40% First training"
    waiting = training.launched_job(project, data_scientist)
    assert live.title_of(waiting) == "Queued: First training"
