"""A run with several models: each can be chosen, on the page and over REST."""

import pytest
from django.urls import reverse

from apps.core.errors import Invalid
from apps.experiments import actions as logging
from apps.experiments.actions import LoggedModelStart, RunStart
from apps.experiments.models import LoggedModelStatus
from apps.registry import actions
from apps.registry.candidates import candidates_of
from tests.factories import experiments as factory

MLMODEL = b"flavors: {}"


@pytest.fixture
def run(world):
    """A run with a file of its own, a folder with a model, and a logged model."""
    by = world.data_scientist
    made = factory.experiment(world.project, by)
    run = logging.start_run(experiment=made, start=RunStart("several"), by=by)
    for path in ("model.onnx", "forest/MLmodel", "forest/model.pkl"):
        file = factory.artifact(path, MLMODEL)
        logging.log_artifact(run=run, file=file, by=by)
    logged(run, by, "tree", LoggedModelStatus.READY)
    logged(run, by, "half", LoggedModelStatus.UPLOAD_FAILED)
    return run


def logged(run, by, name: str, status: LoggedModelStatus):
    model = logging.create_logged_model(
        experiment=run.experiment,
        start=LoggedModelStart(name=name, source_run=run),
        by=by,
    )
    file = factory.artifact("MLmodel", MLMODEL)
    logging.log_model_file(model=model, file=file, by=by)
    return logging.finish_logged_model(model=model, status=status, by=by)


def test_each_model_of_a_run_is_one_choice(run):
    assert [one.label for one in candidates_of(run)] == [
        "All files of the run",
        "The folder forest",
        "The logged model tree",
    ]


def test_the_page_registers_what_is_chosen(world, client_of, run):
    client = client_of(world.data_scientist)
    model = run.logged_models.get(name="tree")
    address = reverse("registry:register_version", args=[run.pk])

    page = client.get(address).content.decode()
    answer = client.post(
        address, {"part": model.public_id, "model_name": "trees", "description": ""}
    )
    again = client.get(reverse("registry:run_panel", args=[run.pk])).content.decode()

    assert "The logged model tree" in page
    assert answer.status_code == 302
    version = model.model_versions.get()
    assert (version.run, version.model.name) == (run, "trees")
    assert [entry["path"] for entry in version.manifest] == ["MLmodel"]
    assert "Register another model" in again


def test_rest_names_a_part(world, api_of, run):
    address = f"/api/v1/projects/{world.project.slug}/models/forests/versions"
    client = api_of(world.data_scientist)

    made = client.post(
        address,
        {"run_id": str(run.pk), "part": "forest"},
        content_type="application/json",
    )
    refused = client.post(
        address,
        {"run_id": str(run.pk), "part": "nothing"},
        content_type="application/json",
    )

    paths = [entry["path"] for entry in made.json()["manifest"]]
    assert (made.status_code, paths) == (201, ["MLmodel", "model.pkl"])
    assert refused.status_code == 422
    assert "forest" in refused.content.decode()


def test_a_part_of_another_run_is_refused(world, run):
    with pytest.raises(Invalid, match="has no part 'm-"):
        actions.register_version(
            project=world.project,
            run=run,
            model_name="trees",
            description="",
            part=run.logged_models.get(name="half").public_id,
            by=world.data_scientist,
        )


def test_files_below_a_model_are_no_model_of_their_own(world):
    by = world.data_scientist
    made = factory.experiment(world.project, by)
    run = logging.start_run(experiment=made, start=RunStart("nested"), by=by)
    for path in ("a/b/MLmodel", "a/b/c/model.pkl", "a/bc/notes.txt"):
        logging.log_artifact(run=run, file=factory.artifact(path, MLMODEL), by=by)

    only_a_folder = [one.label for one in candidates_of(run)]
    logging.log_artifact(run=run, file=factory.artifact("a/bc/model.pkl"), by=by)

    assert only_a_folder == ["The folder a/b"]
    assert [one.label for one in candidates_of(run)] == [
        "All files of the run",
        "The folder a/b",
    ]


def test_the_choice_of_a_part_looks_like_every_field(world, client_of, run):
    address = reverse("registry:register_version", args=[run.pk])

    page = client_of(world.data_scientist).get(address)

    assert page.context["form"].fields["part"].widget.attrs["class"] == "usa-select"


def test_the_page_of_a_logged_model_leads_to_its_registration(world, client_of, run):
    client = client_of(world.data_scientist)
    model, half = (run.logged_models.get(name=name) for name in ("tree", "half"))
    panel = reverse("registry:run_panel", args=[run.pk])

    page = client.get(reverse("experiments:logged_model", args=[model.pk])).text
    before = client.get(panel, {"part": model.public_id}).text
    actions.register_version(
        project=world.project,
        run=run,
        model_name="trees",
        description="",
        part=model.public_id,
        by=world.data_scientist,
    )

    assert f"{panel}?part={model.public_id}" in page
    assert f"/register-version/?part={model.public_id}" in before
    assert "trees, version 1" in client.get(panel, {"part": model.public_id}).text
    assert client.get(panel, {"part": half.public_id}).text.strip() == ""
    assert "trees" not in client.get(panel, {"part": "forest"}).text
