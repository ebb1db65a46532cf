"""JSON Lines and CSV, and that the verifier can hold them against a bundle."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256

import pytest
from django.conf import settings

from apps.accounts import actions as accounts
from apps.audit.evidence import checkpoint_at
from apps.audit.exports.chosen import Chosen
from apps.audit.exports.lists import COLUMNS, write_csv, write_json_lines
from apps.audit.models import AuditEvent, Disclosure
from apps.audit.queries import AuditFilter
from apps.projects import actions as projects
from tests.audit.sealing import bundle, tampering, undo_tampering
from tests.factories import exports, people
from tests.factories import projects as project_factory

VERIFIER = settings.BASE_DIR / "apps" / "audit" / "verifier" / "auditverify.py"
VERIFIED = 0
FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"]


def json_lines(by, *, with_names=False, **wanted) -> list[dict]:
    return [json.loads(line) for line in raw_lines(by, with_names, wanted).splitlines()]


def raw_lines(by, with_names, wanted) -> bytes:
    size, target = exports.seal_everything(), io.BytesIO()
    chosen = Chosen(AuditFilter(**wanted), by, size, with_names=with_names)
    write_json_lines(target, chosen, checkpoint_at(size), lambda _: None)
    return target.getvalue()


def table(by, *, with_names=False, **wanted) -> list[dict]:
    size, target = exports.seal_everything(), io.BytesIO()
    chosen = Chosen(AuditFilter(**wanted), by, size, with_names=with_names)
    write_csv(target, chosen, lambda _: None)
    text = target.getvalue().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_json_lines_have_the_events_as_they_were_sealed(auditor):
    *rows, last = json_lines(auditor)

    events = AuditEvent.objects.order_by("event_id")
    assert [row["event_id"] for row in rows] == [str(one.event_id) for one in events]
    assert rows[0]["body"] == events[0].facts
    assert bytes.fromhex(rows[0]["leaf_hash"]) == bytes(events[0].leaf_hash)
    assert (
        rows[3]["leaf_index"]
        == AuditEvent.objects.get(event_id=rows[3]["event_id"]).leaf.leaf_index
    )
    assert (last["count"], last["filter"]) == (len(rows), {})
    assert last["checkpoint"].startswith(f"{exports.ORIGIN}\n{last['size']}\n")


def test_the_bytes_of_a_body_are_in_its_line(auditor):
    lines = raw_lines(auditor, with_names=False, wanted={}).splitlines()

    for line in lines[:-1]:
        body = line[len(b'{"body":') : line.index(b',"event_id":"')]
        found = sha256(b"\0" + body).hexdigest()
        assert json.loads(line)["leaf_hash"] == found


def test_names_stand_beside_the_body_when_they_were_asked_for(auditor):
    *rows, _ = json_lines(auditor, with_names=True, person="petra")
    *without, _ = json_lines(auditor, person="petra")

    assert rows
    for row, bare in zip(rows, without, strict=False):
        commitment = row["body"]["actor"]["name"]["commitment"]
        assert row["names"][commitment].startswith("Petra Program")
        assert "names" not in bare


def test_the_last_line_states_what_was_asked_for(auditor, program_manager, project):
    *_, filtered = json_lines(auditor, type="member.added", since="2020-01-01")
    *_, of_a_manager = json_lines(program_manager, type="member.added")
    *_, named = json_lines(program_manager, project=str(project.pk))

    assert filtered["filter"] == {"type": "member.added", "since": "2020-01-01"}
    assert of_a_manager["filter"] == {
        "type": "member.added",
        "project": str(project.pk),
    }
    assert named["filter"] == {"project": str(project.pk)}


def test_the_projects_of_a_manager_of_several_are_stated(world):
    other = project_factory.project("other")
    projects.add_member(
        project=other,
        person=world.program_manager,
        role="program_manager",
        by=other.created_by,
    )

    *_, last = json_lines(world.program_manager, outcome="success")

    assert last["filter"] == {
        "outcome": "success",
        "projects": sorted([str(world.project.pk), str(other.pk)]),
    }


def test_lists_of_nothing_are_whole_files(auditor):
    [last] = json_lines(auditor, since="2100-01-01")

    assert last["count"] == 0
    assert table(auditor, since="2100-01-01") == []


def test_a_table_can_be_read_back(auditor):
    rows = table(auditor, with_names=True)

    events = AuditEvent.objects.order_by("event_id")
    assert tuple(rows[0]) == COLUMNS
    for row, event in zip(rows, events, strict=True):
        assert row["event_id"] == str(event.event_id)
        assert row["leaf_hash"] == bytes(event.leaf_hash).hex()
        assert row["actor_label"] == event.actor_label
        assert row["project_id"] == str(event.project_id or "")
        assert json.loads(row["changes"]) == event.changes


def test_without_names_a_table_has_the_commitments(auditor):
    rows = table(auditor)

    commitments = set(Disclosure.objects.values_list("commitment", flat=True))
    # One that begins with a minus is guarded like any other cell.
    assert {row["actor_label"].removeprefix("'") for row in rows} <= commitments


def test_an_erased_name_is_told_as_erased(auditor, program_manager):
    exports.seal_everything()
    Disclosure.objects.all().delete()

    rows = table(auditor, with_names=True, person=str(program_manager.pk))

    assert {row["actor_label"] for row in rows} == {"erased"}


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_acts_as_a_formula(administrator, developer, auditor, formula):
    accounts.edit_person(
        person=developer, profile={"full_name": formula}, by=administrator
    )

    rows = table(auditor, with_names=True, type="account.edited")

    assert rows[-1]["target_label"].startswith(f"'{formula}")


def test_changes_too_large_for_a_cell_are_told_by_their_digest(auditor, developer):
    accounts.record_sign_in(address="192.0.2.1", by=developer)
    event = exports.large_event(developer)

    [row] = table(auditor, type=event.type, target=str(developer.pk))

    assert json.loads(row["changes"]) == {"sha256": event.facts["changes_sha256"]}


def test_a_row_that_was_tampered_with_neither_breaks_nor_hides(committed):
    auditor = people.person("aud@agency.example", "Ada", agency_roles=["auditor"])
    exports.seal_everything()
    event = AuditEvent.objects.order_by("event_id").first()
    with tampering() as superuser:
        superuser.execute(
            "UPDATE audit_auditevent SET body = E'no\\n\"body' WHERE id = %s",
            [event.pk],
        )

    rows, cells = json_lines(auditor), table(auditor)

    assert rows[0]["body"] == 'no\n"body'
    assert "cannot be read" in cells[0]["reason"]
    undo_tampering()


def verify(folder, *arguments) -> dict:
    command = [sys.executable, "-I", VERIFIER, *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return {"code": done.returncode} | json.loads(done.stdout)


@pytest.mark.parametrize(
    "wanted",
    [{}, {"type": "member.added"}, {"type": "member.*"}, {"since": "2020-01-01"}],
)
def test_the_verifier_asks_the_filter_of_a_list_again(auditor, tmp_path, wanted):
    exported, lines = tmp_path / "bundle.zip", tmp_path / "list.jsonl"
    lines.write_bytes(raw_lines(auditor, with_names=True, wanted=wanted))
    exported.write_bytes(bundle())
    kept = tmp_path / "kept"
    kept.write_text(checkpoint_at(2**53).note)

    answer = verify(
        tmp_path,
        *("bundle", exported, "--log-key", exports.SIGNER.vkey, "--kept", kept),
        *("--recheck-filter", lines),
    )

    assert (answer["code"], answer["findings"]) == (VERIFIED, [])
    assert answer["rows"] == len(lines.read_bytes().splitlines()) - 1


def test_the_verifier_finds_a_row_that_was_taken_out_of_a_list(auditor, tmp_path):
    exported, lines = tmp_path / "bundle.zip", tmp_path / "list.jsonl"
    wanted = {"type": "member.added"}
    first, *rest = raw_lines(auditor, with_names=False, wanted=wanted).splitlines()
    lines.write_bytes(b"\n".join(rest) + b"\n")
    exported.write_bytes(bundle())

    answer = verify(
        tmp_path,
        *("bundle", exported, "--log-key", exports.SIGNER.vkey),
        *("--recheck-filter", lines),
    )

    missing = [one for one in answer["findings"] if one["rule"] == "filter.missing"]
    assert json.loads(first)["event_id"] in json.dumps(missing)


def test_the_verifier_holds_a_table_against_a_bundle(auditor, tmp_path):
    size, target = exports.seal_everything(), io.BytesIO()
    write_csv(
        target,
        Chosen(AuditFilter(), auditor, size, with_names=True),
        lambda _: None,
        with_mark=True,
    )
    rows, exported = tmp_path / "rows.csv", tmp_path / "bundle.zip"
    rows.write_bytes(target.getvalue())
    exported.write_bytes(bundle())
    kept = tmp_path / "kept"
    kept.write_text(checkpoint_at(size).note)

    answer = verify(
        tmp_path,
        *("csv", rows, "--bundle", exported, "--log-key", exports.SIGNER.vkey),
        *("--kept", kept),
    )

    assert (answer["code"], answer["findings"]) == (VERIFIED, [])
    assert answer["rows"] == size


def test_more_events_than_a_page_are_listed_once_each(auditor, monkeypatch):
    monkeypatch.setattr("apps.audit.exports.chosen.CHUNK_ROWS", 3)

    rows = table(auditor)

    events = AuditEvent.objects.order_by("event_id")
    assert [row["event_id"] for row in rows] == [str(one.event_id) for one in events]
