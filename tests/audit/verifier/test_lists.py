"""Lists against the export they were taken from: CSV rows, and a filter run again."""

import csv
import io
import json

import pytest

from apps.audit.transparency.tree import leaf_hash
from apps.audit.verifier import auditverify
from tests.audit.transparency.exports import Log, bodies, body, command, rules, verify

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT = 300


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


# csv


def rows_of(log, indexes):
    """Write rows as the portal does, with a column that is not compared."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["leaf_index", "time", "event_id", "leaf_hash"])
    for index in indexes:
        event = log.events[index]
        digest = leaf_hash(event.encode()).hex()
        writer.writerow([index, "some time\nor other", f"event-{index}", digest])
    return text.getvalue()


@pytest.fixture
def export(log, tmp_path):
    return log.exported(tmp_path / "export")


def compared(export, text, *options):
    path = export.parent / "rows.csv"
    path.write_text(text)
    return command("csv", path, "--bundle", export, *options)


def test_csv_rows_are_verified_in_any_order(log, export, tmp_path):
    (tmp_path / "kept").write_text(log.checkpoint())
    trust = ("--log-key", log.signer.vkey, "--kept", tmp_path / "kept")

    code, answer = compared(export, "\ufeff" + rows_of(log, [5, 299, 0, 5]), *trust)
    alone, _ = compared(export, rows_of(log, [5]))

    assert (code, answer["rows"]) == (VERIFIED, 4)
    assert alone == UNSUPPORTED


def test_csv_is_read_some_rows_at_a_time(log, export, monkeypatch):
    monkeypatch.setattr(auditverify, "ROWS_AT_ONCE", 7)

    code, answer = compared(export, rows_of(log, range(COUNT)))

    assert (code, answer["rows"], answer["findings"]) == (UNSUPPORTED, COUNT, [])


def test_csv_row_that_says_something_else_is_named(log, export):
    text = rows_of(log, [5, 6])

    code, answer = compared(export, text.replace("event-6", "event-7"))
    other, found = compared(export, text.replace('6,"some', '7,"some'))

    assert (code, rules(answer)) == (TAMPERED, {"row"})
    assert answer["findings"][0]["field"] == "line 5, event_id"
    assert (other, found["counts"]) == (TAMPERED, {"row": 2})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "row.form"),
        ("time\n1\n", "row.form"),
        ("leaf_index,event_id,leaf_hash\nx,y,z\n", "row.form"),
        ("leaf_index,event_id,leaf_hash\n1\n", "row"),
        ("leaf_index,event_id,leaf_hash\n300,y,z\n", "row.newer"),
        ("leaf_index,event_id,leaf_hash\n9999999999999999,y,z\n", "row.newer"),
        ("leaf_index,event_id,leaf_hash\n1," + "y" * 200_000 + ",z\n", "row.form"),
    ],
)
def test_csv_that_cannot_be_compared_is_named(export, text, rule):
    code, answer = compared(export, text)

    assert code == (TAMPERED if rule == "row" else INCOMPLETE)
    assert rules(answer) == {rule}


def test_csv_beside_a_tampered_export_is_named(log, export):
    (export / "checkpoint").write_text(log.checkpoint(200))

    code, _ = compared(export, rows_of(log, [5]), "--log-key", log.signer.vkey)

    assert code == TAMPERED


def test_csv_beside_what_is_no_export_is_incomplete(log, tmp_path):
    (tmp_path / "rows.csv").write_text(rows_of(log, [1]))
    (tmp_path / "export.zip").write_text("no archive")

    code, answer = command(
        "csv", tmp_path / "rows.csv", "--bundle", tmp_path / "export.zip"
    )

    assert (code, rules(answer)) == (INCOMPLETE, {"file.unreadable"})


# A filtered list, its filter run again


ACTOR = "0190a5b0-0000-7000-8000-00000000000a"
EVENTS = [
    body(
        number,
        action="run.launched" if number % 3 else "run.failed",
        actor={"id": ACTOR if number % 2 else "nobody", "name": "n"},
        object={"id": "0190a5b0-0000-7000-8000-00000000000b"},
        outcome="success" if number % 3 else "failure",
        scope={"project": "0190a5b0-0000-7000-8000-00000000000c"},
        time=f"2026-01-{1 + number // 10:02}T00:00:00.000000Z",
    )
    for number in range(60)
]


def chosen(wanted):
    """The numbers of the events that a filter gives, found another way."""
    found = []
    for number, text in enumerate(EVENTS):
        event = json.loads(text)
        flat = {
            "action": event["action"],
            "outcome": event["outcome"],
            "actor": event["actor"]["id"],
            "project": event["scope"]["project"],
        }
        day = event["time"][:10]
        if all(
            flat[name] == value for name, value in wanted.items() if name in flat
        ) and wanted.get("since", "") <= day <= wanted.get("until", "9"):
            found.append(number)
    return found


def listing(numbers, wanted, **last):
    rows = [json.dumps({"event_id": f"event-{number}"}) for number in numbers]
    ending = {"filter": wanted, "count": len(numbers), "size": len(EVENTS)} | last
    return "\n".join([*rows, json.dumps(ending)]) + "\n"


@pytest.fixture
def recheck(tmp_path):
    log = Log(EVENTS)
    export = log.exported(tmp_path / "export")

    def run(text):
        (tmp_path / "list.jsonl").write_text(text)
        return verify(export, log, "--recheck-filter", tmp_path / "list.jsonl")

    return run


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"action": "run.failed"},
        {"actor": ACTOR, "outcome": "success"},
        {"since": "2026-01-02", "until": "2026-01-03"},
        {"project": "0190a5b0-0000-7000-8000-00000000000c", "action": "run.launched"},
        {"action": "nothing.like_it"},
    ],
)
def test_a_complete_list_is_confirmed(recheck, wanted):
    numbers = chosen(wanted)

    code, answer = recheck(listing(numbers, wanted | {"object": ""}))

    assert (code, answer["findings"]) == (UNSUPPORTED, [])
    assert answer["rows"] == len(numbers)


def test_rows_left_out_or_put_in_are_named(recheck):
    wanted = {"action": "run.failed"}
    numbers = chosen(wanted)

    code, answer = recheck(listing([*numbers[1:], 1], wanted))

    assert code == TAMPERED
    assert answer["counts"] == {"filter.added": 1, "filter.missing": 1}
    added, missing = answer["findings"]
    assert added["found"] == "event-1"
    assert (missing["index"], missing["expected"]) == (0, "event-0")


def test_a_list_of_an_earlier_time_may_lack_later_events(recheck):
    early = [number for number in chosen({}) if number < 30]

    assert recheck(listing(early, {}, size=30))[0] == UNSUPPORTED


def test_a_list_that_does_not_say_what_it_was_made_from_is_refused(recheck):
    code, answer = recheck(listing([], {"action": "nothing.like_it"}, size=None))

    assert (code, rules(answer)) == (INCOMPLETE, {"filter.form"})


def test_a_list_of_a_later_time_is_incomplete(recheck):
    code, answer = recheck(listing([*range(60), 61], {}, size=62))

    assert (code, rules(answer)) == (INCOMPLETE, {"row.newer"})


def test_a_wrong_count_and_a_doubled_row_are_named(recheck):
    code, answer = recheck(listing([0, 0], {"action": "run.failed"}, size=1))

    assert code == TAMPERED
    assert answer["counts"] == {"filter.added": 1, "filter.count": 1}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"actor": "Ada"}, "actor searches text, which sealed events do not answer"),
        ({"text": "x"}, "this program does not know the filter text"),
        ({"since": "long ago"}, "since is no time"),
        ({"until": "9999-12-31T23:59:59-23:00"}, "until is no time"),
        ({"action": ["a", "b"]}, "this program does not know the filter action"),
        (
            {"action": "\ud800"},
            "action searches text, which sealed events do not answer",
        ),
        (None, "the last line states no filter"),
    ],
)
def test_a_filter_that_cannot_be_run_again_is_refused(recheck, wanted, sentence):
    code, answer = recheck(listing([], wanted))

    assert (code, rules(answer)) == (INCOMPLETE, {"filter.form"})
    assert answer["findings"][0]["found"] == sentence


@pytest.mark.parametrize(
    "text", ["", "[]\n", "{\n", "\xff", "[" * 100_000, "x" * 2_000_000]
)
def test_a_list_that_is_none_is_refused(recheck, text):
    assert recheck(text)[0] == INCOMPLETE
