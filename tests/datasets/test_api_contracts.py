"""The API of contracts, checks and comparisons."""

import pytest
from django.urls import reverse

from apps.datasets.models import ContractRevision, VersionDiff
from tests.factories import datasets as factory

JSON = "application/json"
CONTENT = {"columns": [{"name": "speed", "range": {"low": 0}}], "rows": {"low": 1}}


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


def url(name, thing) -> str:
    return reverse(f"v1:{name}", args=[thing.pk])


def test_put_contract_writes_revisions_that_get_gives(api, dataset):
    assert api.get(url("contract", dataset)).status_code == 404

    api.put(url("contract", dataset), {"content": {}, "note": "Draft."}, JSON)
    put = api.put(url("contract", dataset), {"content": CONTENT}, JSON)

    found = api.get(url("contract", dataset)).json()
    listed = api.get(url("contract_revisions", dataset)).json()["results"]
    assert put.status_code == 200
    assert found["number"] == 2
    assert found["content"]["columns"][0]["range"] == {"low": 0, "severity": "block"}
    assert found["in_words"] == {
        "table": ["at least 1 rows"],
        "columns": {"speed": ["at least 0"]},
    }
    assert [revision["number"] for revision in listed] == [2, 1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": []}, "content"),
        ({"content": {"rows": {"low": -1}}}, "rows.low"),
        ({"content": {"columns": [{"name": "\ud800"}]}}, "content"),
        ({"content": {}, "note": "x" * 301}, "note"),
    ],
)
def test_put_contract_names_the_wrong_field(api, dataset, body, field):
    response = api.put(url("contract", dataset), body, JSON)

    assert response.status_code == 422
    assert list(response.json()["fields"]) == [field]
    assert not ContractRevision.objects.exists()


def test_contract_proposal_saves_nothing(api, dataset, data_scientist):
    assert api.get(url("contract_proposal", dataset)).status_code == 404
    factory.ready_version(dataset, data_scientist)

    found = api.get(url("contract_proposal", dataset)).json()

    assert found["version"] == 1
    assert [c["name"] for c in found["content"]["columns"]] == ["species", "speed"]
    assert not ContractRevision.objects.exists()


def test_contract_check_gives_what_was_found(api, dataset, data_scientist):
    entry = {
        "columns": ["speed"],
        "kind": "missing",
        "severity": "warn",
        "verdict": "warned",
        "expected": "none missing",
        "message": "1 of 3 rows (33.33%) missing.",
        "count": 1,
        "rows": [{"row": 3, "value": ""}],
    }
    held = {"revision": 1, "verdict": "warned", "checks": [entry]}
    result = {**factory.RESULT, "contract": held}
    version = factory.ready_version(dataset, data_scientist, result=result)
    free = factory.ready_version(dataset, data_scientist, content=b"a\n1\n")

    assert api.get(url("contract_check", version)).json() == held
    assert api.get(url("contract_check", free)).status_code == 404


def test_diffs_are_asked_for_and_given(api, dataset, data_scientist):
    factory.ready_version(dataset, data_scientist)
    factory.ready_version(dataset, data_scientist, content=b"a\n1\n")
    body = {"before": 1, "after": 2, "key": ["species"]}

    first = api.post(url("diffs", dataset), body, JSON)
    again = api.post(url("diffs", dataset), body, JSON)

    assert (first.status_code, first.json()["id"]) == (202, again.json()["id"])
    assert first["Location"] == url("diff", VersionDiff.objects.get())
    assert len(api.get(url("diffs", dataset)).json()["results"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"before": 1, "after": 9},
        {"before": 1, "after": 10**30},
        {"before": 1},
        {"before": 1, "after": 1},
        {"before": 1, "after": 2, "key": ["none"]},
    ],
)
def test_diffs_refuse_what_cannot_be_compared(api, dataset, data_scientist, body):
    factory.ready_version(dataset, data_scientist)
    factory.ready_version(dataset, data_scientist, content=b"a\n1\n")

    assert api.post(url("diffs", dataset), body, JSON).status_code == 422


def test_diff_gives_rows_to_who_may_have_them(
    api, api_of, dataset, data_scientist, auditor
):
    diff = factory.ready_diff(dataset, data_scientist)

    mine = api.get(url("diff", diff)).json()
    theirs = api_of(auditor).get(url("diff", diff)).json()

    assert len(mine["result"]["rows"]["examples"]) == 2
    assert theirs["result"]["rows"]["examples"] == []
    assert theirs["result"]["rows"]["changed"] == 2
    assert mine["row_groups"] is None


def test_download_diff_and_cancel(api, dataset, data_scientist, project):
    diff = factory.ready_diff(dataset, data_scientist)
    other = factory.dataset(project, data_scientist, "other")
    waiting = factory.requested_diff(other, data_scientist)

    text = api.get(url("download_diff", diff)).text
    cancelled = api.post(url("cancel_diff", waiting))

    assert "changed,1,1,speed,140,'=1+1" in text
    assert cancelled.json()["status"] == "cancelled"
