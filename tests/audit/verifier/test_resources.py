"""The verifier as a program: side by side, within bounds, and always with an answer."""

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.audit.transparency.exports import Log, bodies, canonical, restate

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
PROGRAM = Path(settings.BASE_DIR) / "apps" / "audit" / "verifier" / "auditverify.py"
SEGMENTS = 4
COUNT = SEGMENTS * 65_536 + 5
MEMORY = 300_000_000  # of address space, more than a process ever uses for itself
# Measuring coverage takes memory too, and fails noisily when there is none left.
UNMEASURED = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def started(log, path, *options):
    command = [sys.executable, "-I", PROGRAM, "bundle", path, "--json"]
    return subprocess.Popen(
        [*command, "--log-key", log.signer.vkey, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limited,
        env=UNMEASURED,
    )


def finished(process):
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert b"Traceback" not in err
    return process.returncode, json.loads(out)


# Side by side


@pytest.fixture(scope="module")
def large():
    return Log([canonical({"n": number}) for number in range(COUNT)])


@pytest.fixture(scope="module")
def folder(large, tmp_path_factory):
    return large.exported(
        tmp_path_factory.mktemp("large") / "export", earlier=[65_536, 200_000]
    )


def test_one_process_and_two_give_the_same_answer(large, folder):
    code, alone = finished(started(large, folder, "--jobs", "1"))
    also, together = finished(started(large, folder, "--jobs", "2"))

    assert (code, alone["findings"]) == (UNSUPPORTED, [])
    assert (also, together) == (code, alone)
    assert together["events"] == COUNT


def test_one_process_and_two_find_the_same(large, folder):
    path = folder / "segments" / "000001.jsonl"
    genuine = path.read_bytes()
    path.write_bytes(genuine.replace(b'"n":70000}', b'"n":70001}').replace(b"}", b" }"))

    code, alone = finished(started(large, folder, "--jobs", "1"))
    _, together = finished(started(large, folder, "--jobs", "2"))

    path.write_bytes(genuine)
    assert code == TAMPERED
    assert together == alone
    assert alone["counts"]["body.form"] == 65_536
    assert alone["counts"]["tile.hash"] == 256 + 2  # and those above them
    roots = [one["place"] for one in alone["findings"] if one["rule"] == "root"]
    assert roots == ["checkpoints/200000", "checkpoint"]


def test_a_segment_cut_short_is_named(large, folder):
    path = folder / "segments" / "000001.jsonl"
    genuine = path.read_bytes()
    path.write_bytes(genuine[: genuine.rindex(b"{")])

    code, answer = finished(started(large, folder))

    path.write_bytes(genuine)
    named = next(one for one in answer["findings"] if one["rule"] == "segment.lines")
    assert code == TAMPERED
    assert named["place"] == "segments/000001.jsonl"
    assert (named["expected"], named["found"]) == ("65536", "65535")


def workers_of(process):
    listed = (
        Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    )
    commands = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in listed}
    return [number for number, line in commands.items() if b"spawn_main" in line]


def wait_for_workers(process):
    until = time.monotonic() + 30
    while not (found := workers_of(process)) and time.monotonic() < until:
        time.sleep(0.005)
    return found


@pytest.mark.parametrize("delay_seconds", [0, 0.1, 0.4])
def test_a_worker_that_is_killed_leaves_an_answer(large, folder, delay_seconds):
    process = started(large, folder, "--jobs", "2")
    first = wait_for_workers(process)[0]
    time.sleep(delay_seconds)

    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)

    code, answer = finished(process)
    assert set(answer["counts"]) <= {"process", "file.missing"}
    assert code == (INCOMPLETE if answer["counts"] else UNSUPPORTED)
    assert answer["counts"] or delay_seconds


def test_a_program_that_is_interrupted_says_so(large, folder):
    process = started(large, folder, "--jobs", "2")
    wait_for_workers(process)

    process.send_signal(signal.SIGINT)

    _, err = process.communicate(timeout=60)
    assert process.returncode == INCOMPLETE
    assert b"Traceback" not in err
    assert b"stopped before the end" in err


# Within bounds


def bomb(path, **files):
    """Zip files of so many times one piece; small on disk."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (piece, times) in files.items():
            with archive.open(name.replace("__", "/"), "w") as stream:
                for _ in range(times):
                    stream.write(piece)
    return path


MANY = 4_000


@pytest.mark.parametrize(
    "files",
    [
        {"MANIFEST.json": (b" " * 65_536, MANY)},
        {"MANIFEST.json": (b"[" * 65_536, 100)},
        {"checkpoint": (b"\n" * 65_536, MANY)},
        {"segments__000000.jsonl": (b"x" * 65_536, MANY)},
        {"segments__000000.jsonl": (b"[" * 60_000 + b"\n", 20)},
        {"segments__000000.jsonl": (b"\n" * 65_536, MANY)},
        {"private__disclosures.txt": (b"A" * 65_536, MANY)},
        {
            "tile__0__000.p__1": (b"x" * 65_536, MANY),
            "segments__000000.jsonl": (b"{}\n", 1),
        },
        {
            "proofs__x.tlog-proof": (b"AAAA\n" * 10_000, MANY),
            "events__x.json": (b"", 1),
        },
        {"payloads__x": (b"x" * 65_536, MANY)},
    ],
    ids=lambda files: next(iter(files)),
)
def test_a_bomb_ends_with_a_finding(tmp_path, files):
    path = bomb(tmp_path / "export.zip", **files)
    began = time.monotonic()

    code, answer = finished(started(Log([]), path, "--private"))

    assert code in {TAMPERED, INCOMPLETE}
    assert answer["findings"]
    assert time.monotonic() - began < 30


def test_hostile_names_end_with_a_finding(tmp_path):
    path = tmp_path / "export.zip"
    names = [
        "../escape",
        "/etc/passwd",
        "C:\\x",
        "segments\\000000.jsonl",
        "\x1b[31m",
        "é",
    ]
    names += ["tile/0/x999/999", "checkpoints/", "checkpoints/-1", "timestamps/x.tsr"]
    with zipfile.ZipFile(path, "w") as archive:
        for name in [*names, "a" * 60_000, *(f"x{n}" for n in range(3_000))]:
            archive.writestr(name, "x")

    code, answer = finished(started(Log([]), path))

    assert code == TAMPERED
    assert not list(tmp_path.glob("**/escape"))
    assert "\x1b" not in json.dumps(answer, ensure_ascii=False)


def test_random_bytes_in_place_of_each_file_end_with_a_finding(tmp_path):
    log = Log(bodies(20))
    export = log.exported(tmp_path / "export")
    for path in [one for one in export.rglob("*") if one.is_file()]:
        path.write_bytes(random.randbytes(random.randrange(100_000)))
    restate(export)

    code, answer = finished(started(log, export, "--private"))

    assert code == TAMPERED
    assert answer["findings"]
