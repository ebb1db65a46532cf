"""An auditor presses one button and can prove the answer on another machine."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from apps.audit.models import Key
from apps.audit.views import VERIFIER
from apps.core import blobs
from apps.jobs.models import JobStatus
from apps.registry import actions
from apps.registry.models import ModelVersion
from tests.audit.sealing import sealer_in
from tests.factories import datasets, regenerations, training

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 90


@pytest.fixture
def version(running_worker, world, tmp_path: Path) -> ModelVersion:
    """A model version that a real worker has trained."""
    by, path = world.data_scientist, tmp_path / "rows.parquet"
    with duckdb.connect() as database:
        database.execute(f"COPY ({regenerations.ROWS}) TO '{path}' (FORMAT parquet)")
    data = datasets.ready_version(
        datasets.dataset(world.project, by),
        by,
        parquet=path.read_bytes(),
        result=training.CONTENT,
    )
    job = training.launched_job(world.project, by, dataset_version=data)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while job.status != JobStatus.SUCCEEDED:
        assert time.monotonic() < deadline, job.failure_message or job.stage
        time.sleep(0.5)
        job.refresh_from_db()
    return actions.register_version(
        project=world.project,
        run=job.run,
        model_name="damage-risk",
        description="Orders the inspection queue.",
        by=by,
    )


def test_an_auditor_regenerates_and_proves_it(
    version, world, person_at, tmp_path: Path
):
    auditor = person_at(world.auditor.email)
    auditor.sign_in()
    auditor.go(version.get_absolute_url())

    auditor.press("Regenerate")
    auditor.page.get_by_text("Identical: model and predictions").wait_for(
        timeout=PATIENCE_SECONDS * 1000
    )
    sealer_in(tmp_path / "sealer").seal()
    auditor.page.reload()
    auditor.look()
    auditor.sees("Step by step")
    auditor.picture("regeneration")
    certificate, verifier, model = take_away(auditor, version, tmp_path / "away")

    answer = subprocess.run(
        [
            *(sys.executable, "-I", verifier, "certificate", certificate),
            *("--log-key", Key.objects.get().vkey, "--file", model),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )
    assert answer.returncode == 4, answer.stdout + answer.stderr  # no witness
    assert "Identical" in answer.stdout
    assert "is model.skops, the same both times" in answer.stdout


def take_away(auditor, version: ModelVersion, folder: Path) -> tuple[Path, Path, Path]:
    with auditor.page.expect_download() as download:
        auditor.page.get_by_role("link", name="Download certificate").click()
    certificate = folder / download.value.suggested_filename
    download.value.save_as(certificate)
    verifier, model = folder / "auditverify.py", folder / "model.skops"
    verifier.write_bytes(VERIFIER.read_bytes())
    blobs.copy_to(version.run.artifacts.get(path="model.skops").sha256, model)
    return certificate, verifier, model


def test_a_scientist_reads_why_it_differs(version, world, person_at, tmp_path: Path):
    found = regenerations.certified(
        world.project, world.data_scientist, version.run, **regenerations.DIFFERENT
    )
    sealer_in(tmp_path / "sealer").seal()
    scientist = person_at(world.data_scientist.email)
    scientist.sign_in()

    scientist.go(found.get_absolute_url())
    scientist.sees("Different, because the seed changed from 0 to 5.")
    scientist.picture("regeneration-different")
    scientist.go(version.get_absolute_url())
    scientist.sees("Regenerated: different")
    scientist.picture("version-regenerated")
    scientist.go(version.run.get_absolute_url())
    scientist.page.get_by_role("link", name="Regenerations of this run").wait_for()
    scientist.picture("run-regenerations")
    scientist.follow("Regenerations of this run")
    scientist.sees("Leave both empty")
    scientist.fill("Largest difference of a prediction", "-1")
    scientist.page.get_by_role("button", name="Regenerate").click()
    scientist.page.wait_for_load_state("networkidle")
    scientist.look()
    scientist.picture("regenerations")
