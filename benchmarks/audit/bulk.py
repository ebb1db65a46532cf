"""Sealing, exporting and verifying a large trail: how fast, and in how much memory."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from django.db import connection

from apps.audit.models import AuditEvent, Key, Leaf
from benchmarks.audit.events import fill
from benchmarks.measuring import Result, run_module

GOAL_MEBIBYTES = 96
WORK = "benchmarks.audit.work"
VERIFIER = "apps.audit.verifier.auditverify"
_STORAGE = """
SELECT pg_total_relation_size('audit_leaf') + pg_total_relation_size('audit_tile')
    + pg_total_relation_size('audit_checkpoint'),
    pg_total_relation_size('audit_auditevent')
"""


def measure(count: int, raw: float, folder: Path) -> Iterator[Result]:
    """Fill the trail up to `count` events, then measure; `raw` is R of this run."""
    fill(count - AuditEvent.objects.count(), start=AuditEvent.objects.count())
    waiting = count - Leaf.objects.count()
    path = folder / "bundle.zip"
    yield from _timed("seal", waiting, raw, WORK, "seal", "-")
    with connection.cursor() as cursor:
        cursor.execute(_STORAGE)
        evidence, events = (size / 2**20 for size in cursor.fetchone())
    yield Result(
        "storage of the tree beside that of events", "MiB", [evidence], [events]
    )
    yield from _timed("export a bundle", count, raw, WORK, "bundle", path)
    key = ["--log-key", Key.objects.get().vkey]
    kept = folder / "kept"
    with ZipFile(path) as archive:
        kept.write_bytes(archive.read("checkpoint"))
    yield from _timed(
        "verify offline", count, raw, VERIFIER, "bundle", path, *key, "--kept", kept
    )
    path.unlink()


def _timed(
    name: str, count: int, raw: float, module: str, *arguments: object
) -> Iterator[Result]:
    seconds, mebibytes = run_module(module, *arguments)
    name = f"{name}: {count:,} events"
    yield Result(f"{name}, against raw INSERT", "events/s", [count / seconds], [raw])
    goal = [float(GOAL_MEBIBYTES)]
    yield Result(f"{name}: peak memory, against the goal", "MiB", [mebibytes], goal)
