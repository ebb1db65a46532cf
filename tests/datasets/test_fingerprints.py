"""Fingerprints: kept with the version, compared at once, added where they lack."""

from pathlib import Path

import duckdb
import pytest
from django.core.management import call_command

from apps.core.errors import Refused, WrongState
from apps.datasets import actions, queries
from tests.factories import datasets as factory
from tests.trail import nothing_recorded, one_event


def fingerprint(*groups: str, rows: int = 65_536, columns: str = "ab", bag: str = "u"):
    """One whose digests are the letters given."""
    return {
        "algorithm": "portal-table-1",
        "digest": "".join(groups) + columns,
        "unordered": bag,
        "rows": rows * len(groups),
        "row_groups": [
            {"first_row": place * rows + 1, "rows": rows, "digest": digest}
            for place, digest in enumerate(groups)
        ],
        "columns": [
            {"name": f"c{place}", "digest": digest}
            for place, digest in enumerate(columns)
        ],
    }


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


@pytest.fixture
def ready(dataset, data_scientist):
    """Build a ready version with this fingerprint."""

    def build(found, content: bytes = factory.CSV):
        result = {**factory.RESULT, "fingerprint": found}
        return factory.ready_version(dataset, data_scientist, content, result=result)

    return build


def test_finish_ingest_keeps_the_fingerprint_and_says_so(dataset, data_scientist):
    running = factory.running_version(dataset, data_scientist)
    found = fingerprint("x")

    with one_event("dataset.version_ready") as events:
        version = factory.finish(
            running, result={**factory.RESULT, "fingerprint": found}
        )

    version.refresh_from_db()
    assert version.fingerprint == found
    assert events[0].changes["fingerprint"] == found["digest"]


def test_changed_groups_name_the_partition(ready):
    before = ready(fingerprint("x", "y", "z", columns="ab"))
    after = ready(fingerprint("x", "Y", "z", columns="aB", bag="v"), b"a\n1\n")

    found = queries.changed_groups(before, after)

    assert found == {
        "is_same": False,
        "is_same_bag": False,
        "groups": [{"first_row": 65_537, "last_row": 131_072, "kind": "changed"}],
        "columns": ["c1"],
    }


def test_changed_groups_tell_longer_and_shorter(ready):
    long = ready(fingerprint("x", "y"))
    short = ready(fingerprint("x"), b"a\n1\n")

    kinds = [
        [group["kind"] for group in queries.changed_groups(*pair)["groups"]]
        for pair in ((long, short), (short, long), (long, long))
    ]

    assert kinds == [["removed"], ["added"], []]
    assert queries.changed_groups(long, long)["is_same"]


def test_changed_groups_need_both_fingerprints(ready):
    old, new = ready(None), ready(fingerprint("x"), b"a\n1\n")

    assert queries.changed_groups(old, new) is None


def test_changed_groups_say_nothing_of_an_order_that_was_not_computed(ready):
    old = ready(fingerprint("x", bag=""))
    new = ready(fingerprint("y"), b"a\n1\n")

    assert queries.changed_groups(old, new)["is_same_bag"] is None


def test_keep_fingerprint_fills_what_lacks_once(ready, worker):
    version = ready(None)
    found = fingerprint("x")

    with one_event("dataset.version_fingerprinted") as events:
        actions.keep_fingerprint(version=version, fingerprint=found, by=worker)

    version.refresh_from_db()
    assert version.fingerprint == found
    assert events[0].changes == {"fingerprint": found["digest"]}
    with nothing_recorded(), pytest.raises(WrongState, match="never changes"):
        actions.keep_fingerprint(version=version, fingerprint=found, by=worker)


def test_keep_fingerprint_is_for_workers(ready, data_scientist):
    version = ready(None)

    with nothing_recorded(), pytest.raises(Refused):
        actions.keep_fingerprint(
            version=version, fingerprint=fingerprint("x"), by=data_scientist
        )


def test_keep_fingerprint_waits_for_the_content(dataset, data_scientist, worker):
    version = factory.version(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(WrongState):
        actions.keep_fingerprint(
            version=version, fingerprint=fingerprint("x"), by=worker
        )


def test_fingerprint_versions_computes_what_lacks(
    dataset, data_scientist, tmp_path: Path, capsys
):
    path = tmp_path / "data.parquet"
    duckdb.connect().execute(
        f"COPY (SELECT 'a' AS species) TO '{path}' (FORMAT parquet)"
    )
    version = factory.ready_version(dataset, data_scientist, parquet=path.read_bytes())

    call_command("fingerprint_versions", "--unordered")
    call_command("fingerprint_versions", "--unordered")

    version.refresh_from_db()
    assert version.fingerprint["rows"] == 1
    assert version.fingerprint["unordered"]
    assert capsys.readouterr().out == f"{version}: {version.fingerprint['digest']}\n"
