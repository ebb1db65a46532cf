"""Pages of training."""

import pytest
from django.urls import reverse

from apps.core.sandbox import Progress
from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.training.models import TrainingJob
from tests.counting import queries_of
from tests.factories import training

SCRIPT = "<script>alert(1)</script>"


def test_job_page_shows_names_as_text(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist, name=SCRIPT)
    client = client_of(data_scientist)

    pages = [
        client.get(job.get_absolute_url()).content.decode(),
        client.get(reverse("training:list", args=[project.slug])).content.decode(),
    ]

    for page in pages:
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page


def test_job_page_says_why_it_failed(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist)

    page = client_of(data_scientist).get(job.get_absolute_url()).content.decode()

    assert "The target damaged has one value only." in page
    assert "hx-trigger" not in page


def test_job_page_links_to_the_run(project, developer, data_scientist, client_of):
    job = training.finished_job(project, data_scientist)

    page = client_of(developer).get(job.get_absolute_url()).content.decode()

    assert job.run.get_absolute_url() in page


def test_job_page_hides_the_name_of_restricted_data(
    project, developer, data_scientist, program_manager, client_of
):
    job = training.launched_job(project, data_scientist)
    access.restrict(thing=job.dataset_version.dataset, by=program_manager)

    page = client_of(developer).get(job.get_absolute_url()).content.decode()

    assert "A restricted dataset" in page
    assert "Strikes, version" not in page


def test_status_polls_while_the_job_runs(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:training_job_status", args=[job.pk])

    response = client_of(data_scientist).get(path, headers={"HX-Request": "true"})

    page = response.content.decode()
    assert response.status_code == 200
    assert 'hx-trigger="every 2s"' in page
    assert "Place 1 in the queue" in page
    assert "<html" not in page


def test_status_stops_when_the_job_has_ended(project, data_scientist, client_of):
    job = training.finished_job(project, data_scientist)
    path = reverse("training:training_job_status", args=[job.pk])

    response = client_of(data_scientist).get(path)

    assert response.status_code == 286


def test_status_shows_progress(project, data_scientist, client_of):
    job = training.running_job(project, data_scientist)
    TrainingJob.objects.filter(pk=job.pk).note_progress(
        claim_id=job.claim_id, progress=Progress(0.4, "Learning", "3,000 rows\n")
    )
    path = reverse("training:training_job_status", args=[job.pk])

    page = client_of(data_scientist).get(path).content.decode()

    assert "Learning" in page
    assert 'value="0.4"' in page
    assert "3,000 rows" in page


def test_status_brings_title_figures_and_use(project, data_scientist, client_of):
    job = training.running_job(project, data_scientist)
    TrainingJob.objects.filter(pk=job.pk).update(
        live_metrics=[["validation.recall", 1, 0.5], [SCRIPT, 1, 1.0]],
        usage={"cpu_seconds": 3, "memory_bytes": 5, "disk_bytes": 7},
        log_tail=SCRIPT,
        progress_ratio=0.25,
    )
    client = client_of(data_scientist)

    part = client.get(reverse("training:training_job_status", args=[job.pk])).text
    page = client.get(job.get_absolute_url()).text

    assert "<title>25% First training – MLOps Portal</title>" in part
    assert page.count("<title>") == 1
    assert "data-live hx-preserve" in part
    assert "Processor time" in part
    assert SCRIPT not in part


def test_job_page_says_what_to_do_about_a_failure(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist)
    client = client_of(data_scientist)

    page = client.get(job.get_absolute_url()).text

    assert "What you can do" in page
    assert reverse("training:relaunch_training", args=[job.pk]) in page
    assert f"?from={job.pk}" in page
    again = client.post(reverse("training:relaunch_training", args=[job.pk]))
    assert "Launched again as" in client.get(job.get_absolute_url()).text
    assert "Another attempt of" in client.get(again.headers["Location"]).text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "deep"}, ["Deep"]),
        ({"status": "failed"}, ["Deep"]),
        ({"estimator": "decision_tree"}, ["Deep"]),
        ({"estimator": "unknown"}, ["First training", "Deep"]),
        ({"dataset": "nonsense"}, ["First training", "Deep"]),
        ({"launched_by": "nobody"}, ["First training", "Deep"]),
        ({"status": "cancelled"}, []),
    ],
)
def test_list_narrows(project, data_scientist, client_of, asked, found):
    training.failed_job(
        project,
        data_scientist,
        name="Deep",
        spec=training.spec(estimator="decision_tree"),
    )
    training.launched_job(project, data_scientist)

    response = client_of(data_scientist).get(
        reverse("training:list", args=[project.slug]), asked
    )

    assert [job.name for job in response.context["page"].rows] == found


def test_list_narrows_to_people_and_data(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:list", args=[project.slug])
    client = client_of(data_scientist)

    dataset = job.dataset_version.dataset_id
    mine = client.get(path, {"launched_by": data_scientist.pk, "dataset": dataset})

    assert list(mine.context["page"].rows) == [job]
    assert "Show all" in mine.text


def test_list_offers_runs_to_compare(project, data_scientist, client_of):
    job = training.finished_job(project, data_scientist)
    training.launched_job(project, data_scientist)

    page = client_of(data_scientist).get(reverse("training:list", args=[project.slug]))

    assert page.text.count('type="checkbox"') == 1
    assert f'value="{job.run_id}"' in page.text


def test_cancel_training_returns_to_the_job(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:cancel_training", args=[job.pk])
    client = client_of(data_scientist)

    response = client.post(path)
    again = client.post(path)

    job.refresh_from_db()
    assert response.headers["Location"] == job.get_absolute_url()
    assert job.status == JobStatus.CANCELLED
    assert again.status_code == 409


def test_list_costs_the_same_for_many_jobs(project, data_scientist, client_of):
    path = reverse("training:list", args=[project.slug])
    client = client_of(data_scientist)
    for _ in range(2):
        training.finished_job(project, data_scientist)
    few = queries_of(lambda: client.get(path))

    for _ in range(6):
        training.finished_job(project, data_scientist)

    assert queries_of(lambda: client.get(path)) == few


def test_list_invites_who_may_launch(project, data_scientist, developer, client_of):
    path = reverse("training:list", args=[project.slug])

    invited = client_of(data_scientist).get(path).content.decode()
    told = client_of(developer).get(path).content.decode()

    assert "Choose a dataset version and what to predict" in invited
    assert "A data scientist of the project launches training." in told
    assert "Only a data scientist of this project can do this." in told
