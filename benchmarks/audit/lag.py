"""How long an event waits for its seal, and what recording costs through Django."""

import subprocess
import sys
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from benchmarks.audit.append import CLIENTS, sealer
from benchmarks.measuring import Result, run_module

GOAL_SECONDS = 1.5
_WAITED = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited),
    percentile_cont(0.99) WITHIN GROUP (ORDER BY waited), count(*)
FROM (
    SELECT extract(epoch FROM (
        SELECT created_at FROM audit_checkpoint
        WHERE size > leaf_index ORDER BY size LIMIT 1) - event.at) AS waited
    FROM audit_leaf JOIN audit_auditevent AS event ON event.id = event_pk
    WHERE request_id = 'lag'
) AS events
"""


def measure(share: float) -> Iterator[Result]:
    seconds = max(3, round(20 * share))
    run_module("benchmarks.audit.work", "seal", "-")  # what went before
    with sealer():
        time.sleep(2)
        command = [sys.executable, "-m", "benchmarks.audit.work", "write", str(seconds)]
        writers = [
            subprocess.Popen(command, cwd=settings.BASE_DIR) for _ in range(CLIENTS)
        ]
        assert [writer.wait() for writer in writers] == [0] * CLIENTS
        time.sleep(3)
    with connection.cursor() as cursor:
        cursor.execute(_WAITED)
        half, most, count = cursor.fetchone()
    name = f"commit to seal of {count:,} events of 8 writers"
    yield Result(f"{name}, median, against the goal", "s", [half], [GOAL_SECONDS])
    yield Result(f"{name}, 99th percentile", "s", [most], [GOAL_SECONDS])
