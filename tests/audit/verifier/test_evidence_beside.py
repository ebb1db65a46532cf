"""What an export carries beside events: cosignatures, personal data, large changes."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from tests.audit.transparency.exports import (
    Log,
    Witness,
    bodies,
    body,
    canonical,
    disclosure,
    restate,
    rules,
    verify,
)

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT = 300


# Witnesses


@pytest.fixture(scope="module")
def witnesses():
    return [Witness(), Witness("witness.example/w2", seed=101)]


def keys_of(witnesses):
    return [part for one in witnesses for part in ("--witness-key", one.vkey)]


def cosigned(log, folder, *witnesses, earlier=()):
    """Export a log whose newest checkpoint these witnesses signed."""
    note = log.checkpoint()
    for one in witnesses:
        note = one.cosign(note)
    return log.exported(folder, note=note, earlier=earlier)


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


def test_a_cosigned_export_is_verified_without_a_kept_copy(log, witnesses, tmp_path):
    export = cosigned(log, tmp_path / "export", *witnesses)

    code, answer = verify(export, log, *keys_of(witnesses))

    assert (code, answer["confirmed"]) == (VERIFIED, COUNT)


@pytest.mark.parametrize(
    ("signed", "quorum", "code"),
    [
        (2, (), VERIFIED),
        (1, (), INCOMPLETE),
        (1, ("--quorum", "1"), VERIFIED),
        (1, ("--quorum", "2"), INCOMPLETE),
        (0, ("--quorum", "1"), INCOMPLETE),
    ],
)
def test_enough_witnesses_must_have_signed(
    log, witnesses, tmp_path, signed, quorum, code
):
    export = cosigned(log, tmp_path / "export", *witnesses[:signed])

    found, answer = verify(export, log, *keys_of(witnesses), *quorum)

    assert found == code
    assert rules(answer) == ({"witness.quorum"} if code == INCOMPLETE else set())


def test_an_older_cosigned_checkpoint_confirms_as_far_as_it_goes(
    log, witnesses, tmp_path
):
    export = log.exported(tmp_path / "export", earlier=[256])
    older = export / "checkpoints" / "256"
    older.write_text(witnesses[0].cosign(older.read_text()))
    restate(export)

    code, answer = verify(export, log, *keys_of(witnesses[:1]))

    assert (code, answer["confirmed"]) == (VERIFIED, 256)


def test_a_forged_cosignature_is_found(log, witnesses, tmp_path):
    other = Log(log.events[:-1]).checkpoint()
    line = witnesses[0].cosign(other).splitlines()[-1]
    export = log.exported(tmp_path / "export", note=f"{log.checkpoint()}{line}\n")

    code, answer = verify(export, log, *keys_of(witnesses[:1]))

    assert code == TAMPERED
    assert "witness" in rules(answer)


@pytest.mark.parametrize("at", [0, 2**63])
def test_a_cosignature_of_an_impossible_time_is_found(log, witnesses, tmp_path, at):
    note = witnesses[0].cosign(log.checkpoint(), at=at)
    export = log.exported(tmp_path / "export", note=note)

    assert verify(export, log, *keys_of(witnesses[:1]))[0] == TAMPERED


def test_a_log_cannot_be_its_own_witness(log, witnesses, tmp_path):
    """A signature of another kind under a witness's name says nothing."""
    imitated = Witness(log.origin, seed=1)
    export = log.exported(tmp_path / "export")

    code, answer = verify(export, log, "--witness-key", imitated.vkey)

    assert (code, rules(answer)) == (INCOMPLETE, {"witness.quorum"})


@pytest.mark.parametrize(
    ("event_after", "witness_after", "notes"),
    [
        (timedelta(), timedelta(), []),
        (timedelta(days=-2), timedelta(), ["event"]),
        (timedelta(), timedelta(days=-2), ["cosignature"]),
        (timedelta(days=2), timedelta(days=2), ["event", "cosignature"]),
        (timedelta(), timedelta(days=10**7), ["cosignature"]),
    ],
)
def test_what_is_old_or_of_the_future_is_called_stale(
    witnesses, tmp_path, event_after, witness_after, notes
):
    now = datetime.now(UTC)
    when = (now + event_after).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    log = Log([body(1, time=when)])
    at = int(now.timestamp() + witness_after.total_seconds())
    note = witnesses[0].cosign(log.checkpoint(), at=at)
    export = log.exported(tmp_path / "export", note=note)

    code, answer = verify(export, log, *keys_of(witnesses[:1]), "--max-age", "25h")

    assert code == (UNSUPPORTED if notes else VERIFIED)
    assert [note.split()[2] for note in answer["notes"]] == notes


def test_a_witness_given_twice_counts_once(log, witnesses, tmp_path):
    export = cosigned(log, tmp_path / "export", witnesses[0])
    twice = keys_of([witnesses[0], witnesses[0], witnesses[1]])

    code, answer = verify(export, log, *twice, "--quorum", "2")

    assert (code, rules(answer)) == (INCOMPLETE, {"witness.quorum"})


# Several keys of the log


def test_both_keys_of_a_rotation_are_accepted(tmp_path):
    events = bodies(COUNT)
    old, new = Log(events[:256]), Log(events, seed=2)
    export = new.exported(tmp_path / "export")
    (export / "checkpoints").mkdir()
    (export / "checkpoints" / "256").write_text(old.checkpoint())
    restate(export)
    (tmp_path / "kept").write_text(old.checkpoint(100))

    both = ("--log-key", old.signer.vkey, "--kept", tmp_path / "kept")
    assert verify(export, new, *both)[0] == VERIFIED
    code, answer = verify(export, new)
    assert (code, rules(answer)) == (TAMPERED, {"signature"})


def test_a_wrong_signature_beside_a_good_one_is_found(tmp_path):
    old, new = Log(bodies(3)), Log(bodies(3), seed=2)
    stale = old.checkpoint(2).splitlines()[-1]
    export = new.exported(tmp_path / "export", note=f"{new.checkpoint()}{stale}\n")

    code, answer = verify(export, new, "--log-key", old.signer.vkey)

    assert (code, rules(answer)) == (TAMPERED, {"signature"})


# Personal data


NAMES = {name: disclosure(name) for name in ("Ada", "Grace", "José", "Never named")}


def spoken(*names):
    """Events that name these people, each behind a commitment."""
    return [
        body(number, actor={"id": "1", "name": {"commitment": NAMES[name][1]}})
        for number, name in enumerate(names)
    ]


def redaction(*names, action="audit.redacted"):
    commitments = [NAMES[name][1] for name in names]
    changes = [
        {"name": "commitments", "value": commitments},
        {"name": "legal_basis", "value": "request"},
    ]
    return body(900, action=action, changes=changes)


def private(folder, events, *names, **more):
    """Export with the disclosures of these names only."""
    log = Log(events)
    shown = sorted((NAMES[name] for name in names), key=lambda pair: pair[1])
    lines = [encoded for encoded, _ in shown]
    export = log.exported(folder, disclosures=lines, **more)
    (folder.parent / "kept").write_text(log.checkpoint())
    return verify(export, log, "--private", "--kept", folder.parent / "kept")


def test_disclosed_and_redacted_names_are_counted(tmp_path):
    events = [*spoken("Ada", "Grace", "Ada", "José"), redaction("José")]

    code, answer = private(tmp_path / "export", events, "Ada", "Grace")

    assert (code, answer["findings"]) == (VERIFIED, [])
    counts = {name: answer[name] for name in ("disclosed", "redacted", "unexplained")}
    assert counts == {"disclosed": 2, "redacted": 1, "unexplained": 0}


def test_a_missing_name_without_a_word_about_it_is_found(tmp_path):
    code, answer = private(tmp_path / "export", spoken("Ada", "Grace"), "Ada")

    assert (code, rules(answer)) == (TAMPERED, {"private.unexplained"})
    assert answer["unexplained"] == 1
    assert answer["findings"][0]["field"] == NAMES["Grace"][1]


def test_only_the_event_of_an_erasure_explains_it(tmp_path):
    other = redaction("Ada", action="account.edited")
    quoted = body(901, reason=redaction("Ada"))

    code, answer = private(tmp_path / "export", [*spoken("Ada"), other, quoted])

    assert (code, answer["unexplained"]) == (TAMPERED, 1)


@pytest.mark.parametrize(
    ("names", "erased", "rule"),
    [
        (["Ada", "Never named"], [], "private.unnamed"),
        (["Ada", "Ada"], [], "private.form"),
        (["Ada"], ["Ada"], "private.erased"),
    ],
)
def test_a_disclosure_that_should_not_be_there_is_found(tmp_path, names, erased, rule):
    events = [*spoken("Ada"), redaction(*erased)]

    code, answer = private(tmp_path / "export", events, *names)

    assert (code, rules(answer)) == (TAMPERED, {rule})


@pytest.mark.parametrize("line", ["", "AAAA", "WzFd", "!", "W10=", "[" * 50_000, "é"])
def test_a_malformed_disclosure_is_found(tmp_path, line):
    commitment = disclosure("x")[1]
    digest = sha256(line.encode()).digest()
    log = Log([*spoken("Ada"), body(5, name={"commitment": commitment})])

    export = log.exported(tmp_path / "export", disclosures=[NAMES["Ada"][0], line])
    code, answer = verify(export, log, "--private")

    assert code == TAMPERED
    assert digest.hex() not in str(answer)
    assert rules(answer) == {"private.unnamed", "private.unexplained"}


@pytest.mark.parametrize(
    "pair", ['["salt"]', "{}", '[1,"Ada"]', "nonsense", "[" * 9000]
)
def test_a_commitment_to_no_disclosure_is_found(tmp_path, pair):
    line = unpadded(pair.encode())
    log = Log([body(1, name={"commitment": unpadded(sha256(line.encode()).digest())})])
    export = log.exported(tmp_path / "export", disclosures=[line])

    code, answer = verify(export, log, "--private")

    assert (code, rules(answer)) == (TAMPERED, {"private.form"})


def unpadded(content):
    return urlsafe_b64encode(content).decode().rstrip("=")


def test_an_export_without_personal_data_says_so_only_if_asked(log, tmp_path):
    export = log.exported(tmp_path / "export")

    assert verify(export, log)[0] == UNSUPPORTED
    code, answer = verify(export, log, "--private")
    assert (code, rules(answer)) == (INCOMPLETE, {"file.missing"})


def test_a_redaction_with_hostile_lists_is_no_error(tmp_path):
    strange = [
        body(1, action="audit.redacted"),
        body(2, action="audit.redacted", changes="text"),
        body(3, action="audit.redacted", changes=[1, None, {"name": "commitments"}]),
        body(
            4,
            action="audit.redacted",
            changes=[{"name": "commitments", "value": [1, "short", "é" * 43]}],
        ),
        '{"action":"audit.redacted"',
    ]

    code, answer = private(tmp_path / "export", strange)

    assert (code, rules(answer)) == (TAMPERED, {"body.form"})


def test_more_commitments_than_fit_are_said_to_be_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr("apps.audit.verifier.auditverify.MAX_REMEMBERED", 1)

    code, answer = private(tmp_path / "export", spoken("Ada", "Grace"), "Ada", "Grace")

    assert (code, rules(answer)) == (INCOMPLETE, {"private.many"})


# Changes that are kept apart


LARGE = canonical([{"name": "note", "value": "x" * 1_000}])
DIGEST = sha256(LARGE.encode()).hexdigest()


def test_large_changes_are_held_against_the_digest_in_the_event(tmp_path):
    log = Log([body(1, changes_sha256=DIGEST), body(2, changes_sha256="0" * 64)])
    export = log.exported(tmp_path / "export", payloads=[(DIGEST, LARGE)])

    code, answer = verify(export, log)
    (export / "payloads" / DIGEST).write_text(LARGE.replace("x", "y"))
    restate(export)
    changed, found = verify(export, log)

    assert (code, answer["findings"]) == (UNSUPPORTED, [])
    assert (changed, rules(found)) == (TAMPERED, {"payload"})


def test_large_changes_that_no_event_names_are_found(tmp_path):
    log = Log([body(1, reason=f'"changes_sha256":"{DIGEST}"')])
    export = log.exported(tmp_path / "export", payloads=[(DIGEST, LARGE)])

    code, answer = verify(export, log)

    assert (code, rules(answer)) == (TAMPERED, {"payload.unnamed"})


def test_names_in_large_changes_are_disclosed_too(tmp_path):
    value = {"commitment": NAMES["Ada"][1]}
    changes = canonical([{"name": "x", "value": ["y" * 300_000, value]}])
    digest = sha256(changes.encode()).hexdigest()
    events = [body(1, changes_sha256=digest)]

    code, answer = private(
        tmp_path / "export", events, "Ada", payloads=[(digest, changes)]
    )

    assert (code, answer["disclosed"]) == (VERIFIED, 1)


# Filtered exports


@pytest.fixture
def filtered(log, tmp_path, witnesses):
    note = witnesses[0].cosign(log.checkpoint())
    return log.selected(tmp_path / "export", [3, 77, 299], note=note)


def test_a_filtered_export_is_verified_event_by_event(log, filtered, witnesses):
    code, answer = verify(filtered, log, *keys_of(witnesses[:1]))

    assert (code, answer["findings"]) == (VERIFIED, [])
    assert (answer["events"], answer["confirmed"]) == (3, COUNT)


def test_a_filtered_export_alone_is_confirmed_by_an_equal_copy_only(
    log, filtered, tmp_path
):
    for size, code in ((COUNT, VERIFIED), (200, UNSUPPORTED)):
        (tmp_path / "kept").write_text(log.checkpoint(size))

        assert verify(filtered, log, "--kept", tmp_path / "kept")[0] == code
    forked = Log([*log.events[:-1], body(0)])
    (tmp_path / "kept").write_text(forked.checkpoint())
    code, answer = verify(filtered, log, "--kept", tmp_path / "kept")
    assert (code, rules(answer)) == (TAMPERED, {"root.kept"})


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("events/event-77.json", lambda text: text.replace("because", "why"), "proof"),
        ("events/event-77.json", lambda text: text + " ", "proof"),
        ("events/event-77.json", lambda text: "", "proof"),
        (
            "proofs/event-77.tlog-proof",
            lambda text: text.replace("index 77\n", "index 78\n"),
            "proof",
        ),
        (
            "proofs/event-77.tlog-proof",
            lambda text: text.replace("index 77\n", "index 777\n"),
            "proof",
        ),
        ("proofs/event-77.tlog-proof", lambda text: "no proof", "proof.form"),
        (
            "proofs/event-77.tlog-proof",
            lambda text: text.replace("index 77\n", "index 77\nAAAA\n"),
            "proof.form",
        ),
        (
            "proofs/event-77.tlog-proof",
            lambda text: text.replace(f"\n{COUNT}\n", "\n299\n"),
            "signature",
        ),
    ],
)
def test_a_touched_event_of_a_filtered_export_is_found(
    log, filtered, name, change, rule
):
    path = filtered / name
    path.write_text(change(path.read_text()))
    restate(filtered)

    code, answer = verify(filtered, log)

    assert code == TAMPERED
    assert rule in rules(answer)


def test_what_vouches_for_another_state_does_not_vouch_for_filtered_events(
    log, witnesses, tmp_path
):
    """The host signs a state of its own under the events, and shows a genuine one."""
    forged = Log([*log.events[:3], body(3, reason="forged"), *log.events[4:200]])
    export = forged.selected(tmp_path / "export", [3, 77])
    (export / "checkpoint").write_text(witnesses[0].cosign(log.checkpoint()))
    restate(export)
    (tmp_path / "kept").write_text(log.checkpoint())

    kept, answer = verify(export, log, "--kept", tmp_path / "kept")
    witnessed, _ = verify(export, log, *keys_of(witnesses[:1]))

    assert (kept, answer["confirmed"]) == (UNSUPPORTED, 0)
    assert witnessed == INCOMPLETE


def test_names_in_filtered_events_are_disclosed_too(tmp_path):
    log = Log(spoken("Ada", "Grace"))
    export = log.selected(tmp_path / "export", [0])
    (export / "private").mkdir()
    lines = [NAMES[name][0] for name in ("Ada", "Grace")]
    (export / "private" / "disclosures.txt").write_text("\n".join([*lines, ""]))
    restate(export)

    code, answer = verify(export, log, "--private")

    assert (code, answer["counts"]) == (TAMPERED, {"private.unnamed": 1})
    assert answer["disclosed"] == 2


def test_exchanged_events_of_a_filtered_export_are_found(log, filtered):
    ours, other = (filtered / "events" / f"event-{n}.json" for n in (77, 3))
    ours.write_text(other.read_text())
    proofs = filtered / "proofs"
    (proofs / "event-77.tlog-proof").write_text(
        (proofs / "event-3.tlog-proof").read_text()
    )
    restate(filtered)

    code, answer = verify(filtered, log)

    assert (code, rules(answer)) == (TAMPERED, {"proof"})
    assert answer["findings"][0]["field"] == "id"


def test_proofs_in_a_full_export_are_checked_as_well(log, tmp_path):
    export = log.exported(tmp_path / "export")
    selected = log.selected(tmp_path / "selected", [5])
    for folder in ("proofs", "events"):
        (selected / folder).rename(export / folder)
    restate(export)

    assert verify(export, log)[0] == UNSUPPORTED
    event = export / "events" / "event-5.json"
    event.write_text(json.dumps(json.loads(event.read_text())))
    restate(export)
    code, answer = verify(export, log)
    assert (code, rules(answer)) == (TAMPERED, {"proof", "body.form"})
