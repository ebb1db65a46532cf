"""What somebody could send, or ask for, who means harm."""

import json

import pytest

from apps.core.errors import Invalid
from apps.projects.actions import access
from tests.factories import experiments as factory
from tests.factories import registry


@pytest.fixture
def restricted(world):
    """A version of a model that the developer was not granted."""
    version = registry.model_version(world.project, world.data_scientist)
    access.restrict(thing=version.model, by=world.data_scientist)
    return version


@pytest.fixture
def runs(world) -> str:
    experiment = factory.experiment(world.project, world.data_scientist)
    return f"/api/v1/experiments/{experiment.pk}/runs"


def test_files_of_a_restricted_model_do_not_leave_through_its_run(
    world, restricted, api_of, client_of
):
    asked = [
        api_of(world.developer).get(
            f"/api/v1/runs/{restricted.run_id}/artifacts/model.skops"
        ),
        client_of(world.developer).get(
            f"/runs/{restricted.run_id}/artifacts/model.skops"
        ),
    ]

    assert [answer.status_code for answer in asked] == [403, 403]
    assert "cannot see this restricted model" in asked[0].json()["message"]


def test_files_of_a_restricted_model_leave_with_a_grant(world, restricted, api_of):
    access.grant(
        thing=restricted.model, person=world.developer, by=world.data_scientist
    )

    answer = api_of(world.developer).get(
        f"/api/v1/runs/{restricted.run_id}/artifacts/model.skops"
    )

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)


@pytest.mark.parametrize("as_form", [False, True], ids=["json", "form"])
@pytest.mark.parametrize(
    "body",
    [
        '{"name": "a", "parameters": {"a": "\\ud800"}}',
        '{"name": "a", "parameters": {"\\ud800": "b"}}',
        '{"name": "a", "parameters": {"a": "\\u0000"}}',
        '{"name": "a", "metrics": [{"key": "k", "value": 1e999}]}',
        '{"name": "a", "metrics": [{"key": "k", "value": "nan"}]}',
        '{"name": "a", "metrics": [{"key": "k", "value": NaN}]}',
        '{"name": "a", "metrics": [{"key": "k", "value": %s}]}' % ("9" * 400),
        '{"name": "a", "metrics": [{"key": "k", "value": 1, "step": %s}]}'
        % ("9" * 4000),
        '{"name": "a", "parameters": {"p": %s}}' % ("9" * 4400),
        "[" * 100_000,
    ],
    ids=range(10),
)
def test_json_that_cannot_be_kept_is_refused(world, runs, api_of, body, as_form):
    client = api_of(world.data_scientist)
    if as_form:
        answer = client.post(runs, {"run": body})
    else:
        answer = client.post(runs, body, content_type="application/json")

    assert answer.status_code in {400, 422}
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "path",
    [
        "a\nb",
        "a\r\nSet-Cookie: x",
        "a\tb",
        "\u202egnp.exe",
        ".",
        "/a",
        "../a",
        "a/../b",
    ],
)
def test_a_path_that_would_not_stay_a_path_is_refused(world, path):
    experiment = factory.experiment(world.project, world.data_scientist)

    with pytest.raises(Invalid, match="cannot be the path of an artifact"):
        factory.run(
            experiment, world.data_scientist, artifacts=[factory.artifact(path)]
        )


def test_a_path_cannot_break_out_of_its_header(world, runs, api_of):
    lines = (
        "--B",
        'Content-Disposition: form-data; name="run"',
        "",
        json.dumps({"name": "x"}),
        "--B",
        "Content-Disposition: form-data; name*=utf-8''a%0d%0aX%3a%20y; filename=f",
        "",
        "hello",
        "--B--",
        "",
    )

    answer = api_of(world.data_scientist).post(
        runs,
        "\r\n".join(lines).encode(),
        content_type="multipart/form-data; boundary=B",
    )

    assert answer.status_code == 422
    assert "artifacts" in answer.json()["fields"]


@pytest.mark.parametrize("path", ['a"b.txt', "é.txt", "a?b#c.txt", "%2e%2e/x"])
def test_an_unusual_path_is_quoted(world, api_of, path):
    experiment = factory.experiment(world.project, world.data_scientist)
    run = factory.run(
        experiment, world.data_scientist, artifacts=[factory.artifact(path)]
    )
    client = api_of(world.data_scientist)
    url = client.get(f"/api/v1/runs/{run.pk}").json()["artifacts"][0]["url"]

    answer = client.get(url)

    assert b"".join(answer.streaming_content) == factory.MODEL
    assert answer["Content-Disposition"].startswith("attachment; filename")
