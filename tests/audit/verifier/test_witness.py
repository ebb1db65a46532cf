"""The command `witness`: who signs without a network what the log brings by file."""

import io
import json
import stat
import sys
from pathlib import Path

import pytest

from apps.audit.verifier import auditverify
from tests.audit.transparency.exports import Log, bodies, body, verify

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT = 300


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


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
    return f"old {old}\n{log.consistency(old, new)}\n{log.checkpoint(new)}"


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
