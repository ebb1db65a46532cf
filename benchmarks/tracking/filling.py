"""Many runs, set down in each server's own tables by one statement a table.

What is searched must be the same on both sides, so both are filled from one formula:
run number n has metrics m0 to m4, parameters p0 to p2 and two tags, computed from n.
"""
# ruff: noqa: S608 (parts of one formula, none from outside)

from __future__ import annotations

import psycopg

METRICS, PARAMETERS = 5, 3
START = 1_700_000_000_000
_VALUE = "((n * 7919 + k * 104729) %% 100003) / 100003.0"
_TEXT = "'v' || ((n * 31 + k * 17) %% 50)"

PORTAL = (
    """
    INSERT INTO experiments_run (id, experiment_id, name, source, status, started_at,
        ended_at, claimed_user, summary, recorded_by_id, recorded_at)
    SELECT md5(n::text)::uuid, %(experiment)s, 'run-' || n, 'mlflow', 'FINISHED',
        to_timestamp((%(start)s + n) / 1000.0), to_timestamp((%(start)s + n) / 1000.0),
        'ann', '{}', %(person)s, now()
    FROM generate_series(1, %(runs)s) AS n
    """,
    f"""
    INSERT INTO experiments_metric (run_id, key, timestamp, step, value)
    SELECT md5(n::text)::uuid, 'm' || k, %(start)s, 0, {_VALUE}
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {METRICS - 1}) AS k
    """,
    f"""
    INSERT INTO experiments_latestmetric (run_id, key, timestamp, step, value)
    SELECT md5(n::text)::uuid, 'm' || k, %(start)s, 0, {_VALUE}
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {METRICS - 1}) AS k
    """,
    f"""
    INSERT INTO experiments_parameter (run_id, key, value)
    SELECT md5(n::text)::uuid, 'p' || k, {_TEXT}
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {PARAMETERS - 1}) AS k
    """,
    """
    INSERT INTO experiments_runtag (run_id, key, value)
    SELECT md5(n::text)::uuid, tag.key, tag.value
    FROM generate_series(1, %(runs)s) AS n, LATERAL (VALUES
        ('mlflow.runName', 'run-' || n), ('team', 't' || n %% 20)) AS tag (key, value)
    """,
)
STOCK = (
    """
    INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time,
        end_time, lifecycle_stage, artifact_uri, experiment_id)
    SELECT replace(md5(n::text), '-', ''), 'run-' || n, 'LOCAL', 'ann', 'FINISHED',
        %(start)s + n, %(start)s + n, 'active', 'mlflow-artifacts:/' || n,
        %(experiment)s
    FROM generate_series(1, %(runs)s) AS n
    """,
    f"""
    INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan)
    SELECT md5(n::text), 'm' || k, %(start)s, 0, {_VALUE}, false
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {METRICS - 1}) AS k
    """,
    f"""
    INSERT INTO latest_metrics (run_uuid, key, timestamp, step, value, is_nan)
    SELECT md5(n::text), 'm' || k, %(start)s, 0, {_VALUE}, false
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {METRICS - 1}) AS k
    """,
    f"""
    INSERT INTO params (run_uuid, key, value)
    SELECT md5(n::text), 'p' || k, {_TEXT}
    FROM generate_series(1, %(runs)s) AS n, generate_series(0, {PARAMETERS - 1}) AS k
    """,
    """
    INSERT INTO tags (run_uuid, key, value)
    SELECT md5(n::text), tag.key, tag.value
    FROM generate_series(1, %(runs)s) AS n, LATERAL (VALUES
        ('mlflow.runName', 'run-' || n), ('team', 't' || n %% 20)) AS tag (key, value)
    """,
)


def fill(database: str, statements: tuple[str, ...], **values: object) -> None:
    """Set runs down and let the database learn what it holds.

    Args:
        database: its address.
        statements: of one server.
        values: `experiment`, `runs`, and for the portal `person`.
    """
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement, {"start": START, **values})
        connection.execute("VACUUM ANALYZE")
