"""What recording costs the transactions of users, with clients that cost nothing.

pgbench plays eight users. Each transaction changes a row of business and takes one
prepared event: into a bare table with the same columns and indexes, or into the trail,
with the sealer at work or not.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection

from apps.audit.record import _STORED
from benchmarks.audit.database import PGBENCH
from benchmarks.audit.events import fill_pool
from benchmarks.measuring import Result, run_module

CLIENTS = 8
COLUMNS = ", ".join(_STORED)
TABLES = """
CREATE TABLE bench_pool (place bigserial PRIMARY KEY,
    LIKE audit_auditevent INCLUDING DEFAULTS);
ALTER TABLE bench_pool DROP COLUMN id, DROP COLUMN xid, DROP COLUMN words;
CREATE TABLE bench_raw (LIKE audit_auditevent
    INCLUDING INDEXES INCLUDING IDENTITY INCLUDING GENERATED);
DROP INDEX bench_raw_xid_id_idx;
ALTER TABLE bench_raw DROP COLUMN xid;
CREATE TABLE bench_business (id int PRIMARY KEY, counter bigint);
INSERT INTO bench_business SELECT n, 0 FROM generate_series(1, 1000) AS n;
CREATE SEQUENCE bench_raw_place;
CREATE SEQUENCE bench_trail_place;
"""
SCRIPT = """
\\set one random(1, {rows})
\\set other random(1, {rows})
BEGIN;
UPDATE bench_business SET counter = counter + 1 WHERE id = :one;
{more}
INSERT INTO {table} ({columns}) SELECT {columns} FROM bench_pool
    WHERE place = (SELECT nextval('{sequence}'));
COMMIT;
"""
SECOND_ROW = "UPDATE bench_business SET counter = counter + 1 WHERE id = :other;"
WORK = "SELECT pg_sleep(0.01);"
HOT_ROWS = 40


@dataclass(frozen=True)
class Load:
    """What the eight users do."""

    table: str
    rows: int = 1000
    more: str = ""

    @property
    def script(self) -> str:
        sequence = "bench_raw_place" if self.table == RAW else "bench_trail_place"
        return SCRIPT.format(
            table=self.table,
            sequence=sequence,
            columns=COLUMNS,
            rows=self.rows,
            more=self.more,
        )


RAW, TRAIL = "bench_raw", "audit_auditevent"


@dataclass(frozen=True)
class Run:
    """What came of it: transactions a second, 99th percentile in ms, deadlocks."""

    rate: float
    p99: float
    deadlocks: int
    count: int


def measure(share: float) -> Iterator[Result]:
    seconds, rounds = max(1, round(5 * share)), max(2, round(8 * share))
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
    fill_pool("bench_pool", int(seconds * rounds * 12_000))
    raw, ours = Load(RAW), Load(TRAIL)
    plain = _rounds(raw, ours, seconds, rounds, sealing=False)
    yield _rates("append, 8 writers, without the sealer", *plain)
    run_module("benchmarks.audit.work", "seal", "-")  # what no sealer took so far
    sealed = _rounds(raw, ours, seconds, rounds, sealing=True)
    yield _rates("append, 8 writers, sealer at work", *sealed)
    yield Result(
        "transaction with its event, 99th percentile, sealer at work",
        "ms",
        [run.p99 for run in sealed[1]],
        [run.p99 for run in sealed[0]],
    )
    waiting = _rounds(
        Load(RAW, more=WORK), Load(TRAIL, more=WORK), seconds, 2, sealing=True
    )
    yield _rates("append, 8 writers with 10 ms of other work, sealer at work", *waiting)
    hot = [Load(table, HOT_ROWS, SECOND_ROW) for table in (RAW, TRAIL)]
    deadlocks = _rounds(*hot, seconds, 2, sealing=True)
    yield Result(
        "deadlocks of 1,000 transactions that change two of 40 rows",
        "",
        [1000 * run.deadlocks / run.count for run in deadlocks[1]],
        [1000 * run.deadlocks / run.count for run in deadlocks[0]],
    )


def raw_rate(results: list[Result]) -> float:
    """Give R: what all faster things are compared with, in transactions a second."""
    bare = (result.peer for result in results if "8 writers," in result.name)
    return median(chain.from_iterable(bare))


def _rates(name: str, raw: list[Run], ours: list[Run]) -> Result:
    return Result(name, "tx/s", [run.rate for run in ours], [run.rate for run in raw])


def _rounds(
    raw: Load, ours: Load, seconds: int, rounds: int, *, sealing: bool
) -> tuple[list[Run], list[Run]]:
    """Take turns in the order raw, ours, ours, raw."""
    runs: dict[Load, list[Run]] = {raw: [], ours: []}
    for number in range(rounds):
        for load in (raw, ours) if number % 2 == 0 else (ours, raw):
            with sealer() if sealing and load is ours else nothing():
                runs[load].append(_run(load, seconds))
    return runs[raw], runs[ours]


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def sealer() -> Iterator[None]:
    """Run the sealer as its own process, as operators do."""
    command = [sys.executable, "manage.py", "seal_audit_trail"]
    with subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        process.stdout.readline()  # it says that it begins
        try:
            yield
        finally:
            process.terminate()


def _run(load: Load, seconds: int) -> Run:
    with TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(load.script)
        done = subprocess.run(
            [
                *(PGBENCH, "-n", "-M", "prepared", "-f", script, "-T", str(seconds)),
                *("-c", str(CLIENTS), "-j", "2", "--failures-detailed"),
                *("-l", f"--log-prefix={folder}/log", connection.settings_dict["NAME"]),
            ],
            env=_client(),
            capture_output=True,
            text=True,
            check=True,
        )
        times = sorted(
            int(line.split()[2])
            for log in Path(folder).glob("log*")
            for line in log.read_text().splitlines()
            if line.split()[2].isdecimal()
        )
    return Run(
        rate=float(_found(r"tps = ([\d.]+)", done.stdout)),
        p99=times[int(len(times) * 0.99)] / 1000,
        deadlocks=int(_found(r"deadlock failures: (\d+)", done.stdout)),
        count=int(_found(r"actually processed: (\d+)", done.stdout)),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def _client() -> dict[str, str]:
    facts = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER"}
    return {"PGPASSWORD": facts["PASSWORD"]} | {
        name: str(facts[key]) for name, key in names.items()
    }
