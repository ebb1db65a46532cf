"""A bundle regenerates a run without the portal."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from apps.core import blobs
from apps.training import actions, bundles
from tests.factories import regenerations


@pytest.fixture
def run(project, data_scientist):
    return regenerations.run(project, data_scientist)


def downloaded(run, client) -> bytes:
    answer = client.get(f"/runs/{run.pk}/regeneration-bundle/")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith(f'regenerate-{run.pk}.zip"')
    return b"".join(answer.streaming_content)


def test_bundle_has_what_it_takes(run, data_scientist, client_of):
    content = downloaded(run, client_of(data_scientist))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "README.md",
            "engine.zip",
            "job/expected/predictions.parquet",
            "job/expected/record.json",
            "job/inputs/data.parquet",
            "job/spec.json",
            "requirements.txt",
        ]
        assert json.loads(archive.read("job/spec.json")) == run.training_job.spec
        assert archive.read("requirements.txt") == b"numpy==2.0\n"
        assert b"python -m engine verify job" in archive.read("README.md")


def test_bundle_breaks_off_when_a_stored_file_was_changed(run, data_scientist):
    bundle = actions.download_regeneration_bundle(run=run, by=data_scientist)
    digest = bundle.blobs["job/inputs/data.parquet"]
    path = Path(default_storage.path(f"{digest[:2]}/{digest}"))
    path.chmod(0o600)
    path.write_bytes(b"something else")

    with pytest.raises(blobs.BlobDamaged):
        list(bundles.pieces(bundle))


def test_bundle_is_never_whole_in_memory(run, data_scientist, monkeypatch):
    monkeypatch.setattr(bundles, "CHUNK_BYTES", 4)
    bundle = actions.download_regeneration_bundle(run=run, by=data_scientist)

    sizes = [len(piece) for piece in bundles.pieces(bundle)]

    parts = len(bundle.texts) + len(bundle.blobs)
    assert len(sizes) > parts
    assert max(sizes[len(bundle.texts) : -1]) < 300


def outside(folder: Path, verb: str) -> str:
    """Run the engine of the bundle, with nothing of the portal around it."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", verb, "job"],
        cwd=folder,
        env={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def test_bundle_regenerates_outside_of_the_portal(
    project, data_scientist, client_of, tmp_path
):
    run = regenerations.trained_run(project, data_scientist, tmp_path)
    folder = tmp_path / "elsewhere"
    content = downloaded(run, client_of(data_scientist))
    zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
    zipfile.ZipFile(folder / "engine.zip").extractall(folder)

    outside(folder, "train")
    said = outside(folder, "verify")

    assert said == "Identical: model and predictions are equal byte for byte.\n"
    model = folder / "job" / "outputs" / "model.skops"
    kept = run.artifacts.get(path="model.skops")
    assert blobs.store_path(model).sha256 == kept.sha256
    readme = (folder / "README.md").read_text()
    assert kept.sha256 in readme
