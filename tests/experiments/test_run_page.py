"""The page of one run: who and what surrounds it, its note and its tags."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditEvent
from apps.experiments import actions, run_family
from apps.experiments.actions import LoggedDataset, LoggedModelStart, RunStart
from apps.experiments.models import ModelUse, Run, RunModel
from apps.experiments.notes import NOTE_TAG, note_of
from apps.experiments.run_family import PARENT_TAG
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory
from tests.factories import registry as registry_factory


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


@pytest.fixture
def start(experiment, data_scientist):
    def make(name: str = "Base", *, parent: Run | None = None, **tags) -> Run:
        if parent:
            tags[PARENT_TAG] = parent.pk.hex
        begun = RunStart(name=name, claimed_user="jo", tags=tags)
        return actions.start_run(experiment=experiment, start=begun, by=data_scientist)

    return make


def page_of(client, run: Run) -> str:
    return " ".join(client.get(run.get_absolute_url()).text.split())


def events(target, kind: str):
    return AuditEvent.objects.filter(target_id=str(target.pk), type=kind)


def test_the_claimed_user_is_told_apart_from_who_sent_it(client, start):
    page = page_of(client, start())

    assert "by Dan Data, MLflow client" in page
    assert "jo" in page
    assert "As claimed by the client" in page


def test_parent_and_nested_runs_are_linked(client, start):
    parent = start("Sweep")
    child = start("Trial 1", parent=parent)

    above, below = page_of(client, parent), page_of(client, child)

    assert f'<a href="{child.get_absolute_url()}">Trial 1</a>' in above
    assert f'Part of <a href="{parent.get_absolute_url()}">Sweep</a>' in below


def test_many_nested_runs_cost_no_more_and_are_cut(client, start, monkeypatch):
    monkeypatch.setattr(run_family, "MOST_NESTED", 3)
    parent = start("Sweep")
    start("Trial 1", parent=parent)
    few = queries_of(client, parent.get_absolute_url())
    for number in range(5):
        start(f"Trial {number + 2}", parent=parent)

    assert queries_of(client, parent.get_absolute_url()) == few
    assert "The first 3 are shown" in page_of(client, parent)


@pytest.mark.parametrize("named", ["nobody", "0" * 32, "\u2028"])
def test_a_parent_that_is_not_there_is_not_shown(client, start, named):
    run = start("Trial", **{PARENT_TAG: named})

    assert "Related runs" not in page_of(client, run)


def test_used_data_is_linked_by_digest_or_by_name(
    client, project, start, data_scientist
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = start()
    told = [
        ("renamed", version.original_sha256[:12]),
        (dataset.name, "0badc0de"),
        ("elsewhere", "12345678"),
        ("short", version.original_sha256[:4]),
    ]
    actions.log_inputs(
        run=run,
        datasets=[
            LoggedDataset(name, digest, "local", "x", "", "", {})
            for name, digest in told
        ],
        by=data_scientist,
    )

    found = run_family.used_data(run, data_scientist)
    page = page_of(client, run)

    assert [(used.version, used.by_content) for used in found] == [
        (version, True),
        (version, False),
        (None, False),
        (None, False),
    ]
    assert "The digest that the client named is that of this version." in page
    assert "nobody checked the content" in page


def test_used_data_names_no_version_that_is_hidden(
    client_of, project, start, data_scientist, validator
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = start()
    digest = version.original_sha256[:12]
    told = LoggedDataset("d", digest, "local", "x", "", "", {})
    actions.log_inputs(run=run, datasets=[told], by=data_scientist)
    access.restrict(thing=dataset, by=data_scientist)

    assert version.get_absolute_url() not in page_of(client_of(validator), run)


def test_the_page_says_why_a_run_does_not_change(client, world, experiment):
    whole = factory.run(experiment, world.data_scientist)
    model = registry_factory.model_version(world.project, world.data_scientist)

    assert "recorded whole (rest api) and is protected" in page_of(client, whole)
    assert "registered as a model, whose evidence it is" in page_of(client, model.run)


def test_a_run_that_was_put_aside_says_so(client, start, data_scientist):
    run = actions.delete_run(run=start(), by=data_scientist)

    assert "put aside; restore it before" in page_of(client, run)


def test_set_run_tags_adds_and_changes(client, start):
    run = start()
    address = f"/runs/{run.pk}/set-tags/"

    client.post(address, {"key": "stage", "value": "try"})
    answer = client.post(address, {"key": "stage", "value": "keep"})

    assert answer.url == f"{run.get_absolute_url()}#tags"
    assert run.tags.get(key="stage").value == "keep"
    assert events(run, "run.tags_set").count() == 2


@pytest.mark.parametrize("key", ["", "a;b", "../x", "x" * 251])
def test_set_run_tags_shows_what_is_wrong(client, start, key):
    run = start()

    answer = client.post(f"/runs/{run.pk}/set-tags/", {"key": key, "value": "x"})

    assert answer.status_code == 422
    assert answer.context["tag_form"].errors
    assert not events(run, "run.tags_set").exists()


def test_delete_run_tag_takes_it_off(client, start):
    run = start(stage="try")

    client.post(f"/runs/{run.pk}/delete-tag/", {"key": "stage"})
    again = client.post(f"/runs/{run.pk}/delete-tag/", {"key": "stage"})

    assert not run.tags.filter(key="stage").exists()
    assert events(run, "run.tag_deleted").count() == 1
    assert again.status_code == 404


def test_a_reader_sees_tags_without_means_to_change_them(client_of, auditor, start):
    run = start(stage="try")

    page = page_of(client_of(auditor), run)

    assert "stage" in page
    assert "Add a tag" not in page
    assert "delete-tag" not in page


def test_a_note_is_the_tag_that_mlflow_reads(client, start):
    run = start()
    address = f"/runs/{run.pk}/write-note/"

    answer = client.post(address, {"note": "# Why\r\n\r\nIt *works*."})

    assert answer.url == run.get_absolute_url()
    assert run.tags.get(key=NOTE_TAG).value == "# Why\n\nIt *works*."
    page = page_of(client, run)
    assert "<h3>Why</h3>" in page
    assert "<em>works</em>" in page
    assert "It *works*" in client.get(address).text


def test_an_empty_note_is_taken_back(client, start):
    run = start(**{NOTE_TAG: "old"})

    for _ in range(2):
        client.post(f"/runs/{run.pk}/write-note/", {"note": ""})

    assert note_of(run) == ""
    assert events(run, "run.tag_deleted").count() == 1


def test_a_note_that_is_too_long_is_kept_for_the_writer(client, start):
    run = start()

    answer = client.post(f"/runs/{run.pk}/write-note/", {"note": "x" * 8_001})

    assert answer.status_code == 422
    assert "x" * 8_001 in answer.text
    assert note_of(run) == ""


def test_the_note_of_an_experiment(client, experiment):
    address = f"/experiments/{experiment.pk}/write-note/"

    client.post(address, {"note": "**Question**"})
    shown = client.get(f"/experiments/{experiment.pk}/note/").text
    client.post(address, {"note": ""})

    assert "<strong>Question</strong>" in shown
    assert note_of(experiment) == ""
    assert events(experiment, "experiment.tag_set").count() == 1
    assert events(experiment, "experiment.tag_deleted").count() == 1


def test_a_note_can_be_seen_before_it_is_kept(client):
    shown = client.post("/notes/preview/", {"note": "**bold** <script>x</script>"})
    long = client.post("/notes/preview/", {"note": "x" * 20_001})

    assert "<strong>bold</strong>" in shown.text
    assert "<script>" not in shown.text
    assert long.status_code == 422


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "under a second"), (65, "1 min 5 s"), (90_000, "1 d 1 h"), (60, "1 min")],
)
def test_a_duration_has_its_two_largest_units(start, seconds, told):
    run = start()
    run.ended_at = run.started_at + timedelta(seconds=seconds)

    assert run_family.duration(run).replace("\N{NO-BREAK SPACE}", " ") == told


def test_models_that_name_a_run_as_their_source_stand_on_its_page(
    client, start, data_scientist
):
    run = start()
    for name in ("said", "unsaid"):
        model = actions.create_logged_model(
            experiment=run.experiment,
            start=LoggedModelStart(name=name, source_run=run),
            by=data_scientist,
        )
        actions.log_model_file(model=model, file=factory.artifact(), by=data_scientist)
    said = run.logged_models.get(name="said")
    RunModel.objects.create(run=run, model=said, use=ModelUse.OUTPUT)

    listed = client.get(run.get_absolute_url()).context["models"]

    assert [(one.model.name, one.file_count) for one in listed] == [
        ("said", 1),
        ("unsaid", 1),
    ]
