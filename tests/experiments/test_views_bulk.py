import pytest
from django.urls import reverse

from apps.experiments import actions
from apps.experiments.actions import RunStart
from apps.experiments.models import Run, RunTag
from tests.costs import queries_of
from tests.factories import experiments as factory


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


def some_runs(experiment, by, count=2):
    return [
        actions.start_run(experiment=experiment, start=RunStart(name=f"r{n}"), by=by)
        for n in range(count)
    ]


def address(project, name="change_runs") -> str:
    return reverse(f"experiments:{name}", args=[project.slug])


def test_change_runs_comes_back_to_the_same_view(
    client, project, experiment, data_scientist
):
    runs = some_runs(experiment, data_scientist)
    view = {"filter": "run_name != 'x'", "nested": "1", "of": str(experiment.pk)}
    page = client.get(address(project), {"run": [run.pk for run in runs], **view})

    answer = client.post(
        address(project, "tag_runs"),
        {
            "run": [run.pk for run in runs],
            "query": page.context["query"],
            "of": page.context["of"],
            "key": "release",
            "value": "1",
        },
        follow=True,
    )

    path, query = answer.redirect_chain[0][0].split("?")
    assert path == experiment.get_absolute_url()
    assert query == "filter=run_name+%21%3D+%27x%27&nested=1"
    assert "2 runs tagged." in answer.text
    assert RunTag.objects.filter(key="release").count() == 2


def test_change_runs_says_which_run_cannot_be_changed(
    client, project, experiment, data_scientist
):
    whole = factory.run(experiment, data_scientist, name="Whole")
    runs = [*some_runs(experiment, data_scientist), whole]

    page = client.get(address(project), {"run": [run.pk for run in runs]}).text

    assert "Whole: This run was recorded whole" in page
    assert "Set the tag" not in page


def test_tag_runs_shows_what_is_wrong(client, project, experiment, data_scientist):
    runs = [run.pk for run in some_runs(experiment, data_scientist)]

    empty = client.post(address(project, "tag_runs"), {"run": runs, "key": ""})
    bad = client.post(address(project, "tag_runs"), {"run": runs, "key": "a#b"})

    assert (empty.status_code, bad.status_code) == (422, 422)
    assert "cannot be a name" in bad.text


def test_delete_runs_and_restore_runs(client, project, experiment, data_scientist):
    runs = [run.pk for run in some_runs(experiment, data_scientist)]

    gone = client.post(address(project, "delete_runs"), {"run": runs}, follow=True)
    page = client.get(address(project), {"run": runs}).text
    assert not Run.objects.active().exists()
    client.post(address(project, "restore_runs"), {"run": runs})

    assert "2 runs put aside." in gone.text
    assert "Bring these runs back" in page
    assert "Put these runs aside" not in page
    assert Run.objects.active().count() == 2


@pytest.mark.parametrize("chosen", [[], ["nonsense"]])
def test_change_runs_needs_runs(client, project, chosen):
    answer = client.get(address(project), {"run": chosen})

    assert answer.status_code == 422
    assert "Choose 1 to 100 runs" in answer.text


def test_change_runs_takes_none_of_other_projects(client, world, project):
    other = factory.experiment(project, world.data_scientist, "Other")
    run = some_runs(other, world.data_scientist, 1)[0]
    from_elsewhere = reverse("experiments:delete_runs", args=["nowhere"])

    assert client.post(from_elsewhere, {"run": run.pk}).status_code == 404


def test_change_runs_is_asked_of_one_run_after_the_other(
    client, project, experiment, data_scientist
):
    """What it costs grows with the runs, at most by what their rules ask."""
    runs = some_runs(experiment, data_scientist, 5)

    def costs(count):
        chosen = "&".join(f"run={run.pk}" for run in runs[:count])
        return queries_of(client, f"{address(project)}?{chosen}")

    assert costs(5) - costs(2) <= 3 * 4
