"""Rows of the health of workers and queues."""

from tests.permission_rows import ADMINISTRATOR, AUDITOR, Row, everybody

READ = everybody(200, ADMINISTRATOR, AUDITOR)

ROWS = [
    Row("jobs:health", "get", expect=READ, others=403),
    Row("v1:health", "get", expect=READ, others=403),
]
