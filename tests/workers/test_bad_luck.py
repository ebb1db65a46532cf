"""Jobs under bad luck, in short; tests/crash/test_jobs.py has the long form."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from apps.experiments.models import Run
from apps.jobs.models import JobStatus
from tests.workers.bad_luck import (
    UNFINISHED,
    Gate,
    assert_nothing_is_left,
    end_well,
    survive_kills,
)
from tests.workers.conftest import wait_for
from tests.workers.test_training import SLOW, data, is_learning, launch, status

__all__ = ["data"]
pytestmark = pytest.mark.worker


def test_a_worker_killed_at_any_moment(
    workers, project, data_scientist, data, settings
):
    survive_kills(1, workers, settings, project, data_scientist, data)


@pytest.fixture
def gate():
    place = connection.settings_dict
    gate = Gate(place["HOST"], int(place["PORT"]))
    yield gate
    gate.close()


def through(gate: Gate, url: str) -> str:
    parts = urlsplit(url)
    place = f"{parts.username}:{parts.password}@127.0.0.1:{gate.port}"
    return urlunsplit(parts._replace(netloc=place))


def test_a_database_that_restarts(
    workers, gate, project, data_scientist, data, settings
):
    job = launch(project, data_scientist, data, **SLOW)
    workers.start(DATABASE_URL=through(gate, workers.database_url))
    wait_for(lambda: is_learning(job))

    gate.shut(3)

    end_well(job, settings, sweeping=False)
    job.refresh_from_db()
    assert job.attempt == 1


def test_a_store_of_files_that_is_full(
    workers, project, data_scientist, data, settings, tmp_path
):
    """The worker stores on a small disk of its own, made by `mount` where allowed."""
    disk = tmp_path / "small"
    disk.mkdir()
    alone = ["unshare", "--mount", *(["-Ur"] if os.geteuid() else [])]
    lines = (
        f"mount -t tmpfs -o size=256k,mode=755 small {disk} && "
        f"cp -r {tmp_path}/blobs/. {disk} && "
        f"! dd if=/dev/zero of={disk}/full bs=1k 2>/dev/null"
    )
    tried = [*alone, "sh", "-c", lines]
    if not shutil.which("unshare") or subprocess.run(tried, check=False).returncode:
        pytest.skip("this host lets nobody mount")
    job = launch(project, data_scientist, data)

    worker = workers.start(
        *(*alone, "sh", "-c", f'{lines}; exec "$0" "$@"'),
        STORAGE_URL=f"file://{disk}",
    )
    wait_for(lambda: status(job) not in UNFINISHED)

    job.refresh_from_db()
    assert (job.status, job.failure_code) == (JobStatus.FAILED, "disk_full")
    assert "ask an administrator to make room" in job.failure_message
    assert not Run.objects.exists()
    on_disk = Path(f"/proc/{worker.pid}/root{disk}")
    stored = {path.name for path in on_disk.rglob("*") if path.stat().st_size}
    stored -= {path.name for path in on_disk.rglob("*") if path.is_dir()}
    assert stored <= {"full", data.original_sha256, data.parquet_sha256}
    assert_nothing_is_left(job, settings)
