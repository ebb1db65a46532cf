"""Contracts: saved in revisions, handed to the worker, kept with what came of them."""

import pytest

from apps.core.errors import Invalid, Refused
from apps.datasets import actions, queries
from apps.datasets.models import ContractRevision
from tests.factories import datasets as factory
from tests.trail import FailedHalfWay, no_room_for_events, nothing_recorded, one_event

SPEED = {"columns": [{"name": "speed", "range": {"low": 0, "high": 500}}]}
CHECK = {
    "columns": ["speed"],
    "kind": "range",
    "severity": "warn",
    "verdict": "warned",
    "expected": "0 to 100",
    "message": "1 of 3 rows (33.33%) not as expected.",
    "count": 1,
    "rows": [{"row": 2, "value": "140"}],
}


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


def save(dataset, by, content=None, note="Seen in 2024."):
    return actions.save_contract(
        dataset=dataset, content=SPEED if content is None else content, note=note, by=by
    )


def test_save_contract_writes_the_next_revision_with_its_difference(
    dataset, data_scientist
):
    save(dataset, data_scientist)
    stricter = {
        "columns": [
            {"name": "speed", "range": {"low": 0, "high": 400, "severity": "warn"}},
            {"name": "species", "missing": {"ratio": 0}},
        ],
        "rows": {"low": 3},
    }

    with one_event("dataset.contract_saved") as events:
        revision = save(dataset, data_scientist, stricter, note="Too lax.")

    assert revision.number == 2
    assert revision.contract().revision == 2
    assert events[0].changes == {
        "note": "Too lax.",
        "speed: range": ["0 to 500", "0 to 400 (warns)"],
        "species: missing": [None, "never missing"],
        "table: rows": [None, "at least 3 rows"],
    }
    assert [r.number for r in dataset.contract_revisions.order_by("number")] == [1, 2]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"columns": [{"name": "a", "range": {}}]}, "columns[0].range.low"),
        ({"columns": "a"}, "columns"),
        ({"colums": []}, "colums"),
    ],
)
def test_save_contract_names_the_wrong_field(dataset, data_scientist, content, field):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        save(dataset, data_scientist, content)

    assert list(caught.value.fields) == [field]
    assert not ContractRevision.objects.exists()


@pytest.mark.parametrize("note", ["x" * 301, "a\x00b"])
def test_save_contract_refuses_a_note_that_does_not_fit(dataset, data_scientist, note):
    with nothing_recorded(), pytest.raises(Invalid):
        save(dataset, data_scientist, note=note)


def test_save_contract_refuses_the_same_again(dataset, data_scientist):
    save(dataset, data_scientist)

    with (
        nothing_recorded(),
        pytest.raises(Invalid, match="same contract as revision 1"),
    ):
        save(dataset, data_scientist, note="Again.")


def test_save_contract_is_for_who_describes_datasets(dataset, validator):
    with nothing_recorded(), pytest.raises(Refused):
        save(dataset, validator)


def test_save_contract_leaves_nothing_without_its_event(dataset, data_scientist):
    with pytest.raises(FailedHalfWay), no_room_for_events():
        save(dataset, data_scientist)

    assert not ContractRevision.objects.exists()


def test_prepare_ingest_hands_over_the_newest_contract(
    dataset, data_scientist, tmp_path
):
    (tmp_path / "inputs").mkdir()
    save(dataset, data_scientist)
    save(dataset, data_scientist, {**SPEED, "rows": {"low": 1}})
    version = factory.running_version(dataset, data_scientist)

    spec = queries.prepare_ingest(version, tmp_path)

    assert spec["contract"]["revision"] == 2
    assert spec["contract"]["rows"]["low"] == 1
    assert spec["uploaded_on"] == version.created_at.date().isoformat()


def test_finish_ingest_keeps_what_came_of_the_contract(dataset, data_scientist):
    running = factory.running_version(dataset, data_scientist)
    found = {"revision": 2, "verdict": "warned", "checks": [CHECK]}

    with one_event("dataset.version_ready") as events:
        version = factory.finish(running, result={**factory.RESULT, "contract": found})

    assert queries.check_result(version) == found
    assert events[0].changes["contract"] == "revision 2: warned"


def test_check_result_of_a_refused_version_lists_what_was_broken(
    dataset, data_scientist
):
    running = factory.running_version(dataset, data_scientist)
    place = {"expectation": "range", "column": "speed", "message": "2 rows."}
    version = factory.fail(
        running,
        "The file breaks 2 expectations.",
        [
            {**place, "row": 2, "text": "900"},
            {**place, "row": 7, "text": "950"},
            {
                "expectation": "rows",
                "column": None,
                "message": "Few rows.",
                "row": None,
                "text": "",
            },
        ],
    )

    found = queries.check_result(version)

    assert found["verdict"] == "failed"
    assert [check["kind"] for check in found["checks"]] == ["range", "rows"]
    assert found["checks"][0]["rows"] == [
        {"row": 2, "value": "900"},
        {"row": 7, "value": "950"},
    ]


def test_check_result_is_none_without_a_contract(dataset, data_scientist):
    assert queries.check_result(factory.ready_version(dataset, data_scientist)) is None


def test_proposed_contract_can_be_saved(dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist)

    proposal = queries.propose_for(version)
    revision = save(dataset, data_scientist, proposal.to_json())

    assert revision.contract() != proposal  # which is a draft
    assert {column.name for column in proposal.columns} == {"species", "speed"}
