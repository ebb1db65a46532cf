"""Hostile code in the sandbox: what it tries, in every mode that this host offers.

`bare` is a host whose kernel offers a process nothing at all to confine itself with.
The tables of docs/guide/sandbox.md say in words what `SUCCEEDS` says here.
"""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest
from django.conf import settings as portal
from django.db import connection

from apps.core import sandbox
from apps.core.sandbox import confine, modes
from apps.core.sandbox.modes import Mode
from tests.core.conftest import ended

SECRET = "secret-of-the-portal"
# Each attempt in Python; it succeeds when it gets to `escaped()`.
ATTEMPTS = {
    "read the environment of a process of the portal": """
        for place in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if given["secret"].encode() in place.read_bytes():
                    escaped()
        """,
    "read its own environment": """
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STORAGE_URL"):
            if name in os.environ:
                escaped()
        """,
    "read the memory of a process of the portal": """
        if given["word"] in Path(f"/proc/{given['pid']}/cmdline").read_text():
            open(f"/proc/{given['pid']}/mem", "rb"); escaped()
        """,
    "trace a process of the portal": """
        import ctypes
        if given["word"] in Path(f"/proc/{given['pid']}/cmdline").read_text():
            if ctypes.CDLL(None).ptrace(16, given["pid"], 0, 0) == 0:
                escaped()
        """,
    "reach the database": """
        for address in given["database"]:
            with suppress(OSError):
                family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
                place = address if isinstance(address, str) else tuple(address)
                socket.socket(family).connect(place); escaped()
        """,
    "reach the broker": """
        socket.create_connection(tuple(given["broker"]), timeout=5); escaped()
        """,
    "reach a server of this host": """
        socket.create_connection(("127.0.0.1", given["port"]), timeout=5); escaped()
        """,
    "reach a server by an abstract name": """
        socket.socket(socket.AF_UNIX).connect("\\0" + given["word"]); escaped()
        """,
    "reach the network": """
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.connect(("192.0.2.1", 9)); escaped()  # sends nothing; needs a route
        """,
    "read another job's folder": """
        (Path(given["other_job"]) / "inputs" / "data").read_bytes(); escaped()
        """,
    "list the jobs": "os.listdir(Path(given['other_job']).parent); escaped()",
    "read the store of files": "Path(given['blob']).read_bytes(); escaped()",
    "read the settings": "Path(given['settings']).read_bytes(); escaped()",
    "read the accounts of the host": 'Path("/etc/passwd").read_bytes(); escaped()',
    "write into another job's folder": """
        (Path(given["other_job"]) / "outputs" / "x").write_text("x"); escaped()
        """,
    "write to the engine": "Path(__file__).write_text('x'); escaped()",
    "write to Python": "(Path(sys.prefix) / 'x').write_text('x'); escaped()",
    "write to the host": "Path(given['outside']).write_text('x'); escaped()",
    "write to its inputs": "(folder / 'inputs' / 'data').write_text('x'); escaped()",
    "become root": "os.setuid(0); os.chown(folder / 'tmp', 1, 1); escaped()",
    "make a device": """
        import stat
        os.mknod(folder / "tmp" / "disk", stat.S_IFBLK | 0o666, os.makedev(8, 0))
        escaped()
        """,
    "mount something": """
        import ctypes
        libc = ctypes.CDLL(None)
        if libc.mount(b"job", bytes(folder / "tmp"), b"tmpfs", 0, None) == 0:
            escaped()
        """,
    "end a process of the portal": "os.kill(given['pid'], signal.SIGKILL)",
}
FOR_ROOT = {"become root", "make a device", "mount something"}
OUTSIDE = Path("/var/tmp/portal-escape")  # noqa: S108 - if anyone gets so far
WITH_ITS_OWN_USER = {"write to its inputs"}
SUCCEEDS = {
    "bubblewrap": set(),
    "namespaces": set(),
    "plain": WITH_ITS_OWN_USER,
    "bare": {
        "read the environment of a process of the portal",
        "read the memory of a process of the portal",
        "trace a process of the portal",
        "end a process of the portal",
        "reach the database",
        "reach the broker",
        "reach a server of this host",
        "reach a server by an abstract name",
        "reach the network",
        "read another job's folder",
        "list the jobs",
        "read the store of files",
        "read the settings",
        "read the accounts of the host",
        "write into another job's folder",
        "write to the engine",
        "write to Python",
        "write to the host",
        *WITH_ITS_OWN_USER,
    },
}
HOSTILE = """
import socket
from contextlib import suppress
given = json.loads((folder / "spec.json").read_text())
class Escaped(Exception): pass
def escaped(): raise Escaped
found = {}
for name, lines in given["attempts"].items():
    try:
        exec(lines, dict(globals()))
        found[name] = "nothing came of it"
    except Escaped:
        found[name] = "escaped"
    except OSError as refusal:
        found[name] = str(refusal)
result(status="succeeded", found=found)
"""


@pytest.fixture(params=[*Mode, "bare"])
def mode(request, settings, monkeypatch) -> str:
    """Each way of keeping the engine apart that works here."""
    wanted = request.param
    if wanted == "bare":
        monkeypatch.setitem(modes._BUILDERS, Mode.PLAIN, lambda _start, words: words)
        wanted = Mode.PLAIN
    elif wanted == Mode.PLAIN and confine.landlock_version() < modes.SIGNAL_VERSION:
        pytest.skip("this kernel does not let a process confine itself")
    elif reason := modes.why_not(wanted):
        pytest.skip(f"{wanted} does not work here: {reason}")
    settings.JOB_SANDBOX = [str(wanted)]
    return str(request.param)


@pytest.fixture
def portal_process():
    """A process of the worker's user with a secret in its environment."""
    word = f"portal-process-{os.getpid()}"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep(120) # {word}"],
        env={"DATABASE_URL": SECRET},
    )
    process.word = word
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def given(tmp_path, portal_process, job_folder):
    """All that hostile code could know of the portal, down to the paths."""
    place = connection.settings_dict
    database = [[place["HOST"], int(place["PORT"] or 5432)]]
    if place["HOST"].startswith("/"):
        database = [f"{place['HOST']}/.s.PGSQL.{place['PORT'] or 5432}"]
    broker = urlsplit(portal.REDIS_URL)
    (tmp_path / "blob").write_text("blob")
    (tmp_path / "settings.env").write_text("settings")
    (job_folder / "inputs" / "data").write_text("data")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as named,
        sandbox.job_folder("other") as other_job,
    ):
        named.bind(f"\0{portal_process.word}")
        named.listen()
        (other_job / "inputs" / "data").write_text("data")
        yield {
            "secret": SECRET,
            "word": portal_process.word,
            "pid": portal_process.pid,
            "database": database,
            "broker": [broker.hostname, broker.port or 6379],
            "port": server.getsockname()[1],
            "other_job": str(other_job),
            "outside": str(OUTSIDE),
            "blob": str(tmp_path / "blob"),
            "settings": str(tmp_path / "settings.env"),
        }


def go_on(_progress) -> str:
    return "go on"


def run(folder: Path, **changes) -> sandbox.Outcome:
    return sandbox.run(
        folder, "train", **{"wall_seconds": 30, "watch": go_on, **changes}
    )


def test_attempts_are_refused(mode, engine_that, given, job_folder):
    attempts = {name: dedent(lines) for name, lines in ATTEMPTS.items()}
    if mode == "bare" and os.geteuid() == 0:  # a bare process of root is root
        for name in FOR_ROOT:
            del attempts[name]
    (job_folder / "spec.json").write_text(json.dumps(given | {"attempts": attempts}))
    engine_that(HOSTILE)

    outcome = run(job_folder)

    left = [path for path in (OUTSIDE, Path(sys.prefix) / "x") if path.exists()]
    for path in left:
        path.unlink()
    found = outcome.result["found"]
    succeeded = {name for name, words in found.items() if words == "escaped"}
    if ended(given["word"], 0.2):
        succeeded.add("end a process of the portal")
    expected = SUCCEEDS[mode] & set(attempts)
    if not os.access(sys.prefix, os.W_OK):
        expected -= {"write to Python"}
    assert succeeded == expected, found
    assert bool(left) == (mode == "bare")


def test_a_daemon_does_not_stay_behind(mode, engine_that, job_folder):
    if mode == "bare":
        pytest.skip("nobody keeps what a bare process leaves")
    word = f"daemon-{os.getpid()}"
    engine_that(
        f"""
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.execv(sys.executable, [sys.executable, "-c",
                         "import time; time.sleep(100) # {word}"])
            os._exit(0)
        os.wait()
        time.sleep(0.3)
        result(status="succeeded")
        """
    )

    outcome = run(job_folder)

    assert outcome.status == "succeeded", outcome
    assert ended(word)


LIMITS = {
    "too_many_processes": (
        """
        children = 0
        try:
            while children < 300:
                if os.fork() == 0:
                    time.sleep(30)
                    os._exit(0)
                children += 1
        except OSError:
            pass
        time.sleep(3)
        result(status="succeeded", children=children)
        """,
        {"JOB_PROCESSES": 20},
        "ran .* processes at once; its limit is 20",
    ),
    "out_of_memory": (
        """
        for _ in range(3):
            if os.fork() == 0:
                kept = b"x" * 60_000_000
                time.sleep(30)
                os._exit(0)
        time.sleep(20)
        """,
        {"JOB_MEMORY_BYTES": 128 * 1024**2},
        "processes together took 0.[12]. GiB of memory; its limit is 0.12 GiB",
    ),
    "timeout": (
        """
        if os.fork() == 0:
            while True: pass
        time.sleep(20)
        """,
        {"JOB_CPU_SECONDS": 1},
        "seconds of processor time; its limit is 1",
    ),
    "out_of_disk": (
        """
        for number in range(40):
            (folder / "tmp" / str(number)).write_bytes(bytes(1024 ** 2))
        time.sleep(20)
        """,
        {"JOB_DISK_BYTES": 8 * 1024**2},
        "to disk; its limit is 0.01 GiB",
    ),
    "too_many_files": (
        """
        for number in range(200):
            (folder / "outputs" / str(number)).mkdir()
        time.sleep(20)
        """,
        {"JOB_FILES": 100},
        "made more than 100 files",
    ),
    "disk_full": (
        "time.sleep(20)",
        {"JOB_DISK_RESERVE_BYTES": 2**60},
        "disk of the worker is almost full",
    ),
}


@pytest.mark.parametrize("code", LIMITS)
def test_limit_of_all_processes(mode, code, engine_that, job_folder, settings):
    lines, changes, words = LIMITS[code]
    engine_that(lines)
    for name, value in changes.items():
        setattr(settings, name, value)

    outcome = run(job_folder)

    if code == "too_many_processes" and outcome.status == "succeeded":
        assert outcome.result["children"] <= 20  # the kernel was first
    else:
        assert (outcome.status, outcome.code) == ("failed", code), outcome
        assert re.search(words, outcome.message), outcome.message
    assert ended(job_folder)


def test_a_file_cannot_be_larger_than_the_disk_of_the_job(
    mode, engine_that, job_folder, settings
):
    if mode == "bare":
        pytest.skip("only the engine's own limit holds")
    settings.JOB_DISK_BYTES = 1024**2
    engine_that(
        """
        import errno
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            (folder / "outputs" / "huge").write_bytes(bytes(2 * 1024 ** 2))
        except OSError as error:
            (folder / "outputs" / "huge").unlink()
            result(status="succeeded", huge=error.errno == errno.EFBIG)
        """
    )

    assert run(job_folder).result["huge"]


def test_links_of_the_job_lead_nowhere(mode, engine_that, job_folder):
    engine_that(
        """
        (folder / "outputs" / "model").symlink_to("/etc/passwd")
        result(status="succeeded")
        """
    )

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "internal")
    assert "root:" not in str(outcome)


def test_usage_is_measured(mode, engine_that, job_folder):
    engine_that(
        """
        (folder / "outputs" / "x").write_bytes(bytes(300_000))
        kept = bytearray(b"x") * 50_000_000
        begun = time.process_time()
        while time.process_time() < begun + 0.5: pass
        result(status="succeeded")
        """
    )
    seen = []

    run(job_folder, watch=lambda progress: seen.append(progress.usage) or "go on")

    assert 0.3 < seen[-1].cpu_seconds < 10
    assert 50_000_000 < seen[-1].memory_peak_bytes < 500_000_000
    assert 300_000 <= seen[-1].disk_bytes < 1_000_000


def test_jobs_fail_where_no_allowed_mode_works(engine_that, job_folder, settings):
    engine_that('result(status="succeeded")')
    settings.JOB_SANDBOX = []

    outcome = run(job_folder)

    assert (outcome.status, outcome.code) == ("failed", "no_sandbox")
    assert "Ask an operator" in outcome.message
    assert sandbox.shortcomings()[0].startswith("Jobs fail instead of running")


def test_the_engine_keeps_the_network_only_for_a_cluster(
    mode, engine_that, given, job_folder, settings
):
    settings.DASK_ADDRESS = f"tcp://127.0.0.1:{given['port']}"
    (job_folder / "spec.json").write_text(json.dumps(given))
    engine_that(
        """
        import socket
        given = json.loads((folder / "spec.json").read_text())
        try:
            socket.create_connection(("127.0.0.1", given["port"]), timeout=5)
            reached = True
        except OSError:
            reached = False
        try:
            names = bool(Path("/etc/hosts").read_text())
        except OSError:
            names = False
        result(status="succeeded", reached=reached, names=names,
               address=os.environ.get("ENGINE_DASK_ADDRESS"))
        """
    )

    training = run(job_folder).result
    ingest = sandbox.run(job_folder, "ingest", wall_seconds=30, watch=go_on).result

    assert (training["reached"], training["address"]) == (True, settings.DASK_ADDRESS)
    assert (ingest["reached"], ingest["address"]) == (mode == "bare", None)
    assert (training["names"], ingest["names"]) == (True, mode == "bare")
    assert "Training jobs keep the network" in sandbox.shortcomings()[-1]
