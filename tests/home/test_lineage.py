"""From data to models and back: what is there, what is hidden, what it costs."""

import pytest
from django.urls import reverse

from apps.core.errors import Invalid
from apps.home.lineage import STARTS, limit_in, lineage
from apps.home.lineage_drawing import drawing
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets, experiments, registry, training

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def version(project, data_scientist):
    """A model version with everything it came from."""
    return registry.model_version(project, data_scientist)


@pytest.fixture
def job(version):
    return version.run.training_job


@pytest.fixture
def data(version):
    return version.run.dataset_version


def titles(graph) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in graph.nodes:
        found.setdefault(node.kind, []).append(node.title)
    return found


def start_of(kind: str, version):
    run = version.run
    return {
        "dataset": run.dataset_version.dataset,
        "dataset_version": run.dataset_version,
        "training_job": run.training_job,
        "run": run,
        "model_version": version,
    }[kind]


@pytest.mark.parametrize("kind", STARTS)
def test_the_whole_chain_is_found_from_each_of_its_parts(kind, version, validator):
    start = start_of(kind, version)

    graph = lineage(kind, start.pk, user=validator)

    assert titles(graph) == {
        "dataset_version": ["Strikes, version 1"],
        "training_job": ["First training"],
        "run": ["First training"],
        "model_version": ["damage, version 1"],
    }
    assert [source.partition("-")[0] for source, _ in graph.edges] == [
        "dataset_version",
        "training_job",
        "run",
    ]
    assert [n.kind for n in graph.nodes if n.is_start] == [kind] * (kind != "dataset")


def test_siblings_are_not_lineage(version, project, data_scientist):
    registry.model_version(project, data_scientist, name="other")

    from_model = lineage("model_version", version.pk, user=data_scientist)
    from_data = lineage(
        "dataset_version", version.run.dataset_version_id, user=data_scientist
    )

    assert titles(from_model)["model_version"] == ["damage, version 1"]
    assert len(titles(from_data)["model_version"]) == 2


def test_a_run_without_a_job_comes_from_its_data(project, data_scientist):
    data = training.data(project, data_scientist)
    run = experiments.run(
        training.experiment(project, data_scientist),
        data_scientist,
        dataset_version=data,
    )

    graph = lineage("run", run.pk, user=data_scientist)

    assert graph.edges == [(f"dataset_version-{data.pk}", f"run-{run.pk}")]


def test_a_failed_job_ends_there(project, data_scientist):
    job = training.failed_job(project, data_scientist)

    graph = lineage("dataset_version", job.dataset_version_id, user=data_scientist)

    assert set(titles(graph)) == {"dataset_version", "training_job"}
    assert graph.after(graph.column("training_job")[0]) == []


def test_what_is_hidden_has_no_name(version, data_scientist, developer, client_of):
    data = version.run.dataset_version
    access.restrict(thing=data.dataset, by=data_scientist)
    access.restrict(thing=version.model, by=data_scientist)

    graph = lineage("run", version.run_id, user=developer)
    page = client_of(developer).get(reverse("home:run_lineage", args=[version.run_id]))

    assert titles(graph)["dataset_version"] == ["A restricted dataset"]
    assert titles(graph)["model_version"] == ["A restricted model"]
    assert [node.pk for node in graph.nodes if not node.url] == [None, None]
    assert "A restricted dataset" in page.text
    assert str(data.pk) not in page.text
    assert "damage" not in page.text


def test_an_outsider_with_a_grant_sees_that_there_is_more(
    version, data_scientist, outsider
):
    access.grant(thing=version.model, person=outsider, by=data_scientist)

    graph = lineage("model_version", version.pk, user=outsider)

    assert titles(graph) == {
        "dataset_version": ["A restricted dataset"],
        "training_job": ["A training job of another project"],
        "run": ["A run of another project"],
        "model_version": ["damage, version 1"],
    }


def test_only_the_newest_of_each_column_are_gathered(project, data_scientist):
    for number in range(3):
        training.failed_job(project, data_scientist, name=f"Job {number}")
    data = training.data(project, data_scientist)

    graph = lineage("dataset_version", data.pk, user=data_scientist, limit=2)

    assert titles(graph)["training_job"] == ["Job 2", "Job 1"]
    assert graph.cut == ["training_job"]


def test_the_page_offers_more(project, data_scientist, client_of):
    for number in range(3):
        training.failed_job(project, data_scientist, name=f"Job {number}")
    data = training.data(project, data_scientist)
    page = reverse("home:dataset_lineage", args=[data.dataset_id])
    client = client_of(data_scientist)

    few = client.get(page, {"limit": 2})
    all_of_them = client.get(page, {"limit": 8})

    assert "Show more" in few.text
    assert "limit=8" in few.text
    assert "Show more" not in all_of_them.text
    assert client.get(page, {"limit": "many"}).status_code == 422


@pytest.mark.parametrize("text", ["0", "201", "x", "-1", "1e3", "٣"])
def test_a_limit_is_a_number_in_range(text):
    with pytest.raises(Invalid):
        limit_in(text)


def test_the_page_costs_the_same_however_large(version, data, client_of, project):
    by = version.registered_by
    client = client_of(by)
    page = reverse("home:version_lineage", args=[data.pk])
    few = queries_of(client, page)
    for number in range(4):
        registry.model_version(project, by, name=f"other{number}")

    assert queries_of(client, page) == few


def test_names_are_escaped_in_drawing_and_table(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist, name=SCRIPT)
    page = reverse("home:version_lineage", args=[job.dataset_version_id])

    text = client_of(data_scientist).get(page).text

    assert SCRIPT not in text
    assert ESCAPED in text


def test_an_empty_dataset_says_so(project, data_scientist, client_of):
    dataset = datasets.dataset(project, data_scientist)

    page = client_of(data_scientist).get(
        reverse("home:dataset_lineage", args=[dataset.pk])
    )

    assert "Nothing yet" in page.text


def test_the_drawing_puts_columns_beside_one_another(version, data_scientist):
    graph = lineage("model_version", version.pk, user=data_scientist)

    drawn = drawing(graph)

    assert [head for head, _ in drawn.heads] == [
        "Dataset versions",
        "Training jobs",
        "Runs",
        "Model versions",
    ]
    assert len({box.x for box in drawn.boxes}) == 4
    assert len(drawn.lines) == 3
    assert all(box.x + 220 <= drawn.width for box in drawn.boxes)


def test_the_drawing_keeps_what_belongs_together_at_one_height(project, data_scientist):
    dataset = datasets.dataset(project, data_scientist)
    for number in range(3):
        data = datasets.ready_version(
            dataset, data_scientist, f"a\n{number}\n".encode(), result=training.CONTENT
        )
        training.finished_job(
            project, data_scientist, dataset_version=data, name=f"Job {number}"
        )

    drawn = drawing(lineage("dataset", dataset.pk, user=data_scientist))

    heights = {}
    for box in drawn.boxes:
        number = box.node.title[-1] if box.node.kind != "dataset_version" else None
        if number:
            heights.setdefault(number, set()).add(box.y)
    assert all(len(found) == 1 for found in heights.values())


def test_the_api_answers_nodes_and_edges(version, data, api_of, data_scientist):
    api = api_of(data_scientist)
    address = reverse("v1:lineage")

    body = api.get(address, {"dataset_version": str(data.pk)}).json()

    assert [node["kind"] for node in body["nodes"]] == [
        "dataset_version",
        "training_job",
        "run",
        "model_version",
    ]
    assert body["nodes"][0]["id"] == str(data.pk)
    assert body["nodes"][0]["is_start"] is True
    keys = {node["key"] for node in body["nodes"]}
    assert {key for edge in body["edges"] for key in edge.values()} == keys
    assert body["cut"] == []


@pytest.mark.parametrize(
    "query", [{}, {"run": "x"}, {"run": "1", "dataset": "2"}, {"unknown": "1"}]
)
def test_the_api_wants_one_start(query, api_of, data_scientist):
    response = api_of(data_scientist).get(reverse("v1:lineage"), query)

    assert response.status_code == 422


@pytest.mark.parametrize("kind", STARTS)
def test_the_api_starts_at_nothing_hidden(kind, version, api_of, outsider):
    pk = start_of(kind, version).pk

    response = api_of(outsider).get(reverse("v1:lineage"), {kind: str(pk)})

    assert response.status_code == 404


@pytest.mark.parametrize("name", ["run", "model_version", "version"])
def test_pages_link_to_the_lineage(name, version, client_of, data_scientist):
    data = version.run.dataset_version
    page, link = {
        "run": (
            version.run.get_absolute_url(),
            reverse("home:run_lineage", args=[version.run_id]),
        ),
        "model_version": (
            version.get_absolute_url(),
            reverse(
                "home:model_version_lineage",
                args=[version.project.slug, version.model.name, version.number],
            ),
        ),
        "version": (
            data.get_absolute_url(),
            reverse("home:version_lineage", args=[data.pk]),
        ),
    }[name]
    client = client_of(data_scientist)

    assert link in client.get(page).text
    assert "As a table" in client.get(link).text
