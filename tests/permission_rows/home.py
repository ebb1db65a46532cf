"""Rows of the pages that join apps, and of the model card."""

from tests.factories import datasets, registry
from tests.permission_rows import PEOPLE, READERS, Row, everybody, of_project

ALL = everybody(200, *PEOPLE)
READ = everybody(200, *READERS)


def version(world):
    made = registry.model_version(world.project, world.data_scientist)
    arguments = {
        "slug": world.project.slug,
        "name": made.model.name,
        "number": made.number,
    }
    return arguments, None


def dataset(world):
    made = datasets.dataset(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def data_version(world):
    made = datasets.dataset(world.project, world.data_scientist)
    return {"pk": datasets.version(made, world.data_scientist).pk}, None


def run(world):
    made = registry.model_version(world.project, world.data_scientist)
    return {"pk": made.run_id}, None


ROWS = [
    Row("home:home", "get", expect=ALL),
    Row("home:inbox", "get", expect=ALL),
    Row("home:roles", "get", expect=ALL),
    Row("home:dataset_lineage", "get", dataset, READ),
    Row("home:model_version_lineage", "get", version, READ),
    Row("home:run_lineage", "get", run, READ),
    Row("home:run_approval_panel", "get", run, READ),
    Row("home:sealed_data", "get", dataset, READ),
    Row("home:version_lineage", "get", data_version, READ),
    Row("home:project", "get", of_project, READ),
    Row("home:model_version", "get", version, READ),
    Row("home:card", "get", version, READ),
    Row("v1:inbox", "get", expect=ALL),
    # What is asked for stands in the query: tests/home/test_lineage.py.
    Row("v1:lineage", "get", expect=everybody(422, *PEOPLE)),
    *[
        Row("v1:card", "get", version, READ, query=f"format={wanted}")
        for wanted in ("json", "md", "html")
    ],
]
