"""Two versions are compared once, and the answer is kept."""

import pytest

from apps.core.errors import Invalid, Refused, WrongState
from apps.datasets import actions, queries
from apps.datasets.models import VersionDiff
from apps.jobs.models import JobStatus
from tests.factories import datasets as factory
from tests.trail import (
    FailedHalfWay,
    no_room_for_events,
    nothing_recorded,
    one_event,
)


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


@pytest.fixture
def pair(dataset, data_scientist):
    return (
        factory.ready_version(dataset, data_scientist),
        factory.ready_version(dataset, data_scientist, content=b"a\n1\n"),
    )


def request(pair, by, key=("species",)):
    return actions.request_diff(before=pair[0], after=pair[1], key=list(key), by=by)


def test_request_diff_asks_a_worker_once(pair, data_scientist, validator):
    with one_event("dataset.diff_requested") as events:
        diff = request(pair, data_scientist)

    assert (diff.status, diff.key) == (JobStatus.QUEUED, ["species"])
    assert events[0].changes == {"key": "species"}
    with nothing_recorded():
        assert request(pair, validator) == diff
    assert request(pair, validator, key=()) != diff


def test_request_diff_asks_again_after_a_failure(pair, data_scientist):
    first = request(pair, data_scientist)
    VersionDiff.objects.filter(pk=first.pk).update(
        status=JobStatus.FAILED, finished_at=first.created_at
    )

    assert request(pair, data_scientist) != first


def test_request_diff_compares_two_versions_of_one_dataset(
    pair, project, data_scientist
):
    other = factory.dataset(project, data_scientist, "other")
    stranger = factory.ready_version(other, data_scientist, content=b"b\n1\n")

    for wrong in ((pair[0], pair[0]), (pair[0], stranger)):
        with nothing_recorded(), pytest.raises(Invalid, match="two different versions"):
            request(wrong, data_scientist)


def test_request_diff_needs_the_key_in_both(pair, data_scientist):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        request(pair, data_scientist, key=["gone"])

    assert list(caught.value.fields) == ["key"]


def test_request_diff_needs_content(pair, dataset, data_scientist):
    waiting = factory.version(dataset, data_scientist, content=b"c\n1\n")

    with nothing_recorded(), pytest.raises(WrongState):
        request((pair[0], waiting), data_scientist)


def test_request_diff_is_for_who_may_have_the_rows(pair, auditor):
    with nothing_recorded(), pytest.raises(Refused):
        request(pair, auditor)


def test_request_diff_leaves_nothing_without_its_event(pair, data_scientist):
    with pytest.raises(FailedHalfWay), no_room_for_events():
        request(pair, data_scientist)

    assert not VersionDiff.objects.exists()


def test_finish_diff_keeps_the_answer(dataset, data_scientist):
    diff = factory.ready_diff(dataset, data_scientist)

    diff.refresh_from_db()
    assert diff.status == JobStatus.SUCCEEDED
    assert diff.result == factory.DIFF


def test_download_diff_gives_rows_that_no_spreadsheet_computes(dataset, data_scientist):
    diff = factory.ready_diff(dataset, data_scientist)

    with one_event("dataset.downloaded") as events:
        text = actions.download_diff(diff=diff, by=data_scientist)

    lines = text.splitlines()
    assert lines[0] == "kind,row before,row after,column,before,after"
    assert "changed,1,1,speed,140,'=1+1" in lines
    assert events[0].changes == {"content": "changed rows"}


def test_download_diff_is_for_who_may_download(dataset, data_scientist, auditor):
    diff = factory.ready_diff(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(Refused):
        actions.download_diff(diff=diff, by=auditor)


def test_download_diff_waits_for_the_answer(dataset, data_scientist):
    diff = factory.requested_diff(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(WrongState):
        actions.download_diff(diff=diff, by=data_scientist)


@pytest.mark.parametrize(
    ("columns", "groups"), [(None, [0, 2]), (["species", "height"], [])]
)
def test_prepare_diff_leaves_out_groups_that_are_the_same(
    dataset, data_scientist, tmp_path, columns, groups
):
    (tmp_path / "inputs").mkdir()
    diff = factory.requested_diff(dataset, data_scientist)
    for version, digests in ((diff.before, "xyz"), (diff.after, "xYz")):
        version.fingerprint = {
            "row_groups": [
                {"first_row": place, "rows": 1, "digest": digest}
                for place, digest in enumerate(digests)
            ]
        }
    if columns:
        diff.after.columns = [{"name": name} for name in columns]

    spec = queries.prepare_diff(diff, tmp_path)

    assert spec["same_groups"] == groups
    assert (tmp_path / "inputs" / "before.parquet").read_bytes() == factory.PARQUET


def test_proposed_key_is_the_first_column_that_tells_rows_apart(pair):
    def profiled(version, *columns):
        version.row_count = 3
        version.columns = [{"name": name} for name, *_ in columns]
        keys = ("name", "type", "missing", "distinct")
        version.profile = {
            "columns": [dict(zip(keys, column, strict=True)) for column in columns]
        }

    rows = [("a", "number", 0, 3), ("b", "text", 1, 3), ("c", "text", 0, 3)]
    profiled(pair[0], *rows)
    profiled(pair[1], ("new", "text", 0, 3), *rows)

    assert queries.proposed_key(*pair) == ["c"]
    profiled(pair[1], ("c", "text", 0, 2))
    assert queries.proposed_key(*pair) == []
