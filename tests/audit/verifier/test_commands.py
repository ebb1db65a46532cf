"""The commands beside `bundle`: one event, and two checkpoints; and wrong usage."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from apps.audit.verifier import auditverify
from tests.audit.transparency.exports import Log, Witness, bodies, body, command, rules

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
    (tmp_path / "proof").write_text(log.consistency(old, COUNT))
    asked = ("consistency", at(old), at(COUNT), "--proof", tmp_path / "proof")

    assert command(*asked, "--log-key", log.signer.vkey)[0] == VERIFIED
    assert command(*asked)[0] == UNSUPPORTED


@pytest.mark.parametrize("old", [1, 200, 256, COUNT])
def test_consistency_of_two_histories_is_refused(log, at, tmp_path, old):
    other = Log([body(5_000), *log.events[1:]])
    (tmp_path / "proof").write_text(log.consistency(old, COUNT))
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
