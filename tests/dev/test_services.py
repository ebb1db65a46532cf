import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from dev.problem import Problem
from dev.server import kept_secret, stop_leftover
from dev.services import addresses, only_user_of, services
from tests.dev.conftest import Start, wait_until_gone

Running = tuple["subprocess.Popen[str]", dict[str, str]]


def start_services(start: Start, folder: Path) -> Running:
    process = start("-m", "dev.services", "start", "--folder", str(folder))
    urls: dict[str, str] = {}
    while len(urls) < 2:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        name, found, url = line.strip().partition("=")
        urls |= {name: url} if found else {}
    return process, urls


def test_start_gives_real_servers_and_an_interrupt_ends_them(start, folder):
    process, urls = start_services(start, folder)

    with psycopg.connect(urls["DATABASE_URL"]) as database:
        version = database.execute("SELECT version()").fetchone()
    with redis.Redis.from_url(urls["REDIS_URL"]) as broker:
        answered = broker.ping()
    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=20)

    assert version[0].startswith("PostgreSQL 18")
    assert answered
    assert code == 128 + signal.SIGINT
    assert wait_until_gone(f"{folder}/", seconds=0) == []


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells of a parent's death"
)
def test_start_after_kill_leaves_nothing_running_and_keeps_data(start, folder):
    process, urls = start_services(start, folder)
    with psycopg.connect(urls["DATABASE_URL"], autocommit=True) as database:
        database.execute("CREATE TABLE kept AS SELECT 7 AS number")

    process.kill()
    left = wait_until_gone(f"{folder}/")
    _, urls = start_services(start, folder)

    assert left == []
    with psycopg.connect(urls["DATABASE_URL"]) as database:
        assert database.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_server_that_stops_by_itself_is_told(start, folder):
    process, _ = start_services(start, folder)
    pid = int((folder / "valkey" / "valkey.pid").read_text())

    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert f"A server stopped by itself: the end of {folder}/valkey.log" in errors
    assert wait_until_gone(f"{folder}/", seconds=0) == []


def test_servers_refuse_a_wrong_password(start, folder):
    _, urls = start_services(start, folder)
    password = (folder / "password").read_text()

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(urls["DATABASE_URL"].replace(password, "wrong"))
    with (
        redis.Redis.from_url(urls["REDIS_URL"].replace(password, "wrong")) as broker,
        pytest.raises(redis.AuthenticationError),
    ):
        broker.ping()


def test_run_passes_on_the_exit_code_and_deletes_its_folder(start):
    report = "import os; print(os.environ['STORAGE_URL']); raise SystemExit(7)"
    process = start("-m", "dev.services", "run", "--", sys.executable, "-c", report)

    output, _ = process.communicate(timeout=30)

    assert process.returncode == 7
    assert not Path(output.strip().removeprefix("file://")).parent.exists()


def test_named_servers_are_used_instead(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/portal")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")

    with services(folder) as running:
        named = addresses(running)

    assert named == {
        "DATABASE_URL": "postgresql://elsewhere/portal",
        "REDIS_URL": "redis://elsewhere",
    }
    assert not (folder / "postgres").exists()


def test_a_folder_in_use_is_refused_with_the_fix(folder):
    with (
        only_user_of(folder),
        pytest.raises(Problem, match="Ctrl-C there"),
        only_user_of(folder),
    ):
        pass


def test_stop_leftover_ends_the_server_of_that_folder(start, folder):
    sleeper = "import time; print('up', flush=True); time.sleep(60)"
    orphan = start("-c", sleeper, str(folder))
    orphan.stdout.readline()
    pid_file = folder / "server.pid"
    pid_file.write_text(f"{orphan.pid}\nmore lines\n")

    stop_leftover(pid_file, data=folder)

    assert orphan.wait(timeout=5) != 0
    assert not pid_file.exists()


def test_stop_leftover_spares_a_program_that_took_the_number(folder):
    pid_file = folder / "server.pid"
    pid_file.write_text(f"{os.getpid()}\n")

    stop_leftover(pid_file, data=folder / "a folder of nobody")

    assert not pid_file.exists()


def test_kept_secret_is_made_once_and_for_us_only(folder):
    file = folder / "secret"

    first, second = kept_secret(file, prefix="demo-"), kept_secret(file)

    assert first == second
    assert first.startswith("demo-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
