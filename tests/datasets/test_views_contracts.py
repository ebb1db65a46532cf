"""Pages of contracts and of what came of them."""

import pytest
from django.urls import reverse

from apps.datasets import queries
from apps.datasets.models import ContractRevision
from tests.costs import queries_of
from tests.factories import datasets as factory

SCRIPT = "<script>alert(1)</script>"
FULL = {
    "columns": [
        {
            "name": "speed",
            "present": {},
            "type": {"type": "integer"},
            "missing": {"ratio": 0.4, "severity": "warn"},
            "range": {"low": 0, "high": 500.5},
            "unique": {"severity": "warn"},
        },
        {
            "name": "species",
            "allowed": {"values": ["Gull", "Hawk"]},
            "pattern": {"pattern": "[A-Z].*", "severity": "warn"},
        },
        {"name": "gone", "range": {"low": "2024-01-31"}},
    ],
    "rows": {"low": 1, "high": 10, "severity": "warn"},
    "freshness": {"column": "gone", "days": 3},
    "key": {"columns": ["species", "speed"], "severity": "warn"},
    "no_others": {"severity": "warn"},
}


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist):
    made = factory.dataset(project, data_scientist)
    factory.ready_version(made, data_scientist)
    return made


def edit_url(dataset) -> str:
    return reverse("datasets:save_contract", args=[dataset.pk])


def filled(form) -> dict:
    """What a browser sends when the form is sent as it is."""
    values = {name: form[name].value() for name in form.fields}
    sent = {k: v for k, v in values.items() if v is not None and v is not False}
    return {**sent, "column": form.names}


def test_contract_says_what_is_expected_and_who_said_so(
    client, dataset, data_scientist
):
    factory.contract(dataset, data_scientist)
    factory.contract(dataset, data_scientist, FULL)

    response = client.get(reverse("datasets:contract", args=[dataset.pk]))

    text = " ".join(response.text.split())
    assert "Revision 2" in text
    assert "one of Gull, Hawk · matches [A-Z].* (warns)" in text
    assert "rows told apart by species, speed (warns)" in text
    assert "at least 0" in text, "what the revision changed"
    assert data_scientist.full_name in text


def test_contract_offers_a_proposal_when_there_is_none(client, dataset):
    response = client.get(reverse("datasets:contract", args=[dataset.pk]))

    assert "No contract yet" in response.text
    assert "Propose a contract" in response.text


def test_contract_waits_for_a_version(client, project, data_scientist):
    empty = factory.dataset(project, data_scientist, "empty")

    response = client.get(reverse("datasets:contract", args=[empty.pk]))

    assert "When a version has been read" in response.text
    assert client.get(edit_url(empty)).status_code == 200


def test_contract_revision_shows_an_older_one(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)
    factory.contract(dataset, data_scientist, FULL)

    found = client.get(reverse("datasets:contract_revision", args=[dataset.pk, 1]))
    none = client.get(reverse("datasets:contract_revision", args=[dataset.pk, 3]))

    assert "Revision 1" in found.text
    assert none.status_code == 404


def test_contract_costs_the_same_however_many_revisions(
    client, dataset, data_scientist
):
    address = reverse("datasets:contract", args=[dataset.pk])
    for high in (1, 2):
        content = {"columns": [], "rows": {"high": high}}
        factory.contract(dataset, data_scientist, content)
    few = queries_of(client, address)
    for high in range(3, 12):
        content = {"columns": [], "rows": {"high": high}}
        factory.contract(dataset, data_scientist, content)

    assert queries_of(client, address) == few


def test_save_contract_proposes_and_saves_what_it_proposed(client, dataset):
    page = client.get(edit_url(dataset))

    response = client.post(
        edit_url(dataset), filled(page.context["form"]) | {"note": "First."}
    )

    revision = ContractRevision.objects.get()
    version = queries.newest_ready(dataset)
    assert "This is a proposal" in page.text
    assert response.status_code == 302
    assert revision.note == "First."
    assert revision.content == queries.propose_for(version).to_json()


def test_save_contract_gives_back_all_that_it_shows(client, dataset, data_scientist):
    revision = factory.contract(dataset, data_scientist, FULL)
    page = client.get(edit_url(dataset))
    changed = filled(page.context["form"]) | {"rows_high": "12"}

    response = client.post(edit_url(dataset), changed)

    saved = ContractRevision.objects.get(number=2).content
    assert response.status_code == 302
    assert saved["rows"]["high"] == 12
    before = {**revision.content, "rows": None}
    assert {**saved, "rows": None} == {
        **before,
        "columns": sorted(
            before["columns"],
            key=lambda column: ["species", "speed", "gone"].index(column["name"]),
        ),
    }


def test_save_contract_drops_what_is_emptied(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)
    values = filled(client.get(edit_url(dataset)).context["form"])

    client.post(edit_url(dataset), values | {"low_1": ""})

    assert ContractRevision.objects.get(number=2).content["columns"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"low_1": "9", "high_1": "3"}, "high_1"),
        ({"low_1": "yesterday"}, "low_1"),
        ({"missing_0": "101"}, "missing_0"),
        ({"pattern_0": "("}, "pattern_0"),
        ({"allowed_0": "x" * 201}, "allowed_0"),
        ({"type_0": "float"}, "type_0"),
        ({"rows_low": "5", "rows_high": "2"}, "rows_high"),
        ({"fresh_column": "speed", "fresh_days": "40000"}, "fresh_days"),
        ({"note": "x" * 301}, "note"),
    ],
)
def test_save_contract_shows_what_is_wrong_beside_its_field(
    client, dataset, changes, field
):
    values = filled(client.get(edit_url(dataset)).context["form"])

    response = client.post(edit_url(dataset), values | changes)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not ContractRevision.objects.exists()


def test_save_contract_says_when_nothing_changed(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)
    values = filled(client.get(edit_url(dataset)).context["form"])

    response = client.post(edit_url(dataset), values)

    assert response.status_code == 422
    assert "This is the same contract as revision 1." in response.text


def test_save_contract_escapes_names_and_refuses_what_cannot_be_stored(
    client, dataset, data_scientist
):
    factory.contract(
        dataset, data_scientist, {"columns": [{"name": SCRIPT, "present": {}}]}
    )
    page = client.get(edit_url(dataset))
    values = filled(page.context["form"])

    response = client.post(
        edit_url(dataset), values | {"column": ["a\x00b"], "present_0": "block"}
    )

    assert SCRIPT not in page.text
    assert response.status_code == 422


def test_save_contract_proposes_anew_on_request(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)

    page = client.get(edit_url(dataset), {"from": "profile"})

    assert page.context["is_proposal"]
    assert page.context["form"]["type_1"].value() == "integer"


def test_save_contract_takes_a_wide_table(client, project, data_scientist):
    wide = factory.dataset(project, data_scientist, "wide")
    names = [f"column {number}" for number in range(72)]
    result = {
        **factory.RESULT,
        "schema": [{"name": n, "type": "text", "nullable": False} for n in names],
        "profile": {
            "columns": [
                {**factory.RESULT["profile"]["columns"][0], "name": n} for n in names
            ]
        },
    }
    factory.ready_version(wide, data_scientist, result=result)
    page = client.get(edit_url(wide))

    response = client.post(edit_url(wide), filled(page.context["form"]))

    assert response.status_code == 302
    assert len(ContractRevision.objects.get().content["columns"]) == 72


def test_version_that_was_refused_shows_what_it_breaks(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)
    running = factory.running_version(dataset, data_scientist, b"a\n1\n")
    version = factory.fail(
        running,
        "The file breaks an expectation of the data contract (revision 1).",
        [
            {
                "expectation": "range",
                "expected": "at least 0",
                "found": "1 of 9 rows.",
                "message": "Expected: at least 0. 1 of 9 rows.",
                "column": "speed",
                "row": 4,
                "text": SCRIPT,
            }
        ],
    )

    text = client.get(version.get_absolute_url()).text

    assert "This file breaks the data contract" in text
    assert "at least 0" in text
    assert "Where the file is wrong" not in text
    assert SCRIPT not in text


def test_version_shows_what_the_contract_warned_of(client, dataset, data_scientist):
    factory.contract(dataset, data_scientist)
    check = {
        "columns": ["speed"],
        "kind": "range",
        "severity": "warn",
        "verdict": "warned",
        "expected": "0 to 100",
        "message": "1 of 3 rows (33.33%) not as expected.",
        "count": 1,
        "rows": [{"row": 2, "value": SCRIPT}],
    }
    passed = {**check, "verdict": "passed", "rows": []}
    held = {"revision": 1, "verdict": "warned", "checks": [passed, check]}
    version = factory.ready_version(
        dataset,
        data_scientist,
        b"a\n1\n",
        result={**factory.RESULT, "contract": held},
    )

    response = client.get(version.get_absolute_url())

    assert "1 of 3 rows (33.33%) not as expected." in response.text
    assert "1 of 2 expectations were met." in response.text
    assert SCRIPT not in response.text


def test_version_shows_its_fingerprint(client, dataset, data_scientist):
    fingerprint = {
        "digest": "a" * 64,
        "unordered": "b" * 64,
        "row_groups": [{"first_row": 1, "rows": 3, "digest": "c" * 64}],
        "columns": [],
    }
    version = factory.ready_version(
        dataset,
        data_scientist,
        b"a\n1\n",
        result={**factory.RESULT, "fingerprint": fingerprint},
    )

    response = client.get(version.get_absolute_url())

    for letter in "abc":
        assert letter * 64 in response.text
    assert "1 row group" in response.text


def test_the_list_of_versions_says_how_each_held_its_contract(
    client, dataset, data_scientist
):
    factory.contract(dataset, data_scientist)
    warned = {
        **factory.RESULT,
        "contract": {"revision": 1, "verdict": "warned", "checks": []},
    }
    factory.ready_version(dataset, data_scientist, b"another file", result=warned)
    page = client.get(dataset.get_absolute_url()).content.decode()
    assert "Contract: warned" in page
