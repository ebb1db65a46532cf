"""The page of a model that a script logged."""

import pytest

from apps.audit.models import AuditEvent
from apps.experiments import actions
from apps.experiments.actions import LoggedModelStart, RunStart
from apps.experiments.models import LoggedModel, ModelUse
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory

FILES = {
    "MLmodel": b"flavors: {sklearn: {pickled_model: model.pkl}}",
    "model.pkl": b"a pickle",
    "input_example.csv": b"speed\n40\n",
}


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def model(project, data_scientist) -> LoggedModel:
    experiment = factory.experiment(project, data_scientist)
    run = actions.start_run(
        experiment=experiment, start=RunStart("Forest"), by=data_scientist
    )
    start = LoggedModelStart(
        name="forest", model_type="sklearn", source_run=run, parameters={"depth": "4"}
    )
    made = actions.create_logged_model(
        experiment=experiment, start=start, by=data_scientist
    )
    for path, content in FILES.items():
        file = factory.artifact(path, content)
        actions.log_model_file(model=made, file=file, by=data_scientist)
    actions.log_run_models(
        run=run, use=ModelUse.OUTPUT, steps={made: 0}, by=data_scientist
    )
    return made


def address_of(model: LoggedModel) -> str:
    return f"/logged-models/{model.pk}/"


def looks(model: LoggedModel):
    return AuditEvent.objects.filter(
        target_id=str(model.pk), type="logged_model.file_previewed"
    )


def test_the_run_leads_to_its_models(client, model):
    page = " ".join(client.get(model.source_run.get_absolute_url()).text.split())

    assert f'<a href="{address_of(model)}">forest</a>' in page
    assert "made it" in page
    assert '<td class="numeric"> 3 <span' in page


def test_the_page_shows_files_parameters_and_origin(client, model):
    page = client.get(address_of(model)).text

    for part in (*FILES, "depth", "sklearn", model.public_id, "Forest"):
        assert part in page
    assert f"{address_of(model)}files/model.pkl" in page


def test_the_page_costs_the_same_however_many_files(client, model, data_scientist):
    few = queries_of(client, address_of(model))
    for number in range(10):
        file = factory.artifact(f"part-{number}.bin")
        actions.log_model_file(model=model, file=file, by=data_scientist)

    assert queries_of(client, address_of(model)) == few


def test_looking_into_a_file_is_recorded(client, model, data_scientist):
    shown = client.get(f"{address_of(model)}preview/MLmodel")
    pickle = client.get(f"{address_of(model)}preview/model.pkl")

    event = looks(model).get()
    assert shown.context["preview"].kind == "mlmodel"
    assert "never opens one" in pickle.text
    assert (event.actor_id, event.changes["path"]) == (data_scientist.pk, "MLmodel")


def test_a_download_is_recorded(client, model):
    answer = client.get(f"{address_of(model)}files/model.pkl")

    assert answer.getvalue() == b"a pickle"
    assert answer["Content-Disposition"].startswith("attachment")
    events = AuditEvent.objects.filter(type="logged_model.file_downloaded")
    assert events.get().target_id == str(model.pk)


def test_rows_of_a_hidden_dataset_are_not_shown(
    client_of, project, model, data_scientist, validator
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = model.source_run
    run.dataset_version = version
    run.save()
    access.restrict(thing=dataset, by=data_scientist)
    client = client_of(validator)

    page = client.get(address_of(model))
    answer = client.get(f"{address_of(model)}preview/input_example.csv")

    assert "you were not granted" in page.text
    assert answer.status_code == 403
    assert not looks(model).exists()


def test_a_model_without_files_that_was_put_aside(client, project, data_scientist):
    experiment = factory.experiment(project, data_scientist)
    made = actions.create_logged_model(
        experiment=experiment, start=LoggedModelStart(name="bare"), by=data_scientist
    )
    actions.delete_logged_model(model=made, by=data_scientist)

    page = client.get(address_of(made)).text

    assert "No files" in page
    assert "put aside" in page
