import pytest
from django.test import Client
from django.urls import reverse

from apps.experiments import actions
from apps.experiments.models import DEFAULT_NAME, Experiment
from tests.costs import queries_of
from tests.factories import experiments as factory
from tests.factories import projects as project_factory


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist) -> Experiment:
    return factory.experiment(project, data_scientist)


@pytest.fixture
def address(project) -> str:
    return reverse("experiments:list", args=[project.slug])


def names(response) -> list[str]:
    return [one.experiment.name for one in response.context["listed"]]


def test_list_counts_runs_and_shows_tags(client, address, experiment, data_scientist):
    factory.run(experiment, data_scientist)
    factory.run(experiment, data_scientist)
    actions.set_experiment_tag(
        experiment=experiment, key="team", value="air", by=data_scientist
    )

    response = client.get(address)

    (listed,) = response.context["listed"]
    assert (listed.active, listed.deleted) == (2, 0)
    assert "team: air" in response.text


def test_list_filters_and_sorts(client, address, project, data_scientist):
    for name in ("B storm", "A storm", "Calm"):
        factory.experiment(project, data_scientist, name)

    asked = {"filter": "name LIKE '%storm'", "order_by": "name ASC"}
    assert names(client.get(address, asked)) == ["A storm", "B storm"]
    assert names(client.get(address, {"filter": "name = 'x'"})) == []


def test_list_shows_what_is_put_aside(client, address, experiment, data_scientist):
    factory.run(experiment, data_scientist)
    actions.delete_experiment(experiment=experiment, by=data_scientist)

    assert names(client.get(address)) == []
    aside = client.get(address, {"view": "DELETED_ONLY"})
    assert names(aside) == [experiment.name]
    assert "1 put aside" in aside.text


def test_list_says_what_cannot_be_read(client, address):
    response = client.get(address, {"filter": "name = 1"})

    assert response.status_code == 422
    assert "At character 8:" in response.text


def test_list_says_when_it_is_empty(client, address):
    assert "No experiments here" in client.get(address).text


def test_list_costs_the_same_however_long(client, address, project, data_scientist):
    for number in range(2):
        factory.experiment(project, data_scientist, f"a{number}")
    few = queries_of(client, address)
    for number in range(25):
        factory.experiment(project, data_scientist, f"b{number}")

    assert queries_of(client, address) == few
    page = client.get(address)
    following = client.get(f"{address}{page.context['next_query']}")
    assert (len(names(page)), len(names(following))) == (24, 3)


def test_create_experiment_leads_to_it(client, project):
    response = client.post(
        reverse("experiments:create_experiment", args=[project.slug]),
        {"name": "First look"},
    )

    assert response.url == Experiment.objects.get().get_absolute_url()


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 121, "First look"])
def test_create_experiment_shows_what_is_wrong(client, project, experiment, name):
    response = client.post(
        reverse("experiments:create_experiment", args=[project.slug]), {"name": name}
    )

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["name"]


def test_rename_experiment(client, project, experiment, data_scientist):
    factory.experiment(project, data_scientist, "Taken")
    address = reverse("experiments:rename_experiment", args=[experiment.pk])

    taken = client.post(address, {"name": "Taken"})
    renamed = client.post(address, {"name": "Second look"})

    assert taken.status_code == 422
    assert renamed.url == experiment.get_absolute_url()
    experiment.refresh_from_db()
    assert experiment.name == "Second look"


def test_delete_experiment_and_restore_experiment(client, experiment):
    def send(name):
        address = reverse(f"experiments:{name}_experiment", args=[experiment.pk])
        return client.post(address, follow=True).text

    assert "This experiment is put aside" in send("delete")
    assert "This experiment is put aside" not in send("restore")


def test_addresses_of_clients_lead_to_pages(client, experiment, data_scientist):
    run = factory.run(experiment, data_scientist)

    for_experiment = client.get(f"/mlflow/experiments/{experiment.pk.hex}/")
    for_run = client.get(f"/mlflow/experiments/{experiment.pk.hex}/runs/{run.pk.hex}/")
    for_zero = client.get(f"/mlflow/experiments/0/runs/{run.pk.hex}/")

    assert for_experiment.url == experiment.get_absolute_url()
    assert for_run.url == for_zero.url == run.get_absolute_url()
    for nothing in ("x", "1", experiment.pk, run.pk.hex):
        assert client.get(f"/mlflow/experiments/{nothing}/").status_code == 404


def test_experiment_0_is_the_default_one(client, world, project, data_scientist):
    assert client.get("/experiments/0/").status_code == 404
    mine = factory.experiment(project, data_scientist, DEFAULT_NAME)

    assert client.get("/experiments/0/").url == mine.get_absolute_url()
    assert client.get("/mlflow/experiments/0/").url == mine.get_absolute_url()


def test_experiment_0_is_chosen_among_several(client, project, data_scientist):
    other = project_factory.project("elsewhere")
    project_factory.actions.add_member(
        project=other, person=data_scientist, role="data_scientist", by=other.created_by
    )
    for each in (project, other):
        factory.experiment(each, data_scientist, DEFAULT_NAME)

    page = client.get("/experiments/0/")

    assert page.status_code == 200
    assert project.name in page.text
    assert other.name in page.text


def test_home_and_sign_in_follow_addresses_of_clients(client):
    for page in (client.get("/"), Client().get("/sign-in/")):
        assert "js/mlflow-links" in page.text


def test_an_experiment_that_is_put_aside_leads_to_its_runs(
    client, project, data_scientist
):
    experiment = factory.experiment(project, data_scientist)
    actions.delete_experiment(experiment=experiment, by=data_scientist)

    page = client.get(experiment.get_absolute_url()).text

    assert "The runs are put aside" in page
    assert "Rename this experiment, or bring it back" in page
    assert "Launch a training job" not in page
