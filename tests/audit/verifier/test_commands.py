"""The commands beside `bundle`: one event, two checkpoints, a CSV file, a witness."""

import csv
import io
import json
import stat
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from apps.audit.transparency.tiles import hashes_in
from apps.audit.transparency.tree import consistency_proof, leaf_hash
from apps.audit.verifier import auditverify
from tests.audit.transparency.exports import (
    Log,
    Witness,
    bodies,
    body,
    command,
    rules,
    verify,
)

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT = 300


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


@pytest.fixture
def at(log, tmp_path):
    """Write a checkpoint of this size into a file."""

    def write(size, of=log):
        path = tmp_path / f"checkpoint-{size}"
        path.write_text(of.checkpoint(size))
        return path

    return write


def hashes(log, old, new):
    proof = consistency_proof(old, new, hashes_in(log.read_tile))
    return "".join(f"{b64encode(one).decode()}\n" for one in proof)


# event


@pytest.fixture
def one(log, tmp_path):
    """The files of event 42: its proof and its body."""
    proof, event = tmp_path / "42.tlog-proof", tmp_path / "42.json"
    witnessed = Witness().cosign(log.checkpoint())
    proof.write_text(log.proof(42, witnessed))
    event.write_text(log.events[42])
    return proof, event


def test_event_is_verified_and_shown(log, one, at):
    key = ("--log-key", log.signer.vkey)

    code, answer = command("event", *one, *key, "--witness-key", Witness().vkey)
    alone, _ = command("event", *one, *key)
    kept, _ = command("event", *one, *key, "--kept", at(COUNT))

    assert (code, alone, kept) == (VERIFIED, UNSUPPORTED, VERIFIED)
    assert answer["event"] == json.loads(log.events[42])
    assert answer["confirmed"] == COUNT


def test_event_with_a_line_end_of_an_editor_is_the_same(log, one):
    one[1].write_text(log.events[42] + "\n")

    assert command("event", *one, "--log-key", log.signer.vkey)[0] == UNSUPPORTED


def test_event_that_was_touched_is_found(log, one):
    key = ("--log-key", log.signer.vkey)
    one[1].write_text(log.events[43])

    code, answer = command("event", *one, *key)

    assert (code, rules(answer)) == (TAMPERED, {"proof"})
    assert answer["findings"][0]["index"] == 42


def test_event_of_another_log_is_found(log, one, at):
    other = Log([*log.events[:-1], body(0)])
    kept = ("--kept", at(COUNT, other))

    _, stranger = command("event", *one, "--log-key", Log([], seed=9).signer.vkey)
    code, answer = command("event", *one, "--log-key", log.signer.vkey, *kept)

    assert rules(stranger) == {"signature"}
    assert (code, rules(answer)) == (TAMPERED, {"root.kept"})


def test_event_cannot_lead_a_terminal_astray(tmp_path, capsys):
    log = Log([body(1, reason="\x1b[2J\u202e\x9b31m")])
    (tmp_path / "proof").write_text(log.proof(0))
    (tmp_path / "event").write_text(log.events[0])
    files = [str(tmp_path / "proof"), str(tmp_path / "event")]

    code = auditverify.main(["event", *files, "--log-key", log.signer.vkey])

    printed = capsys.readouterr().out
    assert code == UNSUPPORTED
    assert "  reason: " in printed
    assert all(letter == "\n" or " " <= letter <= "~" for letter in printed)


# consistency


@pytest.mark.parametrize("old", [0, 1, 2, 200, 256, COUNT])
def test_consistency_of_two_checkpoints_is_verified(log, at, tmp_path, old):
    (tmp_path / "proof").write_text(hashes(log, old, COUNT))
    asked = ("consistency", at(old), at(COUNT), "--proof", tmp_path / "proof")

    assert command(*asked, "--log-key", log.signer.vkey)[0] == VERIFIED
    assert command(*asked)[0] == UNSUPPORTED


@pytest.mark.parametrize("old", [1, 200, 256, COUNT])
def test_consistency_of_two_histories_is_refused(log, at, tmp_path, old):
    other = Log([body(5_000), *log.events[1:]])
    (tmp_path / "proof").write_text(hashes(log, old, COUNT))
    asked = ("consistency", at(old, other), at(COUNT), "--proof", tmp_path / "proof")
    if old == COUNT:
        asked = (asked[0], tmp_path / "other", *asked[2:])
        (tmp_path / "other").write_text(other.checkpoint())

    code, answer = command(*asked, "--log-key", log.signer.vkey)

    assert (code, rules(answer)) == (TAMPERED, {"consistency"})


@pytest.mark.parametrize(
    "proof", ["", "AAAA", "é", "x" * 100, "AAAA\n" * 64, b64encode(bytes(32)).decode()]
)
def test_consistency_without_its_proof_is_not_verified(log, at, tmp_path, proof):
    (tmp_path / "proof").write_text(proof)
    asked = ("consistency", at(200), at(COUNT), "--proof", tmp_path / "proof")

    assert command(*asked, "--log-key", log.signer.vkey)[0] in {TAMPERED, INCOMPLETE}


def test_consistency_backwards_between_logs_or_unsigned_is_not_verified(
    log, at, tmp_path
):
    (tmp_path / "proof").write_text("")
    key, proof = ("--log-key", log.signer.vkey), ("--proof", tmp_path / "proof")
    other = Log(log.events, origin="other.example")
    stranger = Log(log.events, seed=9)

    code, answer = command("consistency", at(COUNT), at(200), *proof, *key)
    assert (code, rules(answer)) == (TAMPERED, {"consistency"})
    code, answer = command("consistency", at(COUNT), at(20, stranger), *proof, *key)
    assert (code, rules(answer)) == (INCOMPLETE, {"consistency.form"})
    code, answer = command("consistency", at(COUNT), at(0, other), *proof)
    assert code == TAMPERED
    assert "origin" in rules(answer)


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


def test_csv_rows_are_verified_in_any_order(log, export, at):
    trust = ("--log-key", log.signer.vkey, "--kept", at(COUNT))

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


# witness


class Desk:
    """An air-gapped witness in a folder of its own."""

    def __init__(self, folder, log, monkeypatch, capfdbinary):
        self.files = ("--state", folder / "state", "--key", folder / "key")
        self.state, self.key = folder / "state", folder / "key"
        self.log, self.patch, self.captured = log, monkeypatch, capfdbinary
        assert self.run("--init", "witness.example/usb") == VERIFIED
        self.vkey = self.captured.readouterr().out.decode().strip()

    def run(self, *options, request=b""):
        stream = io.TextIOWrapper(io.BytesIO(request))
        self.patch.setattr(sys, "stdin", stream)
        return auditverify.main(
            [str(one) for one in ("witness", *self.files, *options)]
        )

    def asked(self, request):
        """Hand over a request: exit code and answer."""
        if isinstance(request, str):
            request = request.encode()
        code = self.run("--log-key", self.log.signer.vkey, "--json", request=request)
        return code, self.captured.readouterr().out.decode()


@pytest.fixture
def desk(tmp_path, log, monkeypatch, capfdbinary):
    return Desk(tmp_path, log, monkeypatch, capfdbinary)


def request(log, old, new):
    return f"old {old}\n{hashes(log, old, new)}\n{log.checkpoint(new)}"


def test_witness_signs_what_continues_and_the_export_is_verified(desk, log, tmp_path):
    for old, new in ((0, 100), (100, 256), (256, 256), (256, COUNT)):
        code, line = desk.asked(request(log, old, new))
        assert code == VERIFIED

    export = log.exported(tmp_path / "export", note=log.checkpoint() + line)
    code, answer = verify(export, log, "--witness-key", desk.vkey)
    assert (code, answer["confirmed"]) == (VERIFIED, COUNT)
    kept = ("--kept", desk.state)  # what it remembers is a kept copy
    assert verify(log.exported(tmp_path / "other"), log, *kept)[0] == VERIFIED


def test_witness_keeps_its_key_to_itself(desk):
    assert stat.S_IMODE(desk.key.stat().st_mode) == 0o600
    assert desk.key.read_text().startswith("PRIVATE+KEY+witness.example/usb+")
    assert not desk.state.read_text()
    with pytest.raises(SystemExit) as exit_:
        desk.run("--init", "witness.example/usb")
    assert exit_.value.code == USAGE


def forked(log):
    return Log([body(5_000), *log.events[1:]])


def under(log, **changed):
    return Log(log.events, **changed)


def bare(log, head):
    return f"{head}\n\n{log.checkpoint(200)}"


REFUSALS = {
    "an older state": (
        lambda log: request(log, 0, 50),
        INCOMPLETE,
        "witness.behind",
    ),
    "another start": (
        lambda log: request(log, 50, 200),
        INCOMPLETE,
        "witness.behind",
    ),
    "a fork": (
        lambda log: request(forked(log), 100, 200),
        TAMPERED,
        "consistency",
    ),
    "a fork of equal size": (
        lambda log: request(forked(log), 100, 100),
        TAMPERED,
        "consistency",
    ),
    "no proof": (lambda log: bare(log, "old 100"), TAMPERED, "consistency"),
    "another log": (
        lambda log: request(under(log, origin="other.example"), 100, 200),
        TAMPERED,
        "signature",
    ),
    "another key": (
        lambda log: request(under(log, seed=9), 100, 200),
        TAMPERED,
        "signature",
    ),
    "nothing": (lambda log: "", INCOMPLETE, "witness.form"),
    "no size": (lambda log: bare(log, "old 0x"), INCOMPLETE, "witness.form"),
    "no ASCII": (lambda log: bare(log, "old é"), INCOMPLETE, "witness.form"),
    "no hash": (lambda log: bare(log, "old 100\nAA=="), INCOMPLETE, "witness.form"),
    "no checkpoint": (lambda log: "old 100\n\ntext\n", INCOMPLETE, "witness.form"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_witness_refuses_with_what_it_knows(desk, log, case):
    make, code, rule = REFUSALS[case]
    assert desk.asked(request(log, 0, 100))[0] == VERIFIED
    before = desk.state.read_text()

    found, answer = desk.asked(make(log))

    assert (found, set(json.loads(answer)["counts"])) == (code, {rule})
    assert desk.state.read_text() == before
    assert desk.asked(request(log, 100, 200))[0] == VERIFIED


def test_witness_refuses_another_log_under_a_known_key(desk, log):
    other = Log(log.events, origin="other.example")
    desk.asked(request(log, 0, 100))

    code = desk.run(
        "--log-key", other.signer.vkey, "--json", request=request(other, 0, 1).encode()
    )

    answer = json.loads(desk.captured.readouterr().out)
    assert (code, set(answer["counts"])) == (TAMPERED, {"origin"})


def test_a_second_witness_at_the_same_state_is_kept_away(desk, log):
    Path(f"{desk.state}.new").touch()

    with pytest.raises(SystemExit) as exit_:
        desk.asked(request(log, 0, 100))

    assert exit_.value.code == USAGE
    assert not desk.state.read_text()


@pytest.mark.parametrize("spoil", ["missing state", "missing key", "another key"])
def test_a_witness_without_its_files_signs_nothing(desk, log, spoil):
    if spoil == "missing state":
        desk.state.unlink()
    elif spoil == "missing key":
        desk.key.unlink()
    else:
        desk.key.write_text(desk.key.read_text().replace("usb", "usc"))

    with pytest.raises(SystemExit) as exit_:
        desk.asked(request(log, 0, 100))

    assert exit_.value.code == USAGE
    assert not desk.captured.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["event", "nowhere", "nowhere", "--log-key", "{key}"],
        ["csv", "nowhere", "--bundle", "."],
        ["consistency", "nowhere", "nowhere", "--proof", "nowhere"],
        ["witness", "--state", "s", "--key", "k"],
        ["witness", "--state", "s", "--key", "k", "--log-key", "{key}"],
        ["witness", "--state", "s", "--key", "k", "--init", "a name"],
        ["bundle", ".", "--log-key", "{key}", "--quorum", "1"],
        ["bundle", ".", "--log-key", "{key}", "--quorum", "0"],
        ["bundle", ".", "--log-key", "{key}", "--witness-key", "{key}"],
        ["bundle", ".", "--log-key", "{key}", "--tsa-ca", "nowhere"],
        ["bundle", ".", "--log-key", "{key}", "--jobs", "many"],
        ["bundle", ".", "--log-key", "{key}", "--recheck-filter", "nowhere"],
        ["bundle", ".", "--log-key", "{witness}"],
        ["bundle", ".", "--log-key", "{key}", "--kept", "endless"],
    ],
)
def test_wrong_usage_is_answered_with_a_sentence(
    log, arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("endless").symlink_to("/dev/zero")
    names = {"key": log.signer.vkey, "witness": Witness().vkey}

    with pytest.raises(SystemExit) as exit_:
        auditverify.main([one.format(**names) for one in arguments])

    assert exit_.value.code == USAGE
    assert "error:" in capsys.readouterr().err
