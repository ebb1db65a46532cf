"""The offline verifier against damaged and hostile files, and as a command."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from apps.audit.verifier import auditverify
from tests.audit.transparency.exports import (
    Log,
    bodies,
    canonical,
    restate,
    rules,
    verify,
)

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
PROGRAM = Path(settings.BASE_DIR) / "apps" / "audit" / "verifier" / "auditverify.py"
COUNT = 700


# Attacks on the files


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint",
        "checkpoints/256",
        "segments/000000.jsonl",
        "tile/0/001",
        "tile/1/000.p/2",
        "MANIFEST.json",
        "keys/0.vkey",
        "VERIFY.md",
    ],
)
def test_a_missing_file_is_named(log, export, name):
    (export / name).unlink()

    code, answer = verify(export, log)

    named = {one["place"] for one in answer["findings"]}
    assert code == INCOMPLETE
    assert name in named


def test_what_does_not_belong_to_an_export_is_named(log, export):
    (export / "segments" / "000001.jsonl").write_text("{}\n")
    (export / "réadme\x1b.txt").write_text("Trust me.")
    restate(export)

    code, answer = verify(export, log)

    named = {one["place"] for one in answer["findings"]}
    assert (code, rules(answer)) == (TAMPERED, {"file.unknown"})
    assert named == {"segments/000001.jsonl", "r\\xe9adme\\x1b.txt"}


def test_what_is_no_file_is_not_read(log, export):
    (export / "VERIFY.md").unlink()
    os.mkfifo(export / "VERIFY.md")
    (export / "checkpoint").unlink()
    (export / "checkpoint").symlink_to("/dev/zero")

    code, answer = verify(export, log)

    assert code == INCOMPLETE
    assert answer["counts"] == {"file.unreadable": 2}


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":9007199254740993}',
        b'{"a":-0}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[]",
        b"",
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"1" * 60_000,
    ],
)
def test_an_event_that_can_be_read_in_two_ways_is_found(line, tmp_path):
    log = Log([line.decode("latin-1")])
    export = log.exported(tmp_path / "export")
    (export / "segments" / "000000.jsonl").write_bytes(line + b"\n")
    restate(export)

    code, answer = verify(export, log)

    form = next(one for one in answer["findings"] if one["rule"] == "body.form")
    assert (code, form["index"]) == (TAMPERED, 0)


def test_an_endless_line_is_cut(log, export):
    (export / "segments" / "000000.jsonl").write_bytes(b"x" * 1_000_000)

    code, answer = verify(export, log)

    assert code == TAMPERED
    assert answer["counts"]["file.line"] == 1
    assert answer["events"] == 0


def test_a_segment_of_too_many_lines_is_cut(log, export):
    (export / "segments" / "000000.jsonl").write_bytes(b"{}\n" * 65_537)

    code, answer = verify(export, log)

    assert code == TAMPERED
    assert "segment.lines" in rules(answer)


def test_a_full_segment_without_its_follower_is_incomplete(tmp_path):
    log = Log([canonical({"n": number}) for number in range(65_537)])
    export = log.exported(tmp_path / "export")
    (export / "segments" / "000001.jsonl").unlink()

    code, answer = verify(export, log)

    assert code == INCOMPLETE
    assert "segments/000001.jsonl" in {one["place"] for one in answer["findings"]}


def test_tiles_of_large_logs_are_found_in_their_folders():
    assert auditverify.tile_name(0, 1_234_067, 256) == "tile/0/x001/x234/067"
    assert auditverify.tile_name(1, 1000, 3) == "tile/1/x001/000.p/3"


def test_a_tile_with_more_hashes_than_it_should_have_is_found(log, export):
    with (export / "tile" / "0" / "000").open("ab") as tile:
        tile.write(bytes(32))
    restate(export)

    assert "file.size" in rules(verify(export, log)[1])


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "{}",
        '{"files":[],"format":"audit-bundle/1"}',
        '{"files":{},"format":"audit-bundle/2"}',
        '{"files":{},"format":"audit-bundle/1","more":1}',
        '{"files":{"x":1},"format":"audit-bundle/1"}',
        "[" * 100_000,
    ],
)
def test_a_malformed_manifest_is_found(log, export, manifest):
    (export / "MANIFEST.json").write_text(f"{manifest}\n")

    code, answer = verify(export, log)

    assert code == TAMPERED
    assert rules(answer) & {"manifest.form", "file.digest"}


def test_a_genuine_file_of_another_log_is_found(log, export, tmp_path):
    other = Log(bodies(COUNT)[::-1]).exported(tmp_path / "other", earlier=[256, 500])
    for path in sorted(one for one in other.rglob("*") if one.is_file()):
        name = path.relative_to(other)
        if path.read_bytes() == (export / name).read_bytes():
            continue
        genuine = (export / name).read_bytes()
        shutil.copy(path, export / name)

        assert verify(export, log)[0] == TAMPERED, name
        (export / name).write_bytes(genuine)


# Archives


def test_what_is_no_archive_is_incomplete(log, tmp_path):
    (tmp_path / "export.zip").write_text("no archive")

    code, answer = verify(tmp_path / "export.zip", log)

    assert (code, rules(answer)) == (INCOMPLETE, {"file.unreadable"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_two_files_of_one_name_is_found(log, tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(log.zipped())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("VERIFY.md", "Trust me.")
        archive.writestr("keys/", "")

    code, answer = verify(path, log)

    assert code == TAMPERED
    assert {"file.twice", "file.digest"} == rules(answer)


def test_an_unknown_compression_is_named(log, tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("checkpoint", log.checkpoint())

    code, answer = verify(path, log)

    assert code == INCOMPLETE
    assert "an unknown compression" in {one["found"] for one in answer["findings"]}


# The command


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bundle"],
        ["bundle", "nowhere", "--log-key", "{key}"],
        ["bundle", ".", "--log-key", "{key}", "--kept", "nowhere"],
        ["bundle", ".", "--log-key", "{key}", "--kept", "forged"],
        ["bundle", ".", "--log-key", "{key}", "--kept", "text"],
        ["bundle", ".", "--log-key", "{key}", "--max-age", "old"],
        ["bundle", ".", "--log-key", "name+00000000+AAAA"],
        ["bundle", ".", "--log-key", "{key}x"],
        ["bundle", ".", "--log-key", "x{key}"],
        ["bundle", ".", "--log-key", "{short}"],
        ["bundle", ".", "--log-key", "no key"],
    ],
)
def test_wrong_usage_is_answered_with_a_sentence(
    log, arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("forged").write_text(Log([], seed=9).checkpoint())
    Path("text").write_text("no checkpoint")
    key, short = log.signer.vkey, log.signer.vkey[:-5] + "="

    with pytest.raises(SystemExit) as exit_:
        auditverify.main([one.format(key=key, short=short) for one in arguments])

    assert exit_.value.code == USAGE
    assert "error:" in capsys.readouterr().err


def test_a_copy_that_went_by_mail_is_accepted(log, export, tmp_path):
    mailed = log.checkpoint(500).replace("\n", "\r\n") + "\r\n\r\n"
    (tmp_path / "kept").write_text(mailed, newline="")

    assert verify(export, log, "--kept", tmp_path / "kept")[0] == VERIFIED


def test_the_answer_reads_as_sentences(log, export, capsys):
    path = export / "segments" / "000000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b" \n"))

    code = auditverify.main(["bundle", str(export), "--log-key", log.signer.vkey])

    printed = capsys.readouterr().out
    assert code == TAMPERED
    assert printed.startswith("TAMPER EVIDENCE (exit code 1)\n700 events, root ")
    assert "[body.form] segments/000000.jsonl, event 0: body" in printed
    assert "[body.form] and 680 more" in printed
    assert "\nNote: Nothing from outside the export vouches for it" in printed


def test_the_file_runs_alone(log, tmp_path, kept):
    shutil.copy(PROGRAM, tmp_path / "auditverify.py")
    (tmp_path / "export.zip").write_bytes(log.zipped())
    option, path = kept(500)
    key = ("--log-key", log.signer.vkey)

    command = [sys.executable, "-I", "-S", "auditverify.py", "bundle", "export.zip"]
    answer = subprocess.run(
        [*command, *key, option, path],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (VERIFIED, "")
    assert answer.stdout.startswith("VERIFIED (exit code 0)")
    assert "\nThe first 500 are confirmed from outside the export.\n" in answer.stdout


def test_the_file_asks_for_the_standard_library_and_an_old_python_only():
    tree = ast.parse(PROGRAM.read_text(), feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [one.name for one in node.names]
        )
    }

    assert imported <= sys.stdlib_module_names
