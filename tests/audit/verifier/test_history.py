"""The offline verifier against histories and checkpoints that were touched."""

import shutil
from base64 import b64encode

import pytest

from apps.audit.transparency.note import key_id
from tests.audit.transparency.exports import (
    Log,
    bodies,
    body,
    canonical,
    restate,
    rules,
    verify,
)

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT = 700


# Untouched


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, COUNT])
def test_an_untouched_export_is_verified(size, tmp_path):
    log = Log(bodies(size))
    (tmp_path / "kept").write_text(log.checkpoint(min(size, 1)))
    outside = ("--kept", tmp_path / "kept")

    code, answer = verify(log.exported(tmp_path / "export"), log, *outside)

    assert answer["findings"] == []
    assert answer["events"] == size
    assert code == (VERIFIED if size else UNSUPPORTED)


def test_an_untouched_archive_is_verified_without_unpacking(log, tmp_path, kept):
    path = tmp_path / "export.zip"
    path.write_bytes(log.zipped())

    assert verify(path, log, *kept(500))[0] == VERIFIED


def test_segments_are_read_one_after_another(tmp_path):
    log = Log([canonical({"n": number}) for number in range(65_536 + 300)])
    folder = log.exported(tmp_path / "export", earlier=[65_536])

    code, answer = verify(folder, log)

    assert (code, answer["findings"]) == (UNSUPPORTED, [])
    assert answer["events"] == 65_836


def test_without_outside_evidence_the_answer_is_not_verified(log, export):
    code, answer = verify(export, log)

    assert code == UNSUPPORTED
    assert "--kept" in answer["notes"][0]


@pytest.mark.parametrize(("age", "code"), [("24h", UNSUPPORTED), ("99999d", VERIFIED)])
def test_an_old_export_is_called_stale(log, export, kept, age, code):
    assert verify(export, log, *kept(COUNT), "--max-age", age)[0] == code


def test_an_export_without_times_is_called_stale(tmp_path):
    log = Log([canonical({"time": "yesterday"})])
    (tmp_path / "kept").write_text(log.checkpoint())
    export, age = log.exported(tmp_path / "export"), ("--max-age", "24h")

    code, answer = verify(export, log, "--kept", tmp_path / "kept", *age)

    assert code == UNSUPPORTED
    assert "yesterday" in answer["notes"][0]


def test_files_of_a_file_manager_are_passed_over(log, export, kept):
    (export / "segments" / ".DS_Store").write_bytes(b"\0")

    assert verify(export, log, *kept(1))[0] == VERIFIED


# Attacks on the events. The attacker rewrites tiles and manifest; `resigned` says
# whether he also holds the key of the log.


def swap(events, one, other):
    events[one], events[other] = events[other], events[one]


ATTACKS = {
    "edit": lambda events: events.__setitem__(123, body(123, reason="other")),
    "swap actor": lambda events: events.__setitem__(123, body(123, actor={"id": "9"})),
    "flip time": lambda events: events.__setitem__(
        123, body(123, time="2025-01-01T00:00:00.000000Z")
    ),
    "delete": lambda events: events.pop(123),
    "insert": lambda events: events.insert(123, body(5000)),
    "duplicate": lambda events: events.insert(123, events[122]),
    "reorder": lambda events: swap(events, 123, 300),
    "edit the newest": lambda events: events.__setitem__(-1, body(0, reason="other")),
    "delete the newest": lambda events: events.pop(),
    "truncate": lambda events: events.__delitem__(slice(600, None)),
    "append": lambda events: events.append(body(5000)),
    "empty": lambda events: events.clear(),
}


def attacked(log, attack):
    events = list(log.events)
    ATTACKS[attack](events)
    return Log(events)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_without_the_key_is_found(log, attack, tmp_path):
    forged = attacked(log, attack)
    export = forged.exported(tmp_path / "export")
    (export / "checkpoint").write_text(log.checkpoint())
    restate(export)

    code, answer = verify(export, log)

    expected = {"file.missing"} if attack == "empty" else {"root", "size", "size.more"}
    assert code == (INCOMPLETE if attack == "empty" else TAMPERED)
    assert rules(answer) & expected


OLD = {"edit", "swap actor", "flip time", "delete", "insert", "duplicate", "reorder"}
GROWN = {"append"}  # is what a log does


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_with_the_key_is_found_by_an_older_copy(log, attack, tmp_path, kept):
    export = attacked(log, attack).exported(tmp_path / "export")

    code, answer = verify(export, log, *kept(500))

    assert code == (TAMPERED if attack in OLD | {"empty"} else VERIFIED)
    assert rules(answer) <= {"root.kept", "size.kept"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_with_the_key_is_found_by_the_newest_copy(
    log, attack, tmp_path, kept
):
    export = attacked(log, attack).exported(tmp_path / "export")

    code, _ = verify(export, log, *kept(COUNT))

    assert code == (VERIFIED if attack in GROWN else TAMPERED)


def test_an_edited_event_is_named(log, export):
    path = export / "segments" / "000000.jsonl"
    lines = path.read_text().splitlines()
    lines[300] = body(300, actor={"id": "somebody else"})
    path.write_text("\n".join(lines) + "\n")

    code, answer = verify(export, log)

    tile = next(one for one in answer["findings"] if one["rule"] == "tile.hash")
    assert code == TAMPERED
    assert (tile["index"], tile["place"]) == (300, "tile/0/001")
    assert tile["field"] == "hash 44"
    assert len(tile["expected"]) == len(tile["found"]) == 64
    roots = [one["place"] for one in answer["findings"] if one["rule"] == "root"]
    assert roots == ["checkpoints/500", "checkpoint"]
    assert {"file.digest", "tile.hash", "root"} == rules(answer)


# Attacks on the checkpoints


def test_a_log_under_another_key_is_found(log, export):
    stranger = Log(log.events, seed=9)

    code, answer = verify(export, stranger)

    assert (code, rules(answer)) == (TAMPERED, {"signature"})


@pytest.mark.parametrize(
    "public",
    [
        (2**255 - 19).to_bytes(32, "little"),  # no canonical coordinate
        (2).to_bytes(32, "little"),  # no point of the curve
        (1 | 1 << 255).to_bytes(32, "little"),  # zero has no odd twin
    ],
)
def test_a_key_that_cannot_be_one_signs_nothing(log, export, public):
    identifier = key_id(log.origin, public)
    encoded = b64encode(b"\x01" + public).decode()
    signature = b64encode(identifier + bytes(64)).decode()
    text = log.checkpoint().rpartition("— ")[0]
    (export / "checkpoint").write_text(f"{text}— {log.origin} {signature}\n")
    key = ("--log-key", f"{log.origin}+{identifier.hex()}+{encoded}")

    code, answer = verify(export, log, *key)

    assert code == TAMPERED
    assert "does not fit the text" in str(answer["findings"])


def test_many_keys_verify_many_logs(tmp_path):
    for seed in range(1, 9):
        log = Log(bodies(2), seed=seed)

        code, _ = verify(log.exported(tmp_path / str(seed)), log)

        assert code == UNSUPPORTED


def test_a_log_of_another_name_is_found(log, tmp_path, kept):
    other = Log(log.events, origin="portal.example/audit/2")
    export = other.exported(tmp_path / "export")

    key = ("--log-key", other.signer.vkey)
    code, answer = verify(export, log, *key, *kept(500))

    assert (code, rules(answer)) == (TAMPERED, {"origin"})


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (lambda log: log.checkpoint().replace("\n700\n", "\n699\n"), "signature"),
        (lambda log: log.checkpoint(root=bytes(32)), "root"),
        (lambda log: log.checkpoint(499) + "— x y\n", "checkpoint.form"),
        (lambda log: log.checkpoint(origin="other"), "signature"),
        (lambda log: "no note", "checkpoint.form"),
        (lambda log: log.checkpoint().replace("\n", "\r\n"), "checkpoint.form"),
        (
            lambda log: log.checkpoint().replace("\n700\n", "\n0700\n"),
            "checkpoint.form",
        ),
        (lambda log: log.checkpoint(extensions=("x",)), "checkpoint.form"),
        (lambda log: log.checkpoint(root=bytes(31)), "checkpoint.form"),
        (lambda log: log.checkpoint(600), "size.more"),
        (lambda log: "x" * 1_000_001, "file.size"),
    ],
)
def test_a_forged_checkpoint_is_found(log, export, forge, expected):
    (export / "checkpoint").write_text(forge(log))
    restate(export)

    code, answer = verify(export, log)

    assert code == TAMPERED
    assert expected in rules(answer)


def test_a_hostile_size_ends_at_once(log, export):
    note = log.checkpoint(size=COUNT, root=bytes(32))
    huge = note.replace(f"\n{COUNT}\n", f"\n{2**53 - 1}\n")
    (export / "checkpoint").write_text(huge)
    restate(export)

    code, answer = verify(export, log)

    assert code == TAMPERED
    assert {"signature", "size"} <= rules(answer)


def test_a_signature_that_is_no_point_is_refused(log, export):
    text, _, line = log.checkpoint().rpartition("— ")
    (export / "checkpoint").write_bytes(f"{text}— {line}".encode() + b"\xff")

    assert "checkpoint.form" in rules(verify(export, log)[1])


def test_an_older_checkpoint_under_a_wrong_name_is_found(log, export):
    shutil.copy(export / "checkpoints" / "256", export / "checkpoints" / "300")
    restate(export)

    code, answer = verify(export, log)

    assert (code, rules(answer)) == (TAMPERED, {"checkpoint.name"})


def test_a_rolled_back_log_with_its_newer_checkpoint_is_found(log, tmp_path):
    older = Log(log.events[:600]).exported(tmp_path / "export")
    (older / "checkpoints").mkdir()
    (older / "checkpoints" / "700").write_text(log.checkpoint())
    restate(older)

    code, answer = verify(older, log)

    assert (code, rules(answer)) == (TAMPERED, {"size"})


# A log that continues another one after a declared loss


def gap(kept, lost, **changed):
    facts = {"origin": ["portal.example/audit/1", "portal.example/audit/2"]}
    facts |= {"size": [lost, kept]} | changed
    changes = [{"name": name, "value": value} for name, value in facts.items()]
    told = {"action": "audit.history_gap", "changes": changes, "reason": "A disk died."}
    return canonical(told)


def continued(log, kept, tmp_path, event=None):
    """Export the log that begins with `kept` events of the other, and its key."""
    events = [*log.events[:kept], event or gap(kept, COUNT), *bodies(5)]
    successor = Log(events, seed=2, origin="portal.example/audit/2")
    key = ("--log-key", successor.signer.vkey)
    return successor.exported(tmp_path / "export"), key


@pytest.mark.parametrize(
    ("size", "expected"),
    [(500, (VERIFIED, set())), (501, (TAMPERED, {"history.gap"}))],
)
def test_a_kept_checkpoint_of_the_earlier_log_counts_up_to_the_loss(
    log, tmp_path, kept, size, expected
):
    export, key = continued(log, 500, tmp_path)

    code, answer = verify(export, log, *key, *kept(size))

    assert (code, rules(answer)) == expected
    [told] = answer["lines"]
    assert told.startswith("Events 500 to 699 of portal.example/audit/1 were declared")
    assert told.endswith("by event 500: A disk died.")


def test_a_declared_loss_excuses_no_change_before_it(log, tmp_path, kept):
    other = Log([body(9999), *log.events[1:]])
    export, key = continued(other, 500, tmp_path)

    code, answer = verify(export, log, *key, *kept(400))

    assert (code, rules(answer)) == (TAMPERED, {"root.kept"})


@pytest.mark.parametrize(
    "changed", [{"size": [700]}, {"origin": 1}, {"size": "x"}, {"origin": []}]
)
def test_a_declared_loss_that_makes_no_sense_excuses_nothing(
    log, tmp_path, kept, changed
):
    export, key = continued(log, 500, tmp_path, gap(500, COUNT, **changed))

    code, answer = verify(export, log, *key, *kept(400))

    assert (code, rules(answer)) == (TAMPERED, {"origin"})
