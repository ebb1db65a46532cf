"""Pages and API of doing a run again."""

import pytest

from apps.jobs.actions import start_job
from apps.training.models import Regeneration
from tests.costs import queries_of
from tests.factories import exports, regenerations, registry


@pytest.fixture
def run(project, data_scientist):
    return regenerations.run(project, data_scientist)


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_request_regeneration_from_the_page(run, validator, client_of):
    client = client_of(validator)

    answer = client.post(f"/runs/{run.pk}/regenerate/")

    found = Regeneration.objects.get()
    assert (answer.status_code, answer.url) == (302, found.get_absolute_url())
    assert found.tolerance is None
    assert "Waiting for a worker" in text_of(client.get(answer.url))


def test_request_regeneration_with_a_tolerance(run, validator, client_of):
    client_of(validator).post(
        f"/runs/{run.pk}/regenerate/", {"tolerance_predictions": "0.001"}
    )

    assert Regeneration.objects.get().tolerance == {
        "predictions": 0.001,
        "metrics": 0.0,
    }


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf", "1e99"])
def test_request_regeneration_refuses_what_is_no_tolerance(
    run, validator, client_of, value
):
    answer = client_of(validator).post(
        f"/runs/{run.pk}/regenerate/", {"tolerance_metrics": value}
    )

    assert answer.status_code == 422
    assert not Regeneration.objects.exists()


def test_regeneration_page_shows_the_comparison(
    project, data_scientist, run, client_of
):
    found = regenerations.certified(
        project, data_scientist, run, **regenerations.DIFFERENT
    )
    exports.seal_everything()

    text = text_of(client_of(data_scientist).get(found.get_absolute_url()))

    assert "Different, because the seed changed from 0 to 5." in text
    assert "Division of the rows" in text
    assert "Differs" in text
    assert "Download certificate" in text


def test_regeneration_page_of_a_verdict_without_comparison(
    project, data_scientist, run, client_of
):
    found = regenerations.certified(
        project,
        data_scientist,
        run,
        verdict="data_missing",
        sentence="Not repeated, because the data is gone.",
        causes=[{"kind": "data", "sentence": "gone", "names": []}],
        steps=None,
        files=None,
        metrics=None,
        predictions=None,
        other_differences=None,
    )

    text = text_of(client_of(data_scientist).get(found.get_absolute_url()))

    assert "Data missing" in text
    assert "Step by step" not in text


def test_regeneration_status_polls_until_the_end(
    project, data_scientist, run, client_of, worker
):
    waiting = regenerations.requested(project, data_scientist, run)
    address, client = f"{waiting.get_absolute_url()}status/", client_of(data_scientist)
    assert "every 2s" in text_of(client.get(address))
    start_job(model=Regeneration, pk=waiting.pk, by=worker)
    assert "Cancel regeneration" in text_of(client.get(address))
    client.post(f"{waiting.get_absolute_url()}cancel/")
    waiting.refresh_from_db()
    assert waiting.cancel_requested_at
    assert "Cancelling was asked for" in text_of(client.get(address))

    finished = regenerations.certified(
        project, data_scientist, regenerations.run(project, data_scientist)
    )
    answer = client.get(f"{finished.get_absolute_url()}status/")

    assert answer.status_code == 286
    assert answer["HX-Refresh"] == "true"


def test_names_of_packages_are_escaped(project, data_scientist, run, client_of):
    evil = "<script>alert(1)</script>"
    cause = {"kind": "package", "sentence": evil, "names": [evil, evil]}
    found = regenerations.certified(
        project, data_scientist, run, sentence=evil, causes=[cause]
    )

    text = text_of(client_of(data_scientist).get(found.get_absolute_url()))

    assert evil not in text
    assert "&lt;script&gt;" in text


def test_panel_and_list_cost_the_same_for_many(project, data_scientist, run, client_of):
    client = client_of(data_scientist)
    regenerations.certified(project, data_scientist, run)
    addresses = [
        f"/runs/{run.pk}/regenerations/",
        f"/runs/{run.pk}/regenerations/panel/",
        f"/api/v1/runs/{run.pk}/regenerations",
    ]
    few = [queries_of(client, address) for address in addresses]
    for _ in range(8):
        regenerations.certified(project, data_scientist, run)

    assert [queries_of(client, address) for address in addresses] == few


def test_a_verdict_is_a_badge_wherever_the_version_is(
    project, data_scientist, client_of, api_of
):
    version = registry.model_version(project, data_scientist)
    client, api = client_of(data_scientist), api_of(data_scientist)
    below = f"/api/v1/projects/{project.slug}/models/{version.model.name}/versions"
    assert api.get(f"{below}/1").json()["regenerated"] is None
    assert "Regenerated:" not in text_of(client.get(version.get_absolute_url()))
    regenerations.certified(
        project, data_scientist, version.run, **regenerations.DIFFERENT
    )
    regenerations.certified(project, data_scientist, version.run)

    pages = [
        version.get_absolute_url(),
        version.model.get_absolute_url(),
        f"/projects/{project.slug}/models/",
    ]
    for page in pages:
        assert "Regenerated: identical" in text_of(client.get(page))
    assert api.get(f"{below}/1").json()["regenerated"] == "identical"
    assert api.get(below).json()["results"][0]["regenerated"] == "identical"
    card = api.get(f"{below}/1/card").json()
    assert card["regeneration"]["verdict"] == "identical"
    assert card["regeneration"]["certificate_sha256"]
    markdown = api.get(f"{below}/1/card?format=md").content.decode()
    assert "**Identical**" in markdown


def test_api_asks_and_tells(run, validator, api_of):
    api = api_of(validator)
    address = f"/api/v1/runs/{run.pk}/regenerations"

    answer = api.post(
        address,
        {"tolerance": {"predictions": 0.5, "metrics": 0}},
        content_type="application/json",
    )

    assert answer.status_code == 202, answer.content
    body = answer.json()
    assert body["tolerance"] == {"predictions": 0.5, "metrics": 0.0}
    assert answer["Location"] == body["status_url"]
    seen = api.get(body["status_url"]).json()
    assert (seen["status"], seen["certificate"]) == ("queued", {})
    assert api.post(address).status_code == 409


@pytest.mark.parametrize(
    "tolerance", [{"predictions": 1}, {"predictions": -1, "metrics": 1}, 7, []]
)
def test_api_refuses_what_is_no_tolerance(run, validator, api_of, tolerance):
    answer = api_of(validator).post(
        f"/api/v1/runs/{run.pk}/regenerations",
        {"tolerance": tolerance},
        content_type="application/json",
    )

    assert answer.status_code == 422
